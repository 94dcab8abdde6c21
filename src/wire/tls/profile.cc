#include "wire/tls/profile.h"

#include <openssl/ssl.h>

#include "base/check.h"

namespace ballast::tls {
namespace {

constexpr const char* suites_13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* suites_intermediate =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
// Security level 0: below it OpenSSL 3 refuses TLS 1.0 and 1.1, which sign with SHA-1.
constexpr const char* suites_old =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
    "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
    "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA:@SECLEVEL=0";

struct Choice {
  int version_min;
  const char* suites;
};

Choice choice_of(Profile profile) {
  switch (profile) {
    case Profile::Modern:
      return {TLS1_3_VERSION, suites_intermediate};
    case Profile::Old:
      return {TLS1_VERSION, suites_old};
    case Profile::Intermediate:
      break;
  }
  return {TLS1_2_VERSION, suites_intermediate};
}

}  // namespace

void apply(Profile profile, ssl_ctx_st* context) {
  const Choice choice = choice_of(profile);
  CHECK(SSL_CTX_set_min_proto_version(context, choice.version_min) == 1);
  CHECK(SSL_CTX_set_cipher_list(context, choice.suites) == 1);
  CHECK(SSL_CTX_set_ciphersuites(context, suites_13) == 1);
  CHECK(SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1);
  // In the first two profiles every cipher is good: the client knows which its processor does in hardware.
  if (profile == Profile::Old) SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
}

}  // namespace ballast::tls
