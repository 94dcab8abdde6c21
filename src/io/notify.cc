#include "io/notify.h"

#include <algorithm>
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

Result<> Notifier::send(std::string_view message) const {
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
  const ssize_t sent =
      ::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
  const int error = errno;
  ::close(fd);
  if (sent < 0) return fail(Error::from_errno(error, what()));
  return {};
}

}  // namespace ballast::io
