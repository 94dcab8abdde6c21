#include "io/signals.h"

#include <cerrno>
#include <csignal>
#include <utility>

#include <sys/signalfd.h>
#include <unistd.h>

#include "io/loop.h"
#include "io/watcher.h"

namespace ballast::io {

void ignore_broken_pipes() {
  ::signal(SIGPIPE, SIG_IGN);
}

bool ignores_broken_pipes() {
  struct sigaction now{};
  ::sigaction(SIGPIPE, nullptr, &now);
  return now.sa_handler != SIG_DFL;
}

Result<std::unique_ptr<Signals>> Signals::make(Loop& loop, std::initializer_list<int> numbers,
                                               std::function<void(int)> arrived) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) return fail(Error::from_errno(errno, "signalfd"));
  return std::unique_ptr<Signals>(new Signals(loop, fd, std::move(arrived)));
}

Signals::Signals(Loop& loop, int fd, std::function<void(int)> arrived) : fd_(fd), arrived_(std::move(arrived)) {
  watcher_ = std::make_unique<Watcher>(loop, fd_, Interest{.read = true}, [this] { ready(); });
}

Signals::~Signals() {
  watcher_.reset();
  ::close(fd_);
}

void Signals::ready() {
  signalfd_siginfo info{};
  while (::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
    arrived_(static_cast<int>(info.ssi_signo));
}

}  // namespace ballast::io
