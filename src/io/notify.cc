#include "io/notify.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include "io/system.h"

namespace ballast::io {

Notifier Notifier::from_environment() {
  return Notifier(environment("NOTIFY_SOCKET").value_or(std::string()));
}

Result<> Notifier::reloading() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t us = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  return send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", us));
}

Result<> Notifier::status(std::string_view text) const {
  constexpr std::size_t text_bytes_max = 500;  // one line of a terminal or a few
  std::string line(text.substr(0, text_bytes_max));
  std::replace(line.begin(), line.end(), '\n', ' ');
  return send("STATUS=" + line);
}

Result<> Notifier::main_process(pid_t process) const {
  return send(fmt::format("MAINPID={}", process));
}

Result<> Notifier::keep(std::string_view name, int descriptor) const {
  return send(fmt::format("FDSTORE=1\nFDNAME={}", name), descriptor);
}

Result<> Notifier::keep_no_longer(std::string_view name) const {
  return send(fmt::format("FDSTOREREMOVE=1\nFDNAME={}", name));
}

Result<> Notifier::send(std::string_view message, int descriptor) const {
  if (!is_heard()) return {};
  const auto what = [this] { return fmt::format("tell the service manager at $NOTIFY_SOCKET {}", socket_); };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_[0] != '/' && socket_[0] != '@') {
    return fail(Code::Unsupported, fmt::format("{}: neither a path nor an abstract name", what()));
  }
  if (socket_.size() >= sizeof address.sun_path) {
    return fail(Code::TooLarge, fmt::format("{}: longer than {} bytes", what(), sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  if (socket_[0] == '@') {
    address.sun_path[0] = '\0';  // an abstract name is as long as it says, without a final NUL: unix(7)
  } else {
    ++size;
  }
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail(Error::from_errno(errno, what()));
  iovec part{.iov_base = const_cast<char*>(message.data()), .iov_len = message.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> beside{};
  msghdr whole{};
  whole.msg_name = &address;
  whole.msg_namelen = size;
  whole.msg_iov = &part;
  whole.msg_iovlen = 1;
  if (descriptor >= 0) {
    whole.msg_control = beside.data();
    whole.msg_controllen = beside.size();
    cmsghdr* head = CMSG_FIRSTHDR(&whole);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
  }
  const ssize_t sent = ::sendmsg(fd, &whole, MSG_NOSIGNAL);
  const int error = errno;
  ::close(fd);
  if (sent < 0) return fail(Error::from_errno(error, what()));
  return {};
}

}  // namespace ballast::io
