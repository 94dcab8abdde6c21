#include "admin/cli/run.h"

#include <algorithm>

#include <fmt/format.h>

#include "admin/cli/commands.h"
#include "config/words.h"

namespace ballast::admin {

namespace {

std::vector<Command> all_commands(const Program& program) {
  std::vector<Command> commands = program.extra_commands;
  for (Command (*make)() :
       {status_command, events_command, explain_command, check_command, import_command, plan_command, apply_command,
        reload_command, history_command, rollback_command, confirm_command, upgrade_command, target_command,
        maintenance_command, schema_command, version_command, whoami_command, completion_command, help_command}) {
    commands.push_back(make());
  }
  return commands;
}

Exit refuse(const Terminal& terminal, std::string_view text) {
  terminal.error(fmt::format("ballast: {}\n", printable(text)));
  return Exit::BadInput;
}

}  // namespace

Exit run_command(std::span<const std::string> arguments, const Program& program, const Surroundings& surroundings) {
  const Terminal& terminal = surroundings.terminal;
  const std::vector<Command> commands = all_commands(program);
  if (arguments.empty()) {
    terminal.error(help_page(commands));
    return Exit::BadInput;
  }
  std::string name = arguments[0];
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version" || name == "-V") name = "version";
  const auto command = std::ranges::find(commands, name, &Command::name);
  if (command == commands.end()) {
    std::vector<std::string> known;
    for (const Command& c : commands) known.emplace_back(c.name);
    return refuse(terminal, fmt::format("no command {}{} (`ballast help` lists them)", config::quote(name),
                                        config::did_you_mean(name, known)));
  }

  std::vector<Option> options = command->options;
  options.insert(options.end(), common_options().begin(), common_options().end());
  const Result<Arguments> parsed = Arguments::parse(arguments.subspan(1), options);
  if (!parsed) {
    return refuse(terminal, fmt::format("{}: {} (`ballast {} --help` tells more)", name, parsed.error().text(), name));
  }
  if (parsed->has("--help")) {
    terminal.out(help_page(*command));
    return Exit::Done;
  }
  const std::size_t words = parsed->words().size();
  if (words < command->words_min || words > command->words_max) {
    return refuse(terminal, fmt::format("usage: ballast {}{}{}; `ballast {} --help` tells more", name,
                                        command->usage.empty() ? "" : " ", command->usage, name));
  }
  const std::unique_ptr<ApiClient> api =
      surroundings.connect(parsed->value("--socket").value_or(surroundings.socket_path));
  return command->run({*parsed, terminal, *api, surroundings.configurations, commands, program.version});
}

}  // namespace ballast::admin
