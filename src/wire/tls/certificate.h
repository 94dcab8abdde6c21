// Certificate: a certificate with its chain, its key and its OCSP answer, read from files and checked: what a context
// is made of.
//
// A value, immutable; made on the control thread (loading blocks). What makes it unusable is an Error that names the
// file, the line and what to do; what clients may dislike (it has expired, it has no names) is a warning beside it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace ballast::tls {

struct CertificateFiles {
  std::string cert;  // PEM: the site's own first, then each one's issuer
  std::string key;   // PEM, without a passphrase
  std::string ocsp;  // DER, to be stapled; empty: none
  friend bool operator==(const CertificateFiles&, const CertificateFiles&) = default;
};

using WallTime = std::chrono::system_clock::time_point;

struct Certificate {
  CertificateFiles files;
  std::string cert_pem;
  std::string key_pem;
  std::string ocsp_der;            // empty: none, or it is not good now
  std::vector<std::string> names;  // DNS names in lower case, wildcards among them
  std::string subject;             // "CN=www.example.com"
  std::string key_kind;            // "RSA", "EC": of each kind a name may have one
  WallTime not_before;
  WallTime not_after;  // the earliest of the chain
  std::vector<std::string> warnings;
};

// Largest file that is read: a chain has some kilobytes, a bundle of authorities some hundred.
inline constexpr std::size_t pem_bytes_max = 4 * mib;

// "site.crt:23: certificate 2 of the chain cannot be read: ...".
Result<Certificate> load_certificate(const CertificateFiles& files, WallTime now);
// The same from what the files hold.
Result<Certificate> check_certificate(Certificate certificate, WallTime now);

// A file of certificates to verify others by. How many there are, or what is wrong.
Result<std::size_t> check_authorities(const std::string& file, Bytes pem);
// A file of revocation lists.
Result<std::size_t> check_revocations(const std::string& file, Bytes pem);

}  // namespace ballast::tls
