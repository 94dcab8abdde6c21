// What a GroupKeeper makes of its targets' traffic: it adds up what the workers have counted, has it judged
// (outlier/judge.h, outlier/compare.h), and acts on that.
#include <algorithm>

#include <fmt/format.h>

#include "io/loop.h"
#include "traffic/control/group_entry.h"
#include "traffic/outlier/compare.h"
#include "traffic/outlier/failure.h"

namespace ballast::traffic {

using Kind = outlier::Happened::Kind;

namespace {

// How often the workers' counts are looked at: a target that answers nobody is out within this and the time that its
// failures took.
constexpr auto look_every = std::chrono::milliseconds(500);

model::WallTime wall_time(HealthTime time, HealthTime now) {
  return std::chrono::system_clock::now() + std::chrono::duration_cast<model::WallTime::duration>(time - now);
}

outlier::Totals totals_of(const std::vector<TargetCell>& cells, std::uint64_t answers) {
  outlier::Totals totals{.answers = answers};
  for (const TargetCell& cell : cells) {
    totals.failures += cell.outcomes.failures.get();
    totals.broken += cell.outcomes.broken.get();
    totals.server_errors += cell.outcomes.server_errors.get();
    totals.timed += cell.outcomes.timed.get();
    totals.time_us += cell.outcomes.time_us.get();
  }
  return totals;
}

}  // namespace

void GroupKeeper::configure_outliers() {
  const config::Outliers& settings = settings_->outliers;
  if (settings.enabled && !removed_) {
    const HealthTime latest = context_.loop.now() + settings.interval;
    if (!is_armed()) {
      compares_at_ = latest;
      context_.loop.timers().arm(*this, context_.loop.now() + look_every);
    }
    compares_at_ = std::min(compares_at_, latest);
    return;
  }
  if (!is_armed()) return;
  disarm();
  std::vector<EntryPointer> judged;
  std::vector<outlier::Member> all = members(judged);
  const auto happened = outlier::judge({.settings = settings}, all, context_.loop.now());
  act(judged, all, happened);
}

void GroupKeeper::expired() {
  const HealthTime now = context_.loop.now();
  const outlier::Spec spec{.settings = settings_->outliers, .minimum_healthy = settings_->minimum_healthy};
  for (const EntryPointer& entry : entries_) {
    if (entry->share == nullptr) continue;
    std::vector<AnswerRun::Read> runs;
    runs.reserve(entry->share->cells.size());
    for (const TargetCell& cell : entry->share->cells) runs.push_back(cell.outcomes.run.get());
    entry->failure_run.look(runs);
  }
  std::vector<EntryPointer> judged;
  std::vector<outlier::Member> all = members(judged);
  std::vector<outlier::Happened> happened = outlier::judge(spec, all, now);
  if (now >= compares_at_) {
    compares_at_ = now + settings_->outliers.interval;
    for (outlier::Happened& each : outlier::compare(spec, all, now)) happened.push_back(std::move(each));
  }
  act(judged, all, happened);
  context_.loop.timers().arm(*this, now + look_every);
}

std::vector<outlier::Member> GroupKeeper::members(std::vector<EntryPointer>& judged) const {
  std::vector<outlier::Member> all;
  for (const EntryPointer& entry : entries_) {
    if (entry->share == nullptr) continue;
    outlier::Seen seen{.in_service = takes_requests(entry->record.state, GroupMode::FailOpen),
                       .is_well = entry->record.verdict == Verdict::Healthy,
                       .is_warming = is_warming(*entry),
                       .weight = base_weight(*entry),
                       .failures_in_row = entry->failure_run.length(),
                       .totals = totals_of(entry->share->cells, entry->failure_run.answers())};
    if (seen.failures_in_row != 0) {
      // Of the worker that has had the most: it is likely the one that had the last.
      const auto& cells = entry->share->cells;
      const auto most = std::ranges::max_element(
          cells, {}, [](const TargetCell& cell) { return cell.outcomes.run.get().failures_in_row; });
      seen.last_failure = outlier::words_of(most->outcomes.last_failure.get());
    }
    all.push_back({.record = entry->outlier, .seen = std::move(seen)});
    judged.push_back(entry);
  }
  return all;
}

void GroupKeeper::act(const std::vector<EntryPointer>& judged, const std::vector<outlier::Member>& members,
                      const std::vector<outlier::Happened>& happened) {
  for (std::size_t i = 0; i < judged.size(); ++i) judged[i]->outlier = members[i].record;
  acting_ = true;
  for (const outlier::Happened& each : happened) {
    const EntryPointer& entry = judged[each.member];
    const std::string subject = fmt::format("{}/{}", share_->name, entry->share->name);
    if (each.kind == Kind::Returned) {
      entry->failure_run.restart();
      context_.events.add("target.returned", subject, each.words);
    }
    if (each.kind == Kind::Spared) context_.events.add("target.not_ejected", subject, each.words);
    if (each.kind == Kind::Weighed) context_.events.add("target.weight", subject, each.words);
    if (each.kind == Kind::Ejected || each.kind == Kind::Returned) {
      // What is to become of one that drains is for its own strand to say.
      take(entry, Seen{.in_flight = std::max<std::uint64_t>(in_flight(*entry), 1)});
    } else if (each.kind == Kind::Weighed) {
      context_.changed();
    }
  }
  acting_ = false;
}

void GroupKeeper::call_back() {
  const bool any =
      std::ranges::any_of(entries_, [](const EntryPointer& entry) { return entry->outlier.ejected_until.has_value(); });
  if (!any || acting_ || !in_use_ || removed_) return;
  std::vector<EntryPointer> judged;
  std::vector<outlier::Member> all = members(judged);
  const outlier::Spec spec{.settings = settings_->outliers, .minimum_healthy = settings_->minimum_healthy};
  const auto happened = outlier::call_back(spec, all, context_.loop.now());
  act(judged, all, happened);
}

void GroupKeeper::add_outlier(const Entry& entry, model::TargetStatus& status) const {
  const outlier::Record& record = entry.outlier;
  status.failures_in_row = entry.failure_run.length();
  if (record.ejected_until.has_value()) {
    status.ejected_until = wall_time(*record.ejected_until, context_.loop.now());
  }
  status.passive_weight = record.weight;
  status.passive_words = record.weight_words;
  status.ejections_errors = record.ejections[static_cast<std::size_t>(outlier::Cause::Errors)];
  status.ejections_success_rate = record.ejections[static_cast<std::size_t>(outlier::Cause::SuccessRate)];
}

void GroupKeeper::save_outlier(const Entry& entry, SavedTarget& saved) const {
  saved.outlier = entry.outlier;
  if (entry.outlier.ejected_until.has_value()) {
    saved.ejected_until = wall_time(*entry.outlier.ejected_until, context_.loop.now());
  }
}

void GroupKeeper::restore_outlier(Entry& entry, const SavedTarget& saved) const {
  const HealthTime now = context_.loop.now();
  entry.outlier = saved.outlier;
  if (saved.ejected_until.has_value()) {
    // Never longer than one could have been made out: clocks are set, too.
    const auto left = std::clamp<model::WallTime::duration>(*saved.ejected_until - std::chrono::system_clock::now(),
                                                            std::chrono::seconds(0), settings_->outliers.eject_max);
    entry.outlier.ejected_until = now + left;
  }
  entry.outlier.forgets_at = now + settings_->outliers.eject;
  if (settings_->outliers.enabled) return;
  // It was turned off while nobody served.
  const auto ejections = entry.outlier.ejections;
  entry.outlier = outlier::Record{.ejections = ejections};
}

}  // namespace ballast::traffic
