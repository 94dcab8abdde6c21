// obtain: one certificate from an authority, from the account to the download (RFC 8555 7). The whole conversation, in
// the order in which it reads there:
//
//   account -> order -> authorizations -> the challenges are shown, and the authority is told -> they are valid
//           -> finalize with a signing request -> the certificate
//
// Shows challenges through `show`, which returns when they can be answered; nothing is shown any more when it ends, in
// whatever way. Bounded: time, sizes, names, polls. Errors say at which step, and carry the authority's words.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "wire/acme/jws.h"
#include "wire/acme/session.h"
#include "wire/acme/signing_request.h"

namespace ballast::acme {

enum class ChallengeKind : std::uint8_t { Http01, TlsAlpn01 };

struct PendingChallenge {
  ChallengeKind kind = ChallengeKind::Http01;
  std::string name;
  std::string token;
  std::string key_authorization;
};
using ShowChallenges = std::function<Result<>(const std::vector<PendingChallenge>&)>;

struct Wanted {
  std::vector<std::string> names;
  ChallengeKind challenge = ChallengeKind::Http01;
  KeyKind key = KeyKind::EcdsaP256;
  std::string contact;  // "mailto:ops@example.com"; empty: none
  std::optional<ExternalAccount> external_account;
};

struct Obtained {
  std::string key_pem;
  std::string chain_pem;
};

// `session` is open; its account may be known from before, and is known afterwards.
io::Task<Result<Obtained>> obtain(Session& session, const Wanted& wanted, const ShowChallenges& show,
                                  io::Deadline deadline);

}  // namespace ballast::acme
