// `ballast check FILE`: is the file right? All errors at once, without asking the running ballast.
#include <fmt/format.h>

#include "admin/api/documents.h"
#include "admin/cli/commands.h"
#include "admin/cli/outcome.h"

namespace ballast::admin {

namespace {

Exit run(const Invocation& invocation) {
  const std::string& file = invocation.words()[0];
  const Reading reading = invocation.configurations.read_file(file);
  if (!reading.settings) {
    if (!invocation.json()) return report_failure(invocation, Exit::BadInput, "", reading.text);
    invocation.terminal.out(findings_document(reading.text, reading.findings));
    return Exit::BadInput;
  }
  const config::Settings& settings = *reading.settings;
  if (invocation.json()) {
    invocation.terminal.out(valid_document(reading.findings));
  } else {
    if (!reading.text.empty()) report_failure(invocation, Exit::Done, "", reading.text);
    invocation.terminal.out(fmt::format("{}: valid; {} listeners, {} target groups\n", printable(file),
                                        settings.listeners.size(), settings.target_groups.size()));
  }
  return Exit::Done;
}

}  // namespace

Command check_command() {
  return {
      .name = "check",
      .summary = "say whether a configuration file is right, with all its errors",
      .usage = "FILE",
      .details = "Reads the file and what it includes; asks nothing of the running ballast. Exit code 2: not right.",
      .example = "ballast check /etc/ballast/ballast.yaml",
      .options = {},
      .words_min = 1,
      .words_max = 1,
      .run = run};
}

}  // namespace ballast::admin
