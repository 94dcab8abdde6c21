// run_cli: `ballast COMMAND ...` from its words to its exit code. Called by main, on its one thread, before any other
// exists.
//
// The commands that are clients of a running ballast live here; those that need more than admin/ (up) are handed in by
// app/.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admin/cli/command.h"
#include "config/kind.h"

namespace ballast::admin {

// What main gives.
struct Program {
  std::string_view version;
  std::vector<Command> extra_commands = {};  // shown first in the help
  config::RegexCheck regex_check = {};       // traffic/route's, for `check`
  config::KeySetCheck key_set_check = {};    // traffic/auth's, likewise
};

// `arguments` without the program's own name. Returns the exit code (see Exit).
int run_cli(std::span<const std::string> arguments, Program program);

// The same with its outside world replaced, for tests.
struct Surroundings {
  const Terminal& terminal;
  const ConfigSource& configurations;
  std::function<std::unique_ptr<ApiClient>(std::string socket_path)> connect;
  std::string socket_path;  // where --socket is not given
};
Exit run_command(std::span<const std::string> arguments, const Program& program, const Surroundings& surroundings);

}  // namespace ballast::admin
