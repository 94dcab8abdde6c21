// `ballast history [ID]`, `ballast rollback --config ID`, `ballast confirm`: changes that were made, and what becomes
// of them.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/api/request.h"
#include "admin/cli/ask.h"
#include "admin/cli/change.h"
#include "admin/cli/commands.h"
#include "admin/cli/document.h"
#include "admin/cli/outcome.h"
#include "admin/cli/table.h"
#include "config/units.h"

namespace ballast::admin {

namespace {

using Json = nlohmann::json;

std::string waiting(const Json& document) {
  const auto waits = document.find("unconfirmed");
  if (waits == document.end() || !waits->is_object()) return {};
  return fmt::format("change {} waits to be confirmed until {}: `ballast confirm`, or {} comes into force again\n",
                     json_number(*waits, "entry"), shown_time(*waits, "until"), json_number(*waits, "back_to"));
}

Exit show_list(const Invocation& invocation, const Json& document) {
  if (!document.contains("entries") || !document["entries"].is_array()) return report_misunderstanding(invocation);
  if (document["entries"].empty()) {
    invocation.terminal.out("no change is kept\n");
    return Exit::Done;
  }
  Table table({{"ID", Align::Right}, {"WHEN"}, {"WHO"}, {"WHAT"}, {"HOW IT WENT"}});
  for (const Json& entry : document["entries"]) {
    const bool done = json_flag(entry, "done");
    // What one can go back to is marked: its number is what `rollback` wants.
    const bool stands = done && json_flag(entry, "has_configuration");
    table.row(
        {{fmt::format("{}{}", stands ? "*" : "", json_number(entry, "id")), stands ? Colour::Strong : Colour::Plain},
         {shown_time(entry, "at"), Colour::Faint},
         {shown_text(entry, "user")},
         {fmt::format("{} {}", shown_text(entry, "kind"), shown_text(entry, "subject"))},
         {done ? shown_text(entry, "text") : "refused: " + shown_text(entry, "text"),
          done ? Colour::Plain : Colour::Bad}});
  }
  invocation.terminal.out(table.render(invocation.terminal, 0));
  invocation.terminal.out("* has a configuration: `ballast rollback --config ID` goes back to it\n" +
                          waiting(document));
  return Exit::Done;
}

Exit show_entry(const Invocation& invocation, const Json& document) {
  if (!document.contains("entry") || !document["entry"].is_object()) return report_misunderstanding(invocation);
  const Json& entry = document["entry"];
  const auto configuration = document.find("configuration");
  const bool has_text = configuration != document.end() && configuration->is_string();
  if (invocation.arguments.has("--config")) {
    if (!has_text) {
      return report_failure(invocation, Exit::Refused, "not_found",
                            fmt::format("change {} has no configuration", json_number(entry, "id")));
    }
    invocation.terminal.out(configuration->get<std::string>());
    return Exit::Done;
  }
  std::string lines = fmt::format("change {}: {} {}\n", json_number(entry, "id"), shown_text(entry, "kind"),
                                  shown_text(entry, "subject"));
  lines += fmt::format("  by          {} ({})\n  at          {}\n", shown_text(entry, "user"), shown_text(entry, "way"),
                       shown_time(entry, "at"));
  lines += fmt::format("  {}     {}\n", json_flag(entry, "done") ? "done   " : "refused", shown_text(entry, "text"));
  if (const std::uint64_t generation = json_number(entry, "generation"); generation != 0) {
    lines += fmt::format("  generation  {}\n", generation);
  }
  if (const auto changes = entry.find("changes"); changes != entry.end() && changes->is_array()) {
    for (const Json& change : *changes) {
      std::string words = shown_text(change, "text");
      if (const std::string path = shown_text(change, "path"); !words.starts_with(path)) words = path + ": " + words;
      lines +=
          fmt::format("  {}{}\n", words, json_flag(change, "needs_restart") ? " (takes effect at the next start)" : "");
    }
  }
  if (has_text) {
    lines +=
        fmt::format("`ballast history {0} --config` prints its file, `ballast rollback --config {0}` goes back to it\n",
                    json_number(entry, "id"));
  }
  invocation.terminal.out(lines);
  return Exit::Done;
}

Result<std::uint64_t> id_of(std::string_view word) {
  const Result<std::int64_t> id = config::parse_integer(word);
  if (!id || *id < 1)
    return fail(Code::Invalid, fmt::format("{}: not the id of a change (ballast history shows them)", word));
  return static_cast<std::uint64_t>(*id);
}

Exit run_history(const Invocation& invocation) {
  std::string target = "/v1/history";
  const bool one = !invocation.words().empty();
  if (one) {
    const Result<std::uint64_t> id = id_of(invocation.words()[0]);
    if (!id) return report_failure(invocation, Exit::BadInput, "invalid", id.error().text());
    target += fmt::format("/{}", *id);
  } else {
    if (invocation.arguments.has("--config")) {
      return report_failure(invocation, Exit::BadInput, "invalid",
                            "--config needs the id of a change: ballast history 12 --config");
    }
    target += fmt::format("?limit={}", percent_encode(invocation.arguments.value("--limit").value_or("20")));
    if (const auto before = invocation.arguments.value("--before")) target += "&before=" + percent_encode(*before);
  }
  const Result<ApiAnswer> answer = invocation.api.ask({.target = target});
  if (const auto exit = report_failure(invocation, answer)) return *exit;
  if (invocation.json()) {
    invocation.terminal.out(answer->body);
    return Exit::Done;
  }
  const Json document = Json::parse(answer->body, nullptr, false);
  if (!document.is_object()) return report_misunderstanding(invocation);
  return one ? show_entry(invocation, document) : show_list(invocation, document);
}

Exit run_rollback(const Invocation& invocation) {
  const auto wanted = invocation.arguments.value("--config");
  if (!wanted) {
    return report_failure(
        invocation, Exit::BadInput, "invalid",
        "say to which configuration: ballast rollback --config ID (ballast history marks them with *)");
  }
  const Result<std::uint64_t> id = id_of(*wanted);
  if (!id) return report_failure(invocation, Exit::BadInput, "invalid", "--config " + id.error().text());
  return report_changes(
      invocation,
      ask_for_change(invocation, {.method = "POST",
                                  .target = fmt::format("/v1/rollback/{}{}", *id, confirm_query(invocation, '?'))}),
      Applied::Yes);
}

Exit run_confirm(const Invocation& invocation) {
  const Result<ApiAnswer> answer = ask_for_change(invocation, {.method = "POST", .target = "/v1/confirm"});
  if (const auto exit = report_failure(invocation, answer)) return *exit;
  return report_done(invocation, *answer, "confirmed: the change stays");
}

}  // namespace

Command history_command() {
  return {.name = "history",
          .summary = "the changes that were made: who, when, what became different",
          .usage = "[ID]",
          .details = "With an id: that change whole, with what became different in words.\n",
          .example = "ballast history\nballast history 12\nballast history 12 --config >as-it-was.yaml",
          .options = {{"--config", "", "of one change: only the text of its configuration file"},
                      {"--limit", "N", "so many of the newest (20)"},
                      {"--before", "ID", "only older ones"}},
          .words_min = 0,
          .words_max = 1,
          .run = run_history};
}

Command rollback_command() {
  return {.name = "rollback",
          .summary = "go back to a configuration of the history",
          .usage = "",
          .details =
              "As apply, with the files as they were then. Files that a configuration only names (certificates, users) "
              "are\n"
              "read as they are now. The file that ballast was started with is not changed: a restart reads that.\n",
          .example = "ballast rollback --config 11",
          .options = {{"--config", "ID", "the change whose configuration is to be in force again"}, confirm_option()},
          .run = run_rollback};
}

Command confirm_command() {
  return {.name = "confirm",
          .summary = "keep a change that was made with --confirm",
          .usage = "",
          .details = "",
          .example = "ballast apply new.yaml --confirm 60s && curl -f https://site/ && ballast confirm",
          .options = {},
          .run = run_confirm};
}

}  // namespace ballast::admin
