// Identity: a user of this machine, as a process runs as one.
#pragma once

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

// Whether this process may become another user.
bool may_change_identity();

}  // namespace ballast::io
