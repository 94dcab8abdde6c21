#include "traffic/control/explain.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

#include "config/words.h"
#include "traffic/explain/cause.h"
#include "traffic/worker.h"

namespace ballast::traffic {
namespace {

// What the workers put their parts into; held by each until it has, however late.
struct Gathering {
  std::mutex mutex;
  std::condition_variable changed;
  ExplainRings::Content content;
  std::size_t answered = 0;
};

// What it begins with is enough, where it is not too little.
bool is_called(Bytes id, Bytes asked) {
  constexpr std::size_t prefix_min = 8;
  return id == asked || (asked.size() >= prefix_min && id.starts_with(asked));
}

}  // namespace

bool fits(const ExplainRecord& record, const model::ExplainQuery& query) {
  using Text = ExplainRecord::Text;
  return (query.id.empty() || is_called(record.get(Text::Id), query.id)) &&
         (query.listener.empty() || record.get(Text::Listener) == query.listener) &&
         (query.reason.empty() || to_string(record.cause) == query.reason) &&
         (query.status == 0 || record.status == query.status) && (!query.slow || record.slow);
}

std::vector<model::Explained> pick(std::vector<ExplainRecordPtr> records, const model::ExplainQuery& query) {
  std::erase_if(records, [&](const ExplainRecordPtr& record) { return !fits(*record, query); });
  std::ranges::sort(records, std::greater{}, [](const ExplainRecordPtr& record) { return record->at; });
  std::vector<model::Explained> picked;
  for (const ExplainRecordPtr& record : records) {
    if (picked.size() == query.count) break;
    picked.push_back(record->to_model());
  }
  return picked;
}

Result<model::ExplainAnswer> explain(const ExplainSource& source, const model::ExplainQuery& query) {
  constexpr auto patience = std::chrono::milliseconds(500);
  if (!query.reason.empty() && !cause_of(query.reason).has_value()) {
    return fail(Code::Invalid,
                fmt::format("there is no reason {}{}; docs/guide/errors.md lists them", config::quote(query.reason),
                            config::did_you_mean(query.reason, cause_names())));
  }
  auto gathering = std::make_shared<Gathering>();
  for (const auto& worker : source.workers) {
    worker->loop().post([gathering, from = worker.get()] {
      ExplainRings::Content part = from->records().content();
      {
        const std::lock_guard lock(gathering->mutex);
        auto& all = gathering->content;
        all.records.insert(all.records.end(), part.records.begin(), part.records.end());
        all.dropped = std::max(all.dropped, part.dropped);
        ++gathering->answered;
      }
      gathering->changed.notify_one();
    });
  }
  std::unique_lock lock(gathering->mutex);
  gathering->changed.wait_for(lock, patience, [&] { return gathering->answered == source.workers.size(); });
  ExplainRings::Content content = std::move(gathering->content);
  model::ExplainAnswer answer{.records = {},
                              .kept = content.records.size(),
                              .keep = source.settings.explain.keep,
                              .slow_after = source.settings.explain.slow_after,
                              .complete_since = std::max(content.dropped, source.started),
                              .workers_missing = static_cast<int>(source.workers.size() - gathering->answered)};
  gathering->content = {};
  lock.unlock();
  answer.records = pick(std::move(content.records), query);
  if (answer.records.empty() && !query.listener.empty() && source.settings.listener(query.listener) == nullptr) {
    std::vector<std::string> known;
    for (const config::Listener& each : source.settings.listeners) known.push_back(each.name);
    return fail(Code::NotFound, fmt::format("there is no listener {}{}", config::quote(query.listener),
                                            config::did_you_mean(query.listener, known)));
  }
  return answer;
}

}  // namespace ballast::traffic
