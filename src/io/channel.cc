#include "io/channel.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

namespace ballast::io {
namespace {

// Room for the descriptors of one message, aligned as the kernel wants it.
struct Ancillary {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(Channel::descriptors_max * sizeof(int))> bytes{};
};

int milliseconds(Duration duration) {
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 3'600'000));
}

// False: not in time.
bool wait(int fd, short event, Instant until) {
  while (true) {
    pollfd one{.fd = fd, .events = event, .revents = 0};
    const int ready = ::poll(&one, 1, milliseconds(until - Clock::now()));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace

void OwnedFd::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Channel::Channel(OwnedFd end) : fd_(std::move(end)) {
  ::fcntl(fd_.get(), F_SETFD, FD_CLOEXEC);
  ::fcntl(fd_.get(), F_SETFL, ::fcntl(fd_.get(), F_GETFL) | O_NONBLOCK);
}

Result<Channel::Pair> Channel::make_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(Error::from_errno(errno, "make a pair of sockets"));
  }
  return Pair{.ours = Channel(OwnedFd(ends[0])), .theirs = OwnedFd(ends[1])};
}

Result<> Channel::send(Bytes text, std::span<const int> descriptors) {
  CHECK(descriptors.size() <= descriptors_max);
  if (text.size() > message_bytes_max) {
    return fail(Code::TooLarge, "a message to another process of ballast is over 64 KiB");
  }
  iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  Ancillary ancillary;
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t bytes = descriptors.size() * sizeof(int);
    message.msg_control = ancillary.bytes.data();
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(head), descriptors.data(), bytes);
  }
  constexpr auto patience = std::chrono::seconds(1);
  const Instant until = Clock::now() + patience;
  while (true) {
    if (::sendmsg(fd_.get(), &message, MSG_NOSIGNAL) >= 0) return {};
    if (errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET) return fail(Code::Closed, "the other process of ballast has gone");
    if (errno != EAGAIN) return fail(Error::from_errno(errno, "tell another process of ballast"));
    if (!wait(fd_.get(), POLLOUT, until)) {
      return fail(Code::TimedOut, "the other process of ballast does not read what it is told");
    }
  }
}

Result<std::optional<Channel::Message>> Channel::receive() {
  Message message;
  message.text.resize(message_bytes_max);
  iovec part{.iov_base = message.text.data(), .iov_len = message.text.size()};
  Ancillary ancillary;
  msghdr head{};
  head.msg_iov = &part;
  head.msg_iovlen = 1;
  head.msg_control = ancillary.bytes.data();
  head.msg_controllen = ancillary.bytes.size();
  ssize_t got = 0;
  do got = ::recvmsg(fd_.get(), &head, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return std::optional<Message>();
  if (got < 0 && errno != ECONNRESET) return fail(Error::from_errno(errno, "hear another process of ballast"));
  for (cmsghdr* each = got < 0 ? nullptr : CMSG_FIRSTHDR(&head); each != nullptr; each = CMSG_NXTHDR(&head, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(each) + i * sizeof(int), sizeof fd);
      message.descriptors.emplace_back(fd);
    }
  }
  // No message of ours is empty: it is the end.
  if (got <= 0) return fail(Code::Closed, "the other process of ballast has gone");
  if ((head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return fail(Code::TooLarge, "a message of another process of ballast is too large");
  }
  message.text.resize(static_cast<std::size_t>(got));
  return std::optional(std::move(message));
}

Result<Channel::Message> Channel::receive(Duration patience) {
  const Instant until = Clock::now() + patience;
  while (true) {
    Result<std::optional<Message>> message = receive();
    if (!message) return fail(std::move(message.error()));
    if (message->has_value()) return std::move(**message);
    if (!wait(fd_.get(), POLLIN, until)) return fail(Code::TimedOut, "the other process of ballast gives no answer");
  }
}

Result<OwnedFd> memory_file(const char* name, Bytes bytes) {
  OwnedFd file(::memfd_create(name, MFD_CLOEXEC));
  if (!file.is_open()) return fail(Error::from_errno(errno, "make a file in memory"));
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return fail(Error::from_errno(errno, "write a file in memory"));
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return file;
}

Result<std::string> read_all(int fd, std::size_t bytes_max) {
  struct stat facts{};
  if (::fstat(fd, &facts) != 0) return fail(Error::from_errno(errno, "read what another process has handed over"));
  if (facts.st_size < 0 || static_cast<std::size_t>(facts.st_size) > bytes_max) {
    return fail(Code::TooLarge, "what another process has handed over is too large");
  }
  std::string text(static_cast<std::size_t>(facts.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got = ::pread(fd, text.data() + have, text.size() - have, static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Error::from_errno(errno, "read what another process has handed over"));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

}  // namespace ballast::io
