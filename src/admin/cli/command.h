// Command: one word of `ballast WORD ...`: its texts, its options and what it does. All of them stand in one table
// (run.cc); those that live above admin/ (up) are handed to run_cli() in the same form.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admin/api/config_source.h"
#include "admin/cli/arguments.h"
#include "admin/cli/client.h"
#include "admin/cli/terminal.h"

namespace ballast::admin {

enum class Exit : int {
  Done = 0,
  Refused = 1,      // asked, and it said no; or it failed
  BadInput = 2,     // a configuration or a command line that cannot be
  Unreachable = 3,  // no running ballast behind the socket
};

// What a running command has.
struct Invocation {
  const Arguments& arguments;
  const Terminal& terminal;
  ApiClient& api;
  const ConfigSource& configurations;
  std::span<const struct Command> commands;
  std::string_view version;  // of this program, not of the running one

  bool json() const { return arguments.has("--json"); }
  const std::vector<std::string>& words() const { return arguments.words(); }
};

struct Command {
  std::string_view name;
  std::string_view summary;  // one line of `ballast help`
  std::string_view usage;    // behind the name: "GROUP ADDRESS [N]"
  std::string_view details;  // some lines, may be empty
  std::string_view example;  // whole lines as a person types them
  std::vector<Option> options;
  std::size_t words_min = 0;
  std::size_t words_max = 0;
  std::function<Exit(const Invocation&)> run;
};

}  // namespace ballast::admin
