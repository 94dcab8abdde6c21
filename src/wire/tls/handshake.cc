#include "wire/tls/handshake.h"

#include <array>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace ballast::tls {
namespace {

constexpr std::array<std::string_view, handshake_end_count> names{
    "ok",
    "resumed",
    "timeout",
    "peer_gone",
    "not_tls",
    "plain_http",
    "unsupported_version",
    "no_shared_cipher",
    "no_shared_protocol",
    "unknown_name",
    "no_certificate",
    "bad_certificate",
    "refused_by_peer",
    "malformed",
    "called_off",
};

}  // namespace

std::string_view to_string(HandshakeEnd end) {
  return names[static_cast<std::size_t>(end)];
}

HandshakeEnd handshake_end_of(unsigned long failure) {
  if (ERR_GET_LIB(failure) != ERR_LIB_SSL) return HandshakeEnd::Malformed;
  const int reason = ERR_GET_REASON(failure);
  // What the peer sent as an alert comes with its number added to this.
  if (reason >= SSL_AD_REASON_OFFSET) return HandshakeEnd::RefusedByPeer;
  switch (reason) {
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
      return HandshakeEnd::PlainHttp;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_BAD_RECORD_TYPE:
    case SSL_R_RECORD_LENGTH_MISMATCH:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_TOO_SMALL:
      return HandshakeEnd::NotTls;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_UNSUPPORTED_SSL_VERSION:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_INAPPROPRIATE_FALLBACK:
      return HandshakeEnd::UnsupportedVersion;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SHARED_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_WRONG_CURVE:
      return HandshakeEnd::NoSharedCipher;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return HandshakeEnd::NoSharedProtocol;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return HandshakeEnd::NoCertificate;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return HandshakeEnd::BadCertificate;
    default:
      return HandshakeEnd::Malformed;
  }
}

}  // namespace ballast::tls
