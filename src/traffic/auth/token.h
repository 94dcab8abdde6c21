// verify(): whether a signed token (JWT in compact form, RFC 7515 and 7519) is to be believed, and what it says.
//
// A pure function of the token, the keys, the policy and the time. What the token says about its own checking is never
// followed: its `alg` must be allowed by name and suit the kind of the key, `crit`, `jku`, `jwk` and `x5c` are not
// obeyed. The signature is looked at before any claim is. Source also: RFC 8725.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "traffic/auth/key_set.h"
#include "traffic/route/pattern.h"

namespace ballast::traffic::auth {

// Why a token was refused; in the access log, and (all but the last as invalid_token) in WWW-Authenticate.
enum class TokenFault : std::uint8_t {
  Malformed,     // not three parts of base64url around strict JSON; or over the bound; or `crit`
  BadAlgorithm,  // not allowed here, `none`, or not one of the key's kind
  UnknownKey,    // no key of that `kid`: the set may have changed
  BadSignature,
  NoExpiry,
  Expired,
  NotYetValid,
  FromTheFuture,  // `iat`
  WrongIssuer,
  WrongAudience,
  UnusableClaim,  // one that is to be passed on has a control byte or is too long for a header
  MissingClaim,   // believed, but not allowed this: 403
};
std::string_view to_string(TokenFault fault);  // "expired"
std::string_view explain(TokenFault fault);    // one sentence, for error_description

struct RequiredClaim {
  std::string name;
  TextPattern value;
};

struct TokenPolicy {
  std::vector<config::TokenAlgorithm> algorithms;
  std::vector<std::string> issuer;    // empty: any
  std::vector<std::string> audience;  // empty: any
  std::vector<RequiredClaim> require;
  std::vector<config::ClaimHeader> headers;
  std::chrono::milliseconds leeway{0};
  bool require_expiry = true;
  std::string user_claim = "sub";

  // The Error names the claim whose pattern cannot be compiled.
  static Result<TokenPolicy> compile(const config::JwtAuth& settings);
};

// As much as a cookie or a header carries.
inline constexpr std::size_t token_bytes_max = 16 * 1024;

struct HeaderValue {
  std::string name;
  std::string value;
  friend bool operator==(const HeaderValue&, const HeaderValue&) = default;
};

struct TokenClaims {
  std::string user;                  // empty: the token does not say
  std::vector<HeaderValue> headers;  // of the policy's, those that the token has
};

std::expected<TokenClaims, TokenFault> verify(Bytes token, const KeySet& keys, const TokenPolicy& policy,
                                              std::chrono::system_clock::time_point now);

}  // namespace ballast::traffic::auth
