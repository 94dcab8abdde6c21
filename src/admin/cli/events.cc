// `ballast events`: what happened, oldest first; with --follow as it happens.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/cli/commands.h"
#include "admin/cli/document.h"
#include "admin/cli/outcome.h"
#include "config/units.h"

namespace ballast::admin {

namespace {

using Json = nlohmann::json;

// Longer than most pauses between events, shorter than what a person would take for a hang after the server has gone.
constexpr std::chrono::seconds follow_wait{20};

std::string line(const Invocation& invocation, const Json& event) {
  // "2026-11-21T10:00:00.000Z" reads better with a blank and without the thousandths.
  std::string at = shown_text(event, "at");
  if (at.size() == 24) at = at.substr(0, 10) + " " + at.substr(11, 8) + "Z";
  return fmt::format("{}  {}  {}  {}\n", invocation.terminal.paint(at, Colour::Faint), shown_text(event, "kind"),
                     invocation.terminal.paint(shown_text(event, "subject"), Colour::Strong),
                     shown_text(event, "text"));
}

Exit run(const Invocation& invocation) {
  std::uint64_t after = 0;
  if (const auto given = invocation.arguments.value("--after")) {
    const Result<std::int64_t> id = config::parse_integer(*given);
    if (!id || *id < 0) {
      return report_failure(invocation, Exit::BadInput, "invalid",
                            fmt::format("--after {}: not the id of an event (a whole number)", *given));
    }
    after = static_cast<std::uint64_t>(*id);
  }
  const bool follow = invocation.arguments.has("--follow");
  bool first = true;
  while (true) {
    ApiQuestion question{.target = fmt::format("/v1/events?after={}", after)};
    if (!first) {
      question.target += fmt::format("&wait={}", follow_wait.count());
      question.timeout += follow_wait;
    }
    first = false;
    const Result<ApiAnswer> answer = invocation.api.ask(question);
    if (const auto exit = report_failure(invocation, answer)) return *exit;
    const Json document = Json::parse(answer->body, nullptr, false);
    if (!document.is_object() || !document.contains("events") || !document["events"].is_array()) {
      return report_misunderstanding(invocation);
    }
    if (invocation.json() && !follow) {
      invocation.terminal.out(answer->body);
      return Exit::Done;
    }
    std::string lines;
    for (const Json& event : document["events"]) {
      lines += invocation.json() ? event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"
                                 : line(invocation, event);
      const auto id = event.find("id");
      if (id != event.end() && id->is_number_unsigned()) after = std::max(after, id->get<std::uint64_t>());
    }
    if (!lines.empty()) invocation.terminal.out(lines);
    if (!follow) return Exit::Done;
  }
}

}  // namespace

Command events_command() {
  return {.name = "events",
          .summary = "what happened: state changes, applied configurations, and why",
          .usage = "",
          .details = "The last 1,000 are kept. With --follow and --json each event is one line of JSON.",
          .example = "ballast events --follow",
          .options = {{"--follow", "", "go on with new ones as they happen, until interrupted"},
                      {"--after", "ID", "only those after the event with this id"}},
          .run = run};
}

}  // namespace ballast::admin
