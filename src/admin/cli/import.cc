// `ballast import FILE`: another balancer's configuration as ours. The YAML goes to standard output; what could not be
// carried over goes to standard error, a line each, so that the output can be kept with `>`.
#include "admin/import/import.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "admin/cli/commands.h"
#include "admin/cli/outcome.h"
#include "config/load_files.h"

namespace ballast::admin {

namespace {

std::string place(const std::string& asked_for, const Note& note) {
  const std::string& file = note.file.empty() ? asked_for : note.file;
  return note.line == 0 ? file : fmt::format("{}:{}", file, note.line);
}

std::string document(const std::string& file, const Imported& imported) {
  using Json = nlohmann::ordered_json;
  Json notes = Json::array();
  for (const Note& note : imported.notes) {
    notes.push_back({{"file", note.file.empty() ? file : note.file}, {"line", note.line}, {"text", note.text}});
  }
  return Json{{"yaml", imported.yaml}, {"notes", notes}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Exit run(const Invocation& invocation) {
  const std::string& file = invocation.words()[0];
  config::DiskFiles disk;
  const Result<Imported> imported = import_file(file, invocation.arguments.value("--from").value_or(""), disk);
  if (!imported) return report_failure(invocation, Exit::BadInput, "invalid", imported.error().text());
  const Exit exit = imported->yaml.empty() ? Exit::BadInput : Exit::Done;
  if (invocation.json()) {
    invocation.terminal.out(document(file, *imported));
    return exit;
  }
  invocation.terminal.out(imported->yaml);
  for (const Note& note : imported->notes) {
    invocation.terminal.error(printable(fmt::format("{}: {}", place(file, note), note.text)) + "\n");
  }
  if (exit != Exit::Done) {
    invocation.terminal.error(printable(fmt::format("{}: nothing in it could be carried over", file)) + "\n");
  }
  return exit;
}

}  // namespace

Command import_command() {
  return {.name = "import",
          .summary = "print another balancer's configuration as one of ballast",
          .usage = "FILE",
          .details =
              "What could not be carried over is named on standard error, with its line. Exit code 2: nothing "
              "could be.\nThe format is chosen by the file's name or contents.",
          .example = "ballast import /etc/libapache2-mod-jk/workers.properties > tomcats.yaml",
          .options = {{"--from", "FORMAT", "the file's format, where its name does not tell it"}},
          .words_min = 1,
          .words_max = 1,
          .run = run};
}

}  // namespace ballast::admin
