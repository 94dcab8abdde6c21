#include "admin/api/socket_file.h"

#include <filesystem>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "io/loop.h"
#include "io/scope.h"

namespace ballast::admin {

namespace {

namespace fs = std::filesystem;

io::Task<void> try_connect(io::Loop& loop, io::SocketAddress address, std::optional<Code>& failure) {
  Result<io::TcpStream> stream = co_await io::TcpStream::connect(loop, address, loop.after(std::chrono::seconds(1)));
  failure = stream ? std::nullopt : std::optional(stream.error().code());
  if (stream) stream->close();
}

Error cannot(const std::string& path, const std::error_code& why) {
  const Error cause = Error::from_errno(why.value(), fmt::format("cannot make the admin socket {}", path));
  return Error(cause.code(), cause.text() + " (admin.socket says where it is)");
}

}  // namespace

Result<io::ListeningSocket> listen_on_file(io::Loop& loop, const std::string& path) {
  const Result<io::SocketAddress> address = io::SocketAddress::unix_path(path);
  if (!address) return fail(address.error());
  std::error_code why;
  const fs::file_status found = fs::symlink_status(path, why);
  if (fs::exists(found)) {
    if (!fs::is_socket(found)) {
      return fail(Code::InUse, fmt::format("cannot make the admin socket {}: something that is not a socket is there; "
                                           "remove it, or set admin.socket to another path",
                                           path));
    }
    // Connecting to a Unix socket settles at once, so the task has ended when spawn() returns.
    std::optional<Code> failure;
    io::Scope scope(loop);
    scope.spawn(try_connect(loop, *address, failure));
    CHECK(scope.empty());
    if (!failure) {
      return fail(
          Code::InUse,
          fmt::format("another ballast is running on {}; stop it, or give this one its own admin.socket", path));
    }
    if (*failure != Code::Refused && *failure != Code::NotFound) {
      return fail(*failure, fmt::format("cannot make the admin socket {}: one is there and cannot be asked whether its "
                                        "ballast lives: {}",
                                        path, to_string(*failure)));
    }
  }
  // Bound under another name, given its permissions, then moved into place: at no moment is it there with others, and a
  // dead ballast's file is replaced in one step.
  const std::string fresh = path + ".new";
  const Result<io::SocketAddress> fresh_address = io::SocketAddress::unix_path(fresh);
  if (!fresh_address) return fail(fresh_address.error());
  fs::remove(fresh, why);
  Result<io::ListeningSocket> socket = io::ListeningSocket::bind(*fresh_address);
  if (!socket) {
    return fail(Error(socket.error().code(),
                      fmt::format("cannot make the admin socket {}: {}", path, to_string(socket.error().code()))));
  }
  fs::permissions(fresh,
                  fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read | fs::perms::group_write, why);
  if (!why) fs::rename(fresh, path, why);
  if (why) {
    const Error error = cannot(path, why);
    fs::remove(fresh, why);
    return fail(error);
  }
  return socket;
}

void remove_socket_file(const std::string& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

}  // namespace ballast::admin
