// `ballast completion bash`: a completion script, made of the table of commands.
#include <fmt/format.h>

#include "admin/cli/commands.h"
#include "admin/cli/outcome.h"

namespace ballast::admin {

namespace {

Exit run(const Invocation& invocation) {
  if (invocation.words()[0] != "bash") {
    return report_failure(invocation, Exit::BadInput, "invalid", "there is a completion for bash only");
  }
  std::string names;
  std::string cases;
  for (const Command& command : invocation.commands) {
    names += fmt::format("{}{}", names.empty() ? "" : " ", command.name);
    std::string options;
    for (const Option& option : command.options) options += fmt::format("{} ", option.name);
    for (const Option& option : common_options()) options += fmt::format("{} ", option.name);
    if (command.name == "target") options += "drain enable weight ";
    if (command.name == "completion") options += "bash ";
    options.pop_back();
    cases += fmt::format("    {}) words=\"{}\" ;;\n", command.name, options);
  }
  invocation.terminal.out(fmt::format(R"(_ballast() {{
  local words
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{}" -- "${{COMP_WORDS[1]}}"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{}    *) return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _ballast ballast
)",
                                      names, cases));
  return Exit::Done;
}

}  // namespace

Command completion_command() {
  return {.name = "completion",
          .summary = "print a script that makes a shell complete commands and options",
          .usage = "bash",
          .details = "",
          .example = "ballast completion bash > /etc/bash_completion.d/ballast",
          .options = {},
          .words_min = 1,
          .words_max = 1,
          .run = run};
}

}  // namespace ballast::admin
