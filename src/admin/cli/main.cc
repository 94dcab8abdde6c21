// run_cli: run_command() in the real world: standard output, the environment, the Unix socket.
#include <cstdio>
#include <cstdlib>

#include "admin/api/file_config_source.h"
#include "admin/cli/run.h"
#include "admin/cli/socket_client.h"
#include "io/machine.h"

namespace ballast::admin {

namespace {

void write(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

std::string environment(const char* name, std::string_view otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::string(value) : std::string(otherwise);
}

}  // namespace

int run_cli(std::span<const std::string> arguments, Program program) {
  Terminal terminal;
  terminal.out = [](std::string_view text) { write(stdout, text); };
  terminal.error = [](std::string_view text) { write(stderr, text); };
  terminal.width_columns = io::terminal_columns();
  terminal.colours =
      terminal.width_columns > 0 && environment("NO_COLOR", "").empty() && environment("TERM", "") != "dumb";
  terminal.now = [] { return std::chrono::system_clock::now(); };
  terminal.folder = io::working_directory();
  const FileConfigSource configurations(program.regex_check, program.key_set_check);
  const Surroundings surroundings{
      terminal, configurations,
      [](std::string socket_path) { return std::make_unique<SocketClient>(std::move(socket_path)); },
      environment("BALLAST_SOCKET", "/run/ballast/admin.sock")};
  return static_cast<int>(run_command(arguments, program, surroundings));
}

}  // namespace ballast::admin
