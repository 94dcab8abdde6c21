#include "io/process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/check.h"
#include "io/loop.h"

namespace ballast::io {
namespace {

enum class Step : int { Descriptors, Group, Limits, Identity, Directory, Execute };

// What a child that could not become the program says through the pipe.
struct Failure {
  Step step;
  int error;
};

struct Prepared {
  const Command& command;
  std::vector<int> passed;  // out of the way, then in their places
  std::vector<char*> arguments;
  std::vector<char*> environment;
  int failure_pipe;
  pid_t parent;
  sigset_t signals_before;
};

// The child, from vfork() to exec(): it runs on the parent's memory, so it only makes system calls and allocates
// nothing.
[[noreturn]] void become(Prepared& prepared) {
  const Command& command = prepared.command;
  // The first number that the child has no use for. Below it what we hold must not lie when the places are filled: 0, 1
  // and 2 are free, and then taken by the pipe, where we were started without them.
  constexpr int passed_from = 3;
  const int free_from = passed_from + static_cast<int>(prepared.passed.size());
  const int failure_pipe = ::fcntl(prepared.failure_pipe, F_DUPFD_CLOEXEC, free_from);
  const auto fail_at = [&](Step step) {
    const Failure failure{step, errno};
    const int pipe = failure_pipe >= 0 ? failure_pipe : prepared.failure_pipe;
    [[maybe_unused]] const ssize_t put = ::write(pipe, &failure, sizeof failure);
    ::_exit(127);
  };
  if (failure_pipe < 0) fail_at(Step::Descriptors);
  // All handlers off before the signals are let in; ignored ones (SIGPIPE) would stay so in the program.
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);

  // First out of the way of 0, 1 and 2, which they may be themselves, then into their places.
  const std::array<int, 3> given{command.standard_input, command.standard_output, command.standard_error};
  std::array<int, 3> moved{};
  for (std::size_t i = 0; i < given.size(); ++i) {
    const int source = given[i] >= 0 ? given[i] : ::open("/dev/null", O_RDWR | O_CLOEXEC);
    moved[i] = ::fcntl(source, F_DUPFD_CLOEXEC, free_from);
    if (moved[i] < 0) fail_at(Step::Descriptors);
  }
  for (int& passed : prepared.passed) {
    passed = ::fcntl(passed, F_DUPFD_CLOEXEC, free_from);
    if (passed < 0) fail_at(Step::Descriptors);
  }
  for (std::size_t i = 0; i < moved.size(); ++i) {
    if (::dup2(moved[i], static_cast<int>(i)) < 0) fail_at(Step::Descriptors);
  }
  for (std::size_t i = 0; i < prepared.passed.size(); ++i) {
    if (::dup2(prepared.passed[i], passed_from + static_cast<int>(i)) < 0) fail_at(Step::Descriptors);
  }
  // Whatever a library opened without O_CLOEXEC; the table of descriptors is the child's own.
  ::syscall(SYS_close_range, static_cast<unsigned>(free_from), ~0U, CLOSE_RANGE_CLOEXEC);

  if (command.group == ProcessGroup::Own && ::setpgid(0, 0) != 0) fail_at(Step::Group);
  for (const ProcessLimit& limit : command.limits) {
    const rlimit value{.rlim_cur = limit.soft, .rlim_max = limit.hard};
    if (::setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &value) != 0) fail_at(Step::Limits);
  }
  if (command.identity.has_value()) {
    // The kernel's own calls: the library's tell every thread of the program whose memory this is.
    const Identity& as = *command.identity;
    if (::syscall(SYS_setgroups, as.groups.size(), as.groups.data()) != 0 ||
        ::syscall(SYS_setresgid, as.group, as.group, as.group) != 0 ||
        ::syscall(SYS_setresuid, as.user, as.user, as.user) != 0) {
      fail_at(Step::Identity);
    }
  }
  // A change of user takes it back, so not before.
  if (command.dies_with_us) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != prepared.parent) ::_exit(127);  // it went before we could ask
  }
  if (!command.working_directory.empty() && ::chdir(command.working_directory.c_str()) != 0) fail_at(Step::Directory);
  ::sigprocmask(SIG_SETMASK, &prepared.signals_before, nullptr);
  char* const* environment = command.environment ? prepared.environment.data() : ::environ;
  ::execvpe(command.program.c_str(), prepared.arguments.data(), environment);
  fail_at(Step::Execute);
  __builtin_unreachable();
}

// In a frame of its own: the child runs in it while the parent's other locals rest in theirs.
[[gnu::noinline]] pid_t start_child(Prepared& prepared) {
  const pid_t id = ::vfork();
  if (id == 0) become(prepared);
  return id;
}

Error error_of(const Command& command, const Failure& failure) {
  std::string what = fmt::format("cannot start {}", command.program);
  switch (failure.step) {
    case Step::Descriptors:
      what += ": arrange its standard descriptors";
      break;
    case Step::Group:
      what += ": make its process group";
      break;
    case Step::Limits:
      what += ": set its resource limits";
      break;
    case Step::Identity:
      what += fmt::format(": become user {}", command.identity->user);
      break;
    case Step::Directory:
      what += fmt::format(": change to directory {}", command.working_directory);
      break;
    case Step::Execute:
      break;
  }
  return Error::from_errno(failure.error, what);
}

std::vector<char*> pointers_to(const std::vector<std::string>& strings, const char* first) {
  std::vector<char*> pointers;
  if (first != nullptr) pointers.push_back(const_cast<char*>(first));
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

constexpr auto pidfd_type = static_cast<idtype_t>(3);  // P_PIDFD, which glibc 2.36 has and older ones have not

}  // namespace

