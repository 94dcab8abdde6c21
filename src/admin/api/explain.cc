#include "admin/api/explain.h"

#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/api/documents.h"
#include "admin/api/errors.h"

namespace ballast::admin {
namespace {

using Json = nlohmann::ordered_json;

Json seconds(std::chrono::microseconds time) {
  return time.count() < 0 ? Json(nullptr) : Json(std::chrono::duration<double>(time).count());
}

Json attempt(const model::ExplainedAttempt& a) {
  return Json{{"target", a.target},
              {"began_seconds", seconds(a.began)},
              {"connection", a.reused ? "reused" : "new"},
              {"connect_seconds", seconds(a.connect)},
              {"tls_seconds", seconds(a.tls)},
              {"head_seconds", seconds(a.head)},
              {"status", a.status},
              {"reason", a.reason},
              {"text", a.text},
              {"next", a.next},
              {"next_words", a.next_words}};
}

Json record(const model::Explained& e) {
  Json attempts = Json::array();
  for (const model::ExplainedAttempt& each : e.attempts) attempts.push_back(attempt(each));
  return Json{{"id", e.id},
              {"kind", e.kind == model::Explained::Kind::Request ? "request" : "connection"},
              {"at", rfc3339(e.at)},
              {"status", e.status},
              {"grpc_status", e.grpc_status},
              {"reason", e.reason},
              {"happened", e.happened},
              {"advice", e.advice},
              {"detail", e.detail},
              {"defect", e.defect},
              {"defect_class", e.defect_class},
              {"defect_words", e.defect_words},
              {"defect_at", e.defect_at.has_value() ? Json(*e.defect_at) : Json(nullptr)},
              {"slow", e.slow},
              {"listener", e.listener},
              {"client", e.client},
              {"proxy", e.proxy},
              {"protocol", e.protocol},
              {"sni", e.sni},
              {"method", e.method},
              {"host", e.host},
              {"path", e.path},
              {"query", e.query},
              {"rewritten", e.rewritten},
              {"user", e.user},
              {"rule", e.rule},
              {"group", e.group},
              {"received_bytes", e.bytes_in},
              {"sent_bytes", e.bytes_out},
              {"duration_seconds", seconds(e.took)},
              {"queued_seconds", seconds(e.queued)},
              {"body_seconds", seconds(e.body_took)},
              {"answered_seconds", seconds(e.answered)},
              {"attempts", std::move(attempts)}};
}

// A whole number within bounds; what is wrong with it otherwise.
struct Bounds {
  int min;
  int max;
};
std::optional<int> number(std::string_view text, Bounds bounds) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < bounds.min || value > bounds.max) {
    return std::nullopt;
  }
  return value;
}

std::string nothing_of(std::string_view id, const model::ExplainAnswer& answer) {
  if (answer.keep == 0) return "nothing is kept: `explain.keep` is 0 in the configuration";
  std::string text = fmt::format("nothing is kept of {}. Kept are errors", id);
  if (answer.slow_after.count() != 0) {
    text += fmt::format(" and requests slower than {:g} s", std::chrono::duration<double>(answer.slow_after).count());
  }
  text += fmt::format(
      ": all since {}, of older ones a part; {} records in all. A request that went well and in time "
      "leaves nothing here; the access log has it",
      rfc3339(answer.complete_since), answer.kept);
  if (answer.workers_missing != 0) {
    text += fmt::format(". {} of the workers did not answer in time: ask again", answer.workers_missing);
  }
  return text;
}

}  // namespace

std::string explain_document(const model::ExplainAnswer& answer) {
  Json records = Json::array();
  for (const model::Explained& each : answer.records) records.push_back(record(each));
  const Json document{{"records", std::move(records)},
                      {"kept", answer.kept},
                      {"keep", answer.keep},
                      {"slow_after_seconds", std::chrono::duration<double>(answer.slow_after).count()},
                      {"complete_since", rfc3339(answer.complete_since)},
                      {"workers_missing", answer.workers_missing}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

ApiResponse get_explain(const Target& target, model::Service& service) {
  constexpr Bounds counts{1, 1'000};
  constexpr Bounds statuses{100, 599};
  const auto refuse = [](std::string_view name, std::string_view value, std::string_view wanted) {
    return error_response(400, "invalid", fmt::format("{}={}: {}", name, value, wanted));
  };
  model::ExplainQuery query;
  if (target.segments.size() == 3) query.id = target.segments[2];
  for (const Target::Parameter& given : target.parameters) {
    if (given.name == "last") {
      const auto count = number(given.value, counts);
      if (!count) return refuse(given.name, given.value, "how many, 1 to 1000");
      query.count = static_cast<std::size_t>(*count);
    } else if (given.name == "status") {
      const auto status = number(given.value, statuses);
      if (!status) return refuse(given.name, given.value, "a status, 100 to 599");
      query.status = *status;
    } else if (given.name == "slow") {
      if (given.value != "1" && given.value != "0") return refuse(given.name, given.value, "1 or 0");
      query.slow = given.value == "1";
    } else if (given.name == "reason") {
      query.reason = given.value;
    } else if (given.name == "listener") {
      query.listener = given.value;
    } else {
      return refuse(given.name, given.value,
                    "there is no such parameter; known are last, status, reason, listener, slow");
    }
  }
  const Result<model::ExplainAnswer> answer = service.explain(query);
  if (!answer) return error_response(answer.error());
  if (answer->records.empty() && !query.id.empty()) {
    return error_response(404, "not_found", nothing_of(query.id, *answer));
  }
  return ApiResponse{.body = explain_document(*answer)};
}

}  // namespace ballast::admin
