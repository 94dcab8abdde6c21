// `ballast plan FILE`, `ballast apply FILE`, `ballast reload`: what a file would change, and changing it.
//
// The file's path is sent, not its text: the server reads it, so that includes and relative paths mean to it what they
// will mean at its next start.
#include "admin/cli/change.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/api/request.h"
#include "admin/cli/ask.h"
#include "admin/cli/commands.h"
#include "admin/cli/document.h"
#include "admin/cli/outcome.h"

namespace ballast::admin {

namespace {

using Json = nlohmann::json;

std::string path_document(const Invocation& invocation, const std::string& file) {
  const std::string path = file.starts_with('/') ? file : invocation.terminal.folder + "/" + file;
  return Json{{"path", path}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string change_lines(const Invocation& invocation, const Json& changes) {
  std::string lines;
  for (const Json& change : changes) {
    const std::string path = shown_text(change, "path");
    std::string words = shown_text(change, "text");
    // The words may name the path themselves.
    if (!words.starts_with(path)) words = path + ": " + words;
    lines += "  " + words;
    const auto restart = change.find("needs_restart");
    if (restart != change.end() && restart->is_boolean() && restart->get<bool>()) {
      lines += " " + invocation.terminal.paint("(takes effect at the next start)", Colour::Warning);
    }
    lines += "\n";
  }
  return lines;
}

Exit run_plan(const Invocation& invocation) {
  return report_changes(invocation,
                        invocation.api.ask({.method = "POST",
                                            .target = "/v1/plan",
                                            .content_type = "application/json",
                                            .body = path_document(invocation, invocation.words()[0])}),
                        Applied::No);
}

Exit run_apply(const Invocation& invocation) {
  if (invocation.arguments.has("--dry-run")) return run_plan(invocation);
  return report_changes(invocation,
                        ask_for_change(invocation, {.method = "POST",
                                                    .target = "/v1/apply" + confirm_query(invocation, '?'),
                                                    .content_type = "application/json",
                                                    .body = path_document(invocation, invocation.words()[0])}),
                        Applied::Yes);
}

Exit run_reload(const Invocation& invocation) {
  return report_changes(
      invocation,
      ask_for_change(invocation, {.method = "POST", .target = "/v1/reload" + confirm_query(invocation, '?')}),
      Applied::Yes);
}

}  // namespace

Exit report_changes(const Invocation& invocation, const Result<ApiAnswer>& answer, Applied applied) {
  if (const auto exit = report_failure(invocation, answer)) return *exit;
  if (invocation.json()) {
    invocation.terminal.out(answer->body);
    return Exit::Done;
  }
  const Json document = Json::parse(answer->body, nullptr, false);
  if (!document.is_object() || !document.contains("changes") || !document["changes"].is_array()) {
    return report_misunderstanding(invocation);
  }
  const Json& changes = document["changes"];
  std::string heading;
  if (applied == Applied::No) {
    heading = changes.empty() ? "nothing would change" : fmt::format("{} would change:", changes.size());
  } else {
    const auto generation = document.find("generation");
    const std::uint64_t number =
        generation != document.end() && generation->is_number_unsigned() ? generation->get<std::uint64_t>() : 0;
    heading = changes.empty() ? fmt::format("nothing changed; generation {} runs", number)
                              : fmt::format("generation {} runs; {} changed:", number, changes.size());
    if (const auto within = invocation.arguments.value("--confirm")) {
      heading += fmt::format("\n{} (`ballast confirm` within {}, or it is taken back)",
                             invocation.terminal.paint("to be confirmed", Colour::Warning), printable(*within));
    }
  }
  invocation.terminal.out(heading + "\n" + change_lines(invocation, changes));
  return Exit::Done;
}

Option confirm_option() {
  return {"--confirm", "TIME", "take the change back unless `ballast confirm` comes within that time (60s, 5m)"};
}

std::string confirm_query(const Invocation& invocation, char joint) {
  const auto within = invocation.arguments.value("--confirm");
  return within ? fmt::format("{}confirm={}", joint, percent_encode(*within)) : std::string();
}

Command plan_command() {
  return {.name = "plan",
          .summary = "what applying a file would change",
          .usage = "FILE",
          .details = "Changes nothing. The running ballast reads the file itself, so it must be able to.",
          .example = "ballast plan new.yaml",
          .options = {},
          .words_min = 1,
          .words_max = 1,
          .run = run_plan};
}

Command apply_command() {
  return {
      .name = "apply",
      .summary = "change the running configuration to a file's, without touching connections",
      .usage = "FILE",
      .details =
          "All or nothing: when something in it cannot be, nothing has changed. `ballast history` tells of it "
          "afterwards.\n",
      .example = "ballast apply new.yaml\nballast apply new.yaml --confirm 60s",
      .options = {{"--dry-run", "", "change nothing and say what would change, as `ballast plan`"}, confirm_option()},
      .words_min = 1,
      .words_max = 1,
      .run = run_apply};
}

Command reload_command() {
  return {.name = "reload",
          .summary = "apply the running ballast's own file again, as SIGHUP does",
          .usage = "",
          .details = "",
          .example = "ballast reload",
          .options = {confirm_option()},
          .run = run_reload};
}

}  // namespace ballast::admin
