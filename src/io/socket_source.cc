#include "io/socket_source.h"

#include <cerrno>

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ballast::io {

bool OwnSockets::give_file(const std::string& path) const {
  return !owner_.has_value() || ::lchown(path.c_str(), owner_->user, owner_->group) == 0;
}

// Bound under another name, given its mode, then moved into place: at no moment is it there with another, and the file
// of a program that has died is replaced in one step.
Result<ListeningSocket> OwnSockets::listen_on_file(const SocketAddress& address, const SocketSpec& spec) const {
  const std::string path = address.path();
  const std::string fresh = path + OwnSockets::fresh_suffix;
  const Result<SocketAddress> fresh_address = SocketAddress::unix_path(fresh);
  if (!fresh_address) return fail(fresh_address.error());
  if (is_answered(address)) {
    return fail(Code::InUse, fmt::format("cannot bind {}: another program answers there", address.to_string()));
  }
  struct stat found{};
  if (::lstat(path.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode)) {
    return fail(Code::Invalid,
                fmt::format("cannot bind {}: something that is not a socket is there; remove it, or choose "
                            "another path",
                            address.to_string()));
  }
  ::unlink(fresh.c_str());
  Result<ListeningSocket> socket = ListeningSocket::bind(*fresh_address, {.first_speaker = spec.first_speaker});
  if (!socket) return socket;
  if (!give_file(fresh) || ::chmod(fresh.c_str(), spec.file_mode) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0) {
    const Error error = Error::from_errno(errno, fmt::format("cannot bind {}", address.to_string()));
    ::unlink(fresh.c_str());
    return fail(error);
  }
  socket->rename(address);
  return socket;
}

Result<ListeningSocket> OwnSockets::open(const SocketSpec& spec) {
  const Result<SocketAddress> address = SocketAddress::read(spec.address);
  if (!address) return fail(address.error());
  if (address->is_unix() && spec.file_mode != 0) return listen_on_file(*address, spec);
  Result<ListeningSocket> socket = ListeningSocket::bind(*address, {.first_speaker = spec.first_speaker});
  if (socket && address->is_unix() && !give_file(address->path())) {
    return fail(Error::from_errno(errno, fmt::format("give {} to its user", address->to_string())));
  }
  return socket;
}

Result<BoundDatagrams> OwnSockets::open_datagrams(const SocketSpec& spec) {
  const Result<SocketAddress> address = SocketAddress::read(spec.address);
  if (!address) return fail(address.error());
  return BoundDatagrams::bind(*address, spec.datagram_sockets);
}

void OwnSockets::release(const SocketSpec& spec) {
  const Result<SocketAddress> address = SocketAddress::read(spec.address);
  if (address && address->is_unix()) ::unlink(address->path().c_str());
}

}  // namespace ballast::io
