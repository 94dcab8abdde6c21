// `ballast upgrade`: puts what the program's file holds now in the place of the running one.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/cli/commands.h"
#include "admin/cli/document.h"
#include "admin/cli/outcome.h"

namespace ballast::admin {

namespace {

using Json = nlohmann::json;

// The new process has a minute to serve; the old one five seconds for its state.
constexpr auto patience = std::chrono::seconds(75);
constexpr auto pause = std::chrono::milliseconds(100);

// None: the process that was asked has just gone, or is about to.
Json events_after(const Invocation& invocation, std::uint64_t after) {
  const Result<ApiAnswer> answer = invocation.api.ask({.target = fmt::format("/v1/events?after={}", after)});
  if (!answer) return Json::array();
  const Json document = Json::parse(answer->body, nullptr, false);
  return document.is_object() && document.contains("events") && document["events"].is_array() ? document["events"]
                                                                                              : Json::array();
}

Exit run(const Invocation& invocation) {
  // The same question each time: now one process answers, now the other, and what the first said last may be newer than
  // what matters in the second.
  std::uint64_t before = 0;
  for (const Json& event : events_after(invocation, 0)) before = std::max(before, json_number(event, "id"));
  const Result<ApiAnswer> begun = invocation.api.ask({.method = "POST", .target = "/v1/upgrade"});
  if (const auto exit = report_failure(invocation, begun)) return *exit;
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    for (const Json& event : events_after(invocation, before)) {
      const std::string kind = shown_text(event, "kind");
      if (kind == "upgrade.done") {
        invocation.terminal.out(invocation.json() ? event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"
                                                  : fmt::format("upgraded: {}\n", shown_text(event, "text")));
        return Exit::Done;
      }
      if (kind == "upgrade.failed" || kind == "upgrade.refused") {
        return report_failure(invocation, Exit::Refused, "failed", "not upgraded: " + shown_text(event, "text"));
      }
    }
    invocation.api.pause(pause);
  }
  return report_failure(
      invocation, Exit::Refused, "timed_out",
      fmt::format("nothing was heard of the upgrade for {} s; `ballast events` may tell more", patience.count()));
}

}  // namespace

Command upgrade_command() {
  return {
      .name = "upgrade",
      .summary = "put a newer program in the place of the running one; no connection notices",
      .usage = "",
      .details =
          "After the program's file has been replaced (by a package, by hand). The new process takes the listening\n"
          "sockets, health and counts over; the old one ends when its last connection has, or handover_timeout is\n"
          "over. Where the new one does not come to serve, the old one goes on.\n",
      .example = "ballast upgrade",
      .options = {},
      .run = run};
}

}  // namespace ballast::admin
