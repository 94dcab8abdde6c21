#include "io/acceptor.h"

#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "io/loop.h"

namespace ballast::io {

Acceptor::Acceptor(Loop& loop, int listening_fd, Accepted accepted, Exhausted exhausted)
    : loop_(loop), fd_(listening_fd), accepted_(std::move(accepted)), exhausted_(std::move(exhausted)) {
  watch();
}

void Acceptor::watch() {
  watcher_ = std::make_unique<Watcher>(loop_, fd_, Interest{.read = true, .exclusive = true}, [this] { ready(); });
}

void Acceptor::ready() {
  for (int i = 0; i < batch_max && take_one(); ++i) {
  }
}

void Acceptor::take_waiting() {
  constexpr int queue_max = 65536;  // no queue of the kernel is longer
  for (int i = 0; i < queue_max && take_one(); ++i) {
  }
}

bool Acceptor::take_one() {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  const int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    const SocketAddress remote = SocketAddress::from_kernel(storage, size);
    accepted_(fd, Peer{remote.bytes(), remote.port()});
    return true;
  }
  switch (errno) {
    case EAGAIN:
      return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: {
      constexpr auto rest = std::chrono::milliseconds(100);
      exhausted_(Error::from_errno(errno, "accept a connection"));
      watcher_.reset();
      loop_.timers().arm(*this, loop_.now() + rest);
      return false;
    }
    default:
      return true;  // that connection has failed already (ECONNABORTED and its like); the next may be well
  }
}

}  // namespace ballast::io
