// HandshakeEnd: how a TLS handshake ended, as it is counted and logged.
//
//   handshake end          when
//   ok                     a session was made
//   resumed                an earlier session goes on
//   timeout                it was not done in time
//   peer_gone              the peer closed or cut the connection before the end; a probe does so
//   not_tls                the first bytes are not TLS
//   plain_http             they are a request in plain HTTP
//   unsupported_version    the peer's versions are all outside the profile
//   no_shared_cipher       no cipher, curve or kind of signature is known to both
//   no_shared_protocol     the peer wants protocols (ALPN) that are not spoken here
//   unknown_name           no certificate is for the name asked for (strict_sni), or it is still to be obtained
//   no_certificate         the client has shown none, and one is required
//   bad_certificate        the peer's certificate is not trusted: expired, revoked, of another authority or name
//   refused_by_peer        the peer broke it off with an alert: it does not trust our certificate, mostly
//   malformed              anything else that breaks the protocol
//   called_off             we are stopping
#pragma once

#include <cstdint>
#include <string_view>

namespace ballast::tls {

enum class HandshakeEnd : std::uint8_t {
  Ok,
  Resumed,
  Timeout,
  PeerGone,
  NotTls,
  PlainHttp,
  UnsupportedVersion,
  NoSharedCipher,
  NoSharedProtocol,
  UnknownName,
  NoCertificate,
  BadCertificate,
  RefusedByPeer,
  Malformed,
  CalledOff,
};
inline constexpr int handshake_end_count = static_cast<int>(HandshakeEnd::CalledOff) + 1;

inline bool is_done(HandshakeEnd end) {
  return end == HandshakeEnd::Ok || end == HandshakeEnd::Resumed;
}

std::string_view to_string(HandshakeEnd end);  // "no_shared_cipher"

// Of the library's code for the first failure of a handshake.
HandshakeEnd handshake_end_of(unsigned long failure);

}  // namespace ballast::tls
