#include "io/tcp.h"

#include <array>
#include <cerrno>

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/check.h"
#include "io/loop.h"

namespace ballast::io {
namespace {

void no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // fails on Unix sockets, which have no delay
}

Result<> be_transparent(int fd, int family) {
  const int on = 1;
  const bool v6 = family == AF_INET6;
  if (setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, &on, sizeof on) == 0) {
    return {};
  }
  const Error cause = Error::from_errno(errno, "the kernel refuses IP_TRANSPARENT");
  return fail(Error(cause.code(), cause.text() + " (needs CAP_NET_ADMIN: AmbientCapabilities= in the systemd unit)"));
}

template <typename Query>
SocketAddress ask(int fd, Query query) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (query(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return SocketAddress::from_kernel(storage, size);
}

int bind_and_listen(int fd, const SocketAddress& address) {
  return ::bind(fd, address.get(), address.size()) == 0 && ::listen(fd, 65535) == 0 ? 0 : errno;
}

// A Unix socket's file outlives the program that made it.
bool remove_abandoned(const SocketAddress& address) {
  const std::string path = address.path();
  struct stat found{};
  if (path.empty() || ::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
  return !is_answered(address) && ::unlink(path.c_str()) == 0;
}

std::string hint_for(int error, const SocketAddress& address) {
  switch (error) {
    case EACCES:
      return address.is_unix() ? " (may this user write in that directory?)"
                               : " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
    case EADDRINUSE:
      if (!address.is_unix()) {
        return fmt::format(" (another program listens there: ss -ltnp 'sport = :{}')", address.port());
      }
      return fmt::format(" (a program listens there, or it is no socket: ss -lxp src {})", address.path());
    case EADDRNOTAVAIL:
      return " (no interface of this machine has that address: ip addr)";
    default:
      return {};
  }
}

}  // namespace

TcpStream& TcpStream::operator=(TcpStream&& other) noexcept {
  if (this != &other) {
    reset();
    descriptor_ = std::move(other.descriptor_);
  }
  return *this;
}

Task<Result<TcpStream>> TcpStream::connect(Loop& loop, SocketAddress to, Deadline deadline) {
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    co_return fail(Error::from_errno(errno, fmt::format("open a socket to {}", to.to_string())));
  }
  co_return co_await finish_connect(loop, fd, to, deadline);
}

Result<> TcpStream::may_connect_from_others() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(Error::from_errno(errno, "open a socket"));
  const Result<> allowed = be_transparent(fd, AF_INET);
  ::close(fd);
  return allowed;
}

Task<Result<TcpStream>> TcpStream::connect_from(Loop& loop, Path path, Deadline deadline) {
  const auto& [from, to] = path;
  if (from.family() != to.family()) {
    co_return fail(Code::Unsupported,
                   fmt::format("connect to {} from {}: one is IPv4, the other IPv6", to.to_string(), from.to_string()));
  }
  const int fd = ::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return fail(Error::from_errno(errno, fmt::format("open a socket to {}", to.to_string())));
  const int on = 1;
  // The port is chosen when the other end is known, so that one may serve toward many targets.
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  SocketAddress any_port = from;
  any_port.set_port(0);
  Result<> ready = be_transparent(fd, to.family());
  if (ready && ::bind(fd, any_port.get(), any_port.size()) != 0) {
    ready = fail(Error::from_errno(errno, fmt::format("connect to {}: bind {}", to.to_string(), from.host())));
  }
  if (!ready) {
    ::close(fd);
    co_return fail(std::move(ready.error()));
  }
  co_return co_await finish_connect(loop, fd, to, deadline);
}

Task<Result<TcpStream>> TcpStream::finish_connect(Loop& loop, int fd, SocketAddress to, Deadline deadline) {
  if (!to.is_unix()) no_delay(fd);
  TcpStream stream(Descriptor(loop, fd));
  if (::connect(fd, to.get(), to.size()) == 0) co_return std::move(stream);
  if (errno != EINPROGRESS) {
    const int error = errno;
    stream.close();
    // A full backlog of a Unix socket says EAGAIN: nobody takes connections there at the moment.
    co_return fail(
        Error::from_errno(error == EAGAIN ? ECONNREFUSED : error, fmt::format("connect to {}", to.to_string())));
  }
  // Both before the wait: the event of the connection may bring the first bytes of a server that speaks first.
  stream.descriptor_.not_writable();
  stream.descriptor_.not_readable();
  const Wake wake = co_await stream.until_writable(deadline);
  if (wake != Wake::Event) {
    co_return fail(Error(
        wake == Wake::Deadline ? Code::TimedOut : Code::Cancelled,
        fmt::format("connect to {}: {}", to.to_string(), wake == Wake::Deadline ? "no answer in time" : "cancelled")));
  }
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    stream.close();
    co_return fail(Error::from_errno(error, fmt::format("connect to {}", to.to_string())));
  }
  co_return std::move(stream);
}

