// AccountKey: what an account at a certificate authority is known by (RFC 8555): an ECDSA key on P-256, its public half
// as a JWK (RFC 7517), that one's thumbprint (RFC 7638) and signatures with it (ES256, RFC 7518 3.4).
//
// Owns the key; immutable. One thread at a time.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/tls/owned.h"

namespace ballast::acme {

class AccountKey {
 public:
  static Result<AccountKey> generate();
  // Error: it is no private key on P-256.
  static Result<AccountKey> from_pem(Bytes pem);

  std::string pem() const;
  // With its members in the order that the thumbprint wants.
  const std::string& jwk() const { return jwk_; }
  std::string thumbprint() const;
  // The two numbers, 64 bytes.
  Result<std::string> sign(Bytes input) const;

 private:
  explicit AccountKey(tls::Owned<evp_pkey_st> key) : key_(std::move(key)) {}
  Result<> read_public_half();

  tls::Owned<evp_pkey_st> key_;
  std::string jwk_;
};

std::string sha256(Bytes input);
std::string hmac_sha256(Bytes key, Bytes input);

}  // namespace ballast::acme
