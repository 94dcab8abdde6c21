#include "traffic/auth/basic.h"

#include "base/base64.h"
#include "wire/http/list.h"

namespace ballast::traffic::auth {
namespace {

constexpr std::size_t user_bytes_max = 255;
constexpr std::size_t password_bytes_max = 1024;

// What stands behind the scheme's name and its blanks.
std::optional<Bytes> behind_scheme(Bytes authorization, Bytes scheme) {
  if (authorization.size() <= scheme.size() || authorization[scheme.size()] != ' ' ||
      !http::iequals(authorization.substr(0, scheme.size()), scheme)) {
    return std::nullopt;
  }
  Bytes rest = authorization.substr(scheme.size());
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return rest;
}

}  // namespace

std::optional<Credentials> parse_basic(Bytes authorization) {
  const auto encoded = behind_scheme(authorization, "Basic");
  if (!encoded || encoded->size() > (user_bytes_max + password_bytes_max + 3) / 3 * 4) return std::nullopt;
  const auto decoded = decode_base64(*encoded);
  if (!decoded) return std::nullopt;
  const std::size_t colon = decoded->find(':');
  if (colon == std::string::npos || colon > user_bytes_max || decoded->size() - colon - 1 > password_bytes_max) {
    return std::nullopt;
  }
  return Credentials{.user = decoded->substr(0, colon), .password = decoded->substr(colon + 1)};
}

std::optional<Bytes> parse_bearer(Bytes authorization) {
  return behind_scheme(authorization, "Bearer");
}

}  // namespace ballast::traffic::auth