Transfer TcpStream::try_read(char* into, std::size_t size) {
  while (true) {
    const ssize_t got = ::recv(descriptor_.fd(), into, size, 0);
    if (got > 0) {
      // A short read has emptied the socket: the next bytes raise a new edge. An end that has been seen already will
      // not.
      if (static_cast<std::size_t>(got) < size && !descriptor_.peer_ended() && !descriptor_.hung_up()) {
        descriptor_.not_readable();
      }
      return {TransferState::Done, Code::Closed, static_cast<std::size_t>(got)};
    }
    if (got == 0) return {TransferState::End, Code::Closed, 0};
    if (errno == EAGAIN) {
      descriptor_.not_readable();
      return {TransferState::WouldBlock, Code::Closed, 0};
    }
    if (errno != EINTR) return {TransferState::Failed, Error::code_of_errno(errno), 0};
  }
}

Transfer TcpStream::try_peek(char* into, std::size_t size) {
  while (true) {
    const ssize_t got = ::recv(descriptor_.fd(), into, size, MSG_PEEK);
    if (got >= 0 || errno == EAGAIN) descriptor_.not_readable();
    if (got > 0) return {TransferState::Done, Code::Closed, static_cast<std::size_t>(got)};
    if (got == 0) return {TransferState::End, Code::Closed, 0};
    if (errno == EAGAIN) return {TransferState::WouldBlock, Code::Closed, 0};
    if (errno != EINTR) return {TransferState::Failed, Error::code_of_errno(errno), 0};
  }
}

Transfer TcpStream::try_write_more(Bytes bytes) {
  return send(std::span<const Bytes>(&bytes, 1), MSG_MORE);
}

Transfer TcpStream::send(std::span<const Bytes> parts, int flags) {
  CHECK(parts.size() <= write_parts_max);
  std::array<iovec, write_parts_max> vectors;
  std::size_t count = 0;
  std::size_t total = 0;
  for (const Bytes part : parts) {
    if (part.empty()) continue;
    vectors[count++] = {const_cast<char*>(part.data()), part.size()};
    total += part.size();
  }
  while (true) {
    ssize_t put = 0;
    if (count == 1) {
      put = ::send(descriptor_.fd(), vectors[0].iov_base, vectors[0].iov_len, MSG_NOSIGNAL | flags);
    } else {
      msghdr message{};
      message.msg_iov = vectors.data();
      message.msg_iovlen = count;
      put = ::sendmsg(descriptor_.fd(), &message, MSG_NOSIGNAL | flags);
    }
    if (put >= 0) {
      const auto taken = static_cast<std::size_t>(put);
      if (taken < total) descriptor_.not_writable();
      return {TransferState::Done, Code::Closed, taken};
    }
    if (errno == EAGAIN) {
      descriptor_.not_writable();
      return {TransferState::WouldBlock, Code::Closed, 0};
    }
    if (errno != EINTR) return {TransferState::Failed, Error::code_of_errno(errno), 0};
  }
}

void TcpStream::look() {
  char byte = 0;
  if (!descriptor_.may_read()) return;
  if (::recv(descriptor_.fd(), &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN) descriptor_.not_readable();
}

bool TcpStream::end() {
  if (descriptor_.is_open()) ::shutdown(descriptor_.fd(), SHUT_WR);
  return true;
}

void TcpStream::reset() {
  if (!descriptor_.is_open()) return;
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(descriptor_.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  descriptor_.close();
}

SocketAddress local_address(const Descriptor& descriptor) {
  return ask(descriptor.fd(), ::getsockname);
}

SocketAddress TcpStream::local_address() const {
  return io::local_address(descriptor_);
}
SocketAddress TcpStream::remote_address() const {
  return ask(descriptor_.fd(), ::getpeername);
}

bool is_answered(const SocketAddress& unix_socket) {
  const OwnedFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return true;  // not known: nobody's file is to be taken away
  return ::connect(fd.get(), unix_socket.get(), unix_socket.size()) == 0 || (errno != ECONNREFUSED && errno != ENOENT);
}

Result<ListeningSocket> ListeningSocket::take_over(OwnedFd fd) {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) {
    return fail(Code::Invalid, "what was handed over is not a listening socket");
  }
  const int number = fd.release();
  return ListeningSocket(number, ask(number, ::getsockname));
}

Result<ListeningSocket> ListeningSocket::bind(const SocketAddress& address, ListenOptions options) {
  const std::string where = address.to_string();
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(Error::from_errno(errno, fmt::format("open a socket for {}", where)));
  const int on = 1;
  const int off = 0;
  if (!address.is_unix()) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family() == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  no_delay(fd);  // inherited by accepted sockets: one call less for each
  if (options.first_speaker == ListenOptions::FirstSpeaker::Client && !address.is_unix()) {
    const int wait_s = 1;  // the kernel counts by repetitions of its own; one is the least
    setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &wait_s, sizeof wait_s);
  }
  int error = bind_and_listen(fd, address);
  if (error == EADDRINUSE && address.is_unix() && remove_abandoned(address)) error = bind_and_listen(fd, address);
  if (error != 0) {
    ::close(fd);
    const Error cause = Error::from_errno(error, fmt::format("cannot bind {}", where));
    return fail(Error(cause.code(), cause.text() + hint_for(error, address)));
  }
  return ListeningSocket(fd, ask(fd, ::getsockname));
}

ListeningSocket& ListeningSocket::operator=(ListeningSocket&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
    address_ = other.address_;
  }
  return *this;
}

ListeningSocket::~ListeningSocket() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace ballast::io
