#include "io/capture.h"

#include <array>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "io/loop.h"
#include "io/stream.h"

namespace ballast::io {
namespace {

enum class ReadEnd { Ended, Late, Cancelled };

// Reads until the last writer has closed.
Task<ReadEnd> read_all(Descriptor& from, std::string& output, CaptureLimits limits) {
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t got = ::read(from.fd(), buffer.data(), buffer.size());
    if (got > 0) {
      const std::size_t room = limits.output_bytes_max - output.size();
      output.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
      // A flood must not outlast the deadline.
      if (!limits.deadline.passed(from.loop().fresh_now())) continue;
      co_return ReadEnd::Late;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got == 0 || errno != EAGAIN) co_return ReadEnd::Ended;
    from.not_readable();
    const Wake wake = co_await from.readable(limits.deadline);
    if (wake != Wake::Event) co_return wake == Wake::Deadline ? ReadEnd::Late : ReadEnd::Cancelled;
  }
}

}  // namespace

Task<Result<Captured>> run_command(Loop& loop, Command command, CaptureLimits limits) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) co_return fail(Error::from_errno(errno, "open a pipe"));
  Descriptor output(loop, ends[0]);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  command.standard_output = ends[1];
  command.standard_error = ends[1];
  command.group = ProcessGroup::Own;
  Result<Process> process = Process::spawn(loop, command);
  ::close(ends[1]);
  if (!process) co_return fail(std::move(process.error()));

  Captured captured;
  const ReadEnd read = co_await read_all(output, captured.output, limits);
  // One that closed its output may still run; one whose child holds it open has until the deadline.
  Result<Exit> exit = co_await process->wait(read == ReadEnd::Ended ? limits.deadline : Deadline::at(loop.now()));
  if (!exit) {
    if (exit.error().code() == Code::Cancelled) co_return fail(std::move(exit.error()));  // its destructor kills it
    captured.timed_out = true;
    [[maybe_unused]] const Result<> killed = process->signal_group(SIGKILL);
    constexpr auto reap_time_max = std::chrono::seconds(1);
    exit = co_await process->wait(loop.after(reap_time_max));
    if (!exit) co_return fail(std::move(exit.error()));
  }
  captured.exit = *exit;
  captured.timed_out = captured.timed_out || read == ReadEnd::Late;
  co_return captured;
}

}  // namespace ballast::io
