// KeySet: the keys of an issuer, read from JSON (JWKS, RFC 7517). A key of a kind that is not known here, or for
// encryption, is passed over; one that is broken makes the whole set refused, so that a mistake is noticed.
//
// Immutable; any thread. Made by the control thread, part of the Plan.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "traffic/auth/crypto/verify_key.h"

namespace ballast::traffic::auth {

// More keys than any issuer has at once; each without a name may be tried for a token without one.
inline constexpr std::size_t keys_max = 100;
inline constexpr std::size_t key_set_bytes_max = 256 * 1024;

struct NamedKey {
  std::string id;                                   // `kid`; empty: none
  std::optional<config::TokenAlgorithm> algorithm;  // `alg`: the key is for nothing else
  std::shared_ptr<const VerifyKey> key;
};

class KeySet {
 public:
  KeySet() = default;
  // The Error says which key is wrong and how.
  static Result<KeySet> parse(Bytes text);
  explicit KeySet(std::vector<NamedKey> keys) : keys_(std::move(keys)) {}

  const std::vector<NamedKey>& keys() const { return keys_; }
  bool empty() const { return keys_.empty(); }

 private:
  std::vector<NamedKey> keys_;
};

// What `ballast check` calls for a file of keys.
Result<> check_key_set(const std::string& text);

// "RS256"; none for `none` and all that is not offered.
std::optional<config::TokenAlgorithm> algorithm_of(Bytes name);

}  // namespace ballast::traffic::auth
