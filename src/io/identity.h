// Identity: a user of this machine, as a process runs as one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"

namespace ballast::io {

struct Identity {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  // all of the user's, the first one included
};

// By name or number. "there is no user \"balast\": ...".
Result<Identity> identity_of(const std::string& user);

// Of the process at the other end of a Unix socket, as it was when it connected; none: it is no Unix socket.
std::optional<std::uint32_t> user_behind(int unix_socket);
// "alice"; "uid 1003" where there is no such user here. Reads the machine's list of users.
std::string user_name(std::uint32_t user);

// Whether this process may become another user.
bool may_change_identity();

}  // namespace ballast::io
