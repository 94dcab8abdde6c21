#include "admin/api/history.h"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/api/documents.h"
#include "admin/api/errors.h"
#include "config/units.h"

namespace ballast::admin {

namespace {

using Json = nlohmann::json;

constexpr std::uint64_t limit_default = 20;
constexpr std::uint64_t limit_max = 1000;

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Json json_of(const model::HistoryEntry& entry) {
  Json changes = Json::array();
  for (const model::Change& each : entry.changes) {
    changes.push_back({{"path", each.path}, {"text", each.text}, {"needs_restart", each.needs_restart}});
  }
  return {{"id", entry.id},
          {"at", rfc3339(entry.at)},
          {"user", entry.actor.user},
          {"way", entry.actor.way},
          {"kind", entry.kind},
          {"subject", entry.subject},
          {"done", entry.done},
          {"text", entry.text},
          {"changes", std::move(changes)},
          {"generation", entry.generation},
          {"has_configuration", entry.has_configuration}};
}

ApiResponse document(const Json& json) {
  return {.body = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"};
}

ApiResponse no_id(std::string_view text) {
  return error_response(400, "invalid", fmt::format("{}: not the id of a change (a whole number)", text));
}

}  // namespace

model::Actor actor_of(const ApiRequest& request) {
  return {.user = request.user.empty() ? std::string("unknown") : request.user, .way = "api"};
}

std::expected<cluster::Changes::Request, ApiResponse> change_request(const ApiRequest& request, const Target& target) {
  cluster::Changes::Request change{.actor = actor_of(request), .confirm_within = {}};
  const std::string_view within = target.parameter("confirm");
  if (within.empty()) return change;
  const auto time = config::parse_duration(within);
  if (!time)
    return std::unexpected(error_response(400, "invalid", fmt::format("confirm={}: {}", within, time.error().text())));
  change.confirm_within = *time;
  return change;
}

ApiResponse get_history(const Target& target, const cluster::Changes& changes) {
  cluster::History::Page page{.before = 0, .count = limit_default};
  if (const std::string_view before = target.parameter("before"); !before.empty()) {
    const auto id = whole_number(before);
    if (!id) return no_id(fmt::format("before={}", before));
    page.before = *id;
  }
  if (const std::string_view limit = target.parameter("limit"); !limit.empty()) {
    const auto number = whole_number(limit);
    if (!number || *number == 0 || *number > limit_max) {
      return error_response(400, "invalid",
                            fmt::format("limit={}: must be a whole number from 1 to {}", limit, limit_max));
    }
    page.count = *number;
  }
  const auto entries = changes.list(page);
  if (!entries) return error_response(entries.error());
  const auto waits = changes.unconfirmed();
  if (!waits) return error_response(waits.error());
  Json list = Json::array();
  for (const model::HistoryEntry& each : *entries) list.push_back(json_of(each));
  Json unconfirmed;
  if (waits->has_value()) {
    unconfirmed = {{"entry", (*waits)->entry}, {"back_to", (*waits)->back_to}, {"until", rfc3339((*waits)->until)}};
  }
  return document({{"entries", std::move(list)}, {"unconfirmed", std::move(unconfirmed)}});
}

ApiResponse get_history_entry(const Target& target, const cluster::Changes& changes) {
  const auto id = whole_number(target.segments[2]);
  if (!id) return no_id(target.segments[2]);
  const auto entry = changes.entry(*id);
  if (!entry) return error_response(entry.error());
  Json json{{"entry", json_of(*entry)}, {"configuration", nullptr}};
  if (entry->has_configuration) {
    const auto text = changes.configuration(*id);
    if (!text) return error_response(text.error());
    json["configuration"] = *text;
  }
  return document(json);
}

ApiResponse post_rollback(const ApiRequest& request, const Target& target, cluster::Changes& changes) {
  const auto id = whole_number(target.segments[2]);
  if (!id) return no_id(target.segments[2]);
  const auto change = change_request(request, target);
  if (!change) return change.error();
  const auto report = changes.rollback(*id, *change);
  if (!report) return error_response(report.error());
  return {.body = apply_document(*report)};
}

ApiResponse post_confirm(const ApiRequest& request, cluster::Changes& changes) {
  const Result<> done = changes.confirm(actor_of(request));
  if (!done) return error_response(done.error());
  return {.body = "{\"done\": true}\n"};
}

}  // namespace ballast::admin
