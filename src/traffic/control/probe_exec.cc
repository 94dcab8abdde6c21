#include <algorithm>

#include <fmt/format.h>

#include "io/capture.h"
#include "io/system.h"
#include "traffic/control/probe_parts.h"

namespace ballast::traffic {
namespace {

// The first line of what it printed, for the operator.
std::string first_line(const std::string& output) {
  constexpr std::size_t enough = 200;
  std::string line = output.substr(0, std::min(output.find('\n'), enough));
  std::replace_if(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  return line.empty() ? std::string() : ": " + line;
}

}  // namespace

io::Task<ProbeResult> probe_exec(io::Loop& loop, const config::HealthCheck& check, const ProbeTarget& target,
                                 io::Deadline deadline) {
  const std::string& program = check.command.front();
  io::Command command{.program = program, .arguments = {check.command.begin() + 1, check.command.end()}};
  // Nothing else of ours: what is in our environment may be secret.
  command.environment = {{fmt::format("PATH={}", io::environment("PATH").value_or("/usr/bin:/bin")),
                          fmt::format("BALLAST_TARGET={}", target.address.to_string()),
                          fmt::format("BALLAST_TARGET_HOST={}", target.address.host()),
                          fmt::format("BALLAST_TARGET_PORT={}", target.address.port())}};
  const Result<io::Captured> ran =
      co_await io::run_command(loop, std::move(command), {.output_bytes_max = 4 * kib, .deadline = deadline});
  using model::TargetReason;
  if (!ran) co_return probe_failed(TargetReason::CommandFailed, ran.error().text());
  const std::string said = first_line(ran->output);
  if (ran->timed_out) {
    co_return probe_failed(TargetReason::TimedOut, fmt::format("{} still ran after {} ms and was killed{}", program,
                                                               check.timeout.count(), said));
  }
  if (!ran->exit.is_success()) {
    co_return probe_failed(TargetReason::CommandFailed, fmt::format("{}: {}{}", program, ran->exit.to_string(), said));
  }
  co_return probe_passed(fmt::format("{}: exit code 0{}", program, said));
}

}  // namespace ballast::traffic
