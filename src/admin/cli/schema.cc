// `ballast schema`: the JSON Schema of the configuration file, for editors.
#include "admin/cli/commands.h"

namespace ballast::admin {

namespace {

Exit run(const Invocation& invocation) {
  invocation.terminal.out(invocation.configurations.schema());
  return Exit::Done;
}

}  // namespace

Command schema_command() {
  return {.name = "schema",
          .summary = "print the JSON Schema of the configuration file",
          .usage = "",
          .details = "An editor that is given it completes keys and marks errors (see docs/guide/cli.md).",
          .example = "ballast schema > ballast.schema.json",
          .options = {},
          .run = run};
}

}  // namespace ballast::admin
