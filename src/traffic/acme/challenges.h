// Challenges: what an authority may ask for now, to see that a name is served here (RFC 8555 8.3, RFC 8737). Stands in
// the Plan while an order is under way, and not at all otherwise: then the data plane looks at one pointer.
//
// Immutable; made by the ACME keeper on the control thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "wire/tls/server_context.h"

namespace ballast::traffic::acme {

inline constexpr Bytes challenge_folder = "/.well-known/acme-challenge/";
inline constexpr Bytes challenge_protocol = "acme-tls/1";

struct Challenges {
  using Contexts = std::vector<std::shared_ptr<const tls::ServerContext>>;  // by worker
  std::map<std::string, std::string, std::less<>> by_token;                 // to key authorizations; http-01
  std::map<std::string, Contexts, std::less<>> by_name;                     // lower case; tls-alpn-01

  // nullptr: it is not about a challenge, and goes where it always goes.
  const std::string* answer_to(Bytes path) const {
    if (!path.starts_with(challenge_folder)) return nullptr;
    const auto found = by_token.find(path.substr(challenge_folder.size()));
    return found != by_token.end() ? &found->second : nullptr;
  }
};

}  // namespace ballast::traffic::acme
