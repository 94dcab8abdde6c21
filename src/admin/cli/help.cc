// `ballast help [COMMAND]` and the text of --help.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "admin/cli/commands.h"
#include "admin/cli/outcome.h"
#include "config/words.h"

namespace ballast::admin {

namespace {

constexpr std::array shared{
    Option{"--socket", "PATH", "admin socket of the running ballast ($BALLAST_SOCKET, /run/ballast/admin.sock)"},
    Option{"--json", "", "answer in JSON"},
    Option{"--help", "", "this text"},
};

std::string option_lines(std::span<const Option> options) {
  std::string out;
  for (const Option& option : options) {
    out += fmt::format("  {:<20}  {}\n", fmt::format("{} {}", option.name, option.value), option.help);
  }
  return out;
}

Exit run(const Invocation& invocation) {
  if (invocation.words().empty()) {
    invocation.terminal.out(help_page(invocation.commands));
    return Exit::Done;
  }
  const std::string& name = invocation.words()[0];
  const auto command = std::ranges::find(invocation.commands, name, &Command::name);
  if (command == invocation.commands.end()) {
    std::vector<std::string> known;
    for (const Command& c : invocation.commands) known.emplace_back(c.name);
    return report_failure(invocation, Exit::BadInput, "invalid",
                          fmt::format("no command {}{}", config::quote(name), config::did_you_mean(name, known)));
  }
  invocation.terminal.out(help_page(*command));
  return Exit::Done;
}

}  // namespace

std::span<const Option> common_options() {
  return shared;
}

std::string help_page(std::span<const Command> commands) {
  std::string out = "Ballast keeps a small team's service up.\n\nusage: ballast COMMAND ...\n\n";
  for (const Command& command : commands) out += fmt::format("  {:<12}  {}\n", command.name, command.summary);
  out += "\noptions of every command:\n" + option_lines(shared);
  out +=
      "\nexit codes: 0 done, 1 refused or failed, 2 bad configuration or command line, 3 no running ballast reached\n"
      "`ballast COMMAND --help` tells more, with an example.\n";
  return out;
}

std::string help_page(const Command& command) {
  std::string out = fmt::format("{}\n\nusage: ballast {}{}{}\n", command.summary, command.name,
                                command.usage.empty() ? "" : " ", command.usage);
  if (!command.details.empty()) out += fmt::format("\n{}\n", command.details);
  out += "\noptions:\n" + option_lines(command.options) + option_lines(shared);
  out += fmt::format("\nexample:\n  {}\n", command.example);
  return out;
}

Command help_command() {
  return {.name = "help",
          .summary = "this list, or what one command does",
          .usage = "[COMMAND]",
          .details = "",
          .example = "ballast help target",
          .options = {},
          .words_min = 0,
          .words_max = 1,
          .run = run};
}

}  // namespace ballast::admin
