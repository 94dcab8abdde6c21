// What is made for a certificate: its key, the request for it (PKCS #10, RFC 2986), and the certificate that answers a
// tls-alpn-01 challenge (RFC 8737). OpenSSL's work; an RSA key takes it some hundred milliseconds.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace ballast::acme {

enum class KeyKind : std::uint8_t { EcdsaP256, Rsa2048 };

struct SigningRequest {
  std::string key_pem;
  std::string der;
};
// The names are DNS names, at least one; all of them stand in subjectAltName, and none in the subject.
Result<SigningRequest> make_signing_request(const std::vector<std::string>& names, KeyKind kind);

struct ChallengeCertificate {
  std::string cert_pem;
  std::string key_pem;
};
// Self-signed, for `name` alone, with the digest of the key authorization in it.
Result<ChallengeCertificate> make_challenge_certificate(const std::string& name, const std::string& key_authorization);

}  // namespace ballast::acme
