// What a client sends in Authorization: user and password (Basic, RFC 7617), or a token (Bearer, RFC 6750).
//
// Pure functions of a field's value, which is hostile.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"

namespace ballast::traffic::auth {

struct Credentials {
  std::string user;
  std::string password;
};

// None: another scheme, or not "user:password" in base64. At most 255 bytes of user and 1,024 of password.
std::optional<Credentials> parse_basic(Bytes authorization);
// The token behind "Bearer "; none: another scheme. A view.
std::optional<Bytes> parse_bearer(Bytes authorization);

}  // namespace ballast::traffic::auth