std::string Exit::to_string() const {
  if (signal == 0) return fmt::format("exit code {}", code);
  const char* words = sigdescr_np(signal);
  return fmt::format("killed by signal {} ({})", signal, words != nullptr ? words : "unnamed");
}

Result<Process> Process::spawn(Loop& loop, const Command& command) {
  static const std::vector<std::string> nothing;
  const auto no_start = [&](int error) {
    return fail(Error::from_errno(error, fmt::format("cannot start {}", command.program)));
  };
  std::array<int, 2> pipe{-1, -1};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return no_start(errno);
  Prepared prepared{.command = command,
                    .passed = command.passed,
                    .arguments = pointers_to(command.arguments, command.program.c_str()),
                    .environment = pointers_to(command.environment ? *command.environment : nothing, nullptr),
                    .failure_pipe = pipe[1],
                    .parent = ::getpid(),
                    .signals_before = {}};
  // The child lets all signals in; until its exec it must not run our handlers on our memory.
  sigset_t all;
  sigset_t ours;
  sigfillset(&all);
  sigemptyset(&prepared.signals_before);
  pthread_sigmask(SIG_SETMASK, &all, &ours);
  const pid_t id = start_child(prepared);
  const int start_error = errno;
  pthread_sigmask(SIG_SETMASK, &ours, nullptr);
  ::close(pipe[1]);
  if (id < 0) {
    ::close(pipe[0]);
    return no_start(start_error);
  }

  Failure failure{};
  ssize_t got = 0;
  do got = ::read(pipe[0], &failure, sizeof failure);
  while (got < 0 && errno == EINTR);
  ::close(pipe[0]);
  const auto reap_now = [&] {
    while (::waitpid(id, nullptr, 0) < 0 && errno == EINTR) continue;
  };
  if (got == static_cast<ssize_t>(sizeof failure)) {
    reap_now();
    return fail(error_of(command, failure));
  }
  // Not reaped yet, so the number is still its own.
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, id, 0U));
  if (pidfd < 0) {
    const int error = errno;
    ::kill(id, SIGKILL);
    reap_now();
    return no_start(error);
  }
  return Process(Descriptor(loop, pidfd), id, command.group);
}

Result<Process> Process::take_over(Loop& loop, pid_t id, ProcessGroup group) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, id, 0U));
  if (pidfd < 0) return fail(Error::from_errno(errno, fmt::format("take over process {}", id)));
  return Process(Descriptor(loop, pidfd), id, group);
}

Process::Process(Process&& other) noexcept
    : descriptor_(std::move(other.descriptor_)), id_(other.id_), group_(other.group_), exit_(other.exit_) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    abandon();
    descriptor_ = std::move(other.descriptor_);
    id_ = other.id_;
    group_ = other.group_;
    exit_ = other.exit_;
  }
  return *this;
}

bool Process::reap() {
  if (exit_) return true;
  siginfo_t info{};
  const auto fd = static_cast<id_t>(descriptor_.fd());
  if (::waitid(pidfd_type, fd, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return false;
  // While the leader is a zombie its number cannot name another group.
  if (group_ == ProcessGroup::Own) ::kill(-id_, SIGKILL);
  CHECK(::waitid(pidfd_type, fd, &info, WEXITED | WNOHANG) == 0);
  exit_ = info.si_code == CLD_EXITED ? Exit{.code = info.si_status, .signal = 0}
                                     : Exit{.code = 0, .signal = info.si_status};
  return true;
}

Task<Result<Exit>> Process::wait(Deadline deadline) {
  while (!reap()) {
    descriptor_.not_readable();
    const Wake wake = co_await descriptor_.readable(deadline);
    if (wake != Wake::Event) {
      const char* words = wake == Wake::Deadline ? "it still runs at the deadline" : "cancelled";
      co_return fail(wake == Wake::Deadline ? Code::TimedOut : Code::Cancelled,
                     fmt::format("wait for process {}: {}", id_, words));
    }
  }
  co_return *exit_;
}

Result<> Process::signal(int number) {
  const auto what = [&] { return fmt::format("send signal {} to process {}", number, id_); };
  if (exit_) return fail(Code::NotFound, fmt::format("{}: it has ended ({})", what(), exit_->to_string()));
  if (::syscall(SYS_pidfd_send_signal, descriptor_.fd(), number, nullptr, 0U) != 0) {
    return fail(errno == ESRCH ? Error(Code::NotFound, fmt::format("{}: it has ended", what()))
                               : Error::from_errno(errno, what()));
  }
  return {};
}

Result<> Process::signal_group(int number) {
  CHECK(group_ == ProcessGroup::Own);
  const auto what = [&] { return fmt::format("send signal {} to process group {}", number, id_); };
  if (exit_) return fail(Code::NotFound, fmt::format("{}: it has ended ({})", what(), exit_->to_string()));
  if (::kill(-id_, number) != 0) return fail(Error::from_errno(errno, what()));
  return {};
}

void Process::abandon() {
  if (!descriptor_.is_open()) return;
  if (!reap()) {
    ::syscall(SYS_pidfd_send_signal, descriptor_.fd(), SIGKILL, nullptr, 0U);
    // A kill takes effect at once, but for a process that hangs in a disk; that one is left to whoever adopts it.
    constexpr int patience_ms = 200;
    pollfd one{.fd = descriptor_.fd(), .events = POLLIN, .revents = 0};
    ::poll(&one, 1, patience_ms);
    reap();
  }
  descriptor_.close();
}

}  // namespace ballast::io
