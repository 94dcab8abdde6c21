#include "io/identity.h"

#include <cerrno>
#include <charconv>

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ballast::io {

Result<Identity> identity_of(const std::string& user) {
  // Asked once, at start, by a program with one thread.
  errno = 0;
  const passwd* found = ::getpwnam(user.c_str());
  uid_t number = 0;
  const auto [end, wrong] = std::from_chars(user.data(), user.data() + user.size(), number);
  if (found == nullptr && wrong == std::errc() && end == user.data() + user.size()) found = ::getpwuid(number);
  if (found == nullptr) {
    return fail(Code::NotFound,
                fmt::format("there is no user \"{0}\"; make one (adduser --system --group {0}), or name "
                            "another",
                            user));
  }
  Identity identity{.user = found->pw_uid, .group = found->pw_gid};
  int count = 64;
  identity.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(found->pw_name, found->pw_gid, identity.groups.data(), &count) < 0) {
    identity.groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(found->pw_name, found->pw_gid, identity.groups.data(), &count);
  }
  identity.groups.resize(static_cast<std::size_t>(count));
  return identity;
}

std::optional<std::uint32_t> user_behind(int unix_socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(unix_socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0) return std::nullopt;
  return peer.uid;
}

std::string user_name(std::uint32_t user) {
  const passwd* found = ::getpwuid(user);
  return found != nullptr ? std::string(found->pw_name) : fmt::format("uid {}", user);
}

bool may_change_identity() {
  return ::geteuid() == 0;
}

}  // namespace ballast::io
