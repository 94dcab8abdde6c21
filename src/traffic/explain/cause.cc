#include "traffic/explain/cause.h"

#include <array>

#include <fmt/format.h>

namespace ballast::traffic {
namespace {

// For the operator; docs/guide/errors.md has the same.
struct Row {
  std::string_view happened;
  std::string_view advice;
};

constexpr std::array<Row, tls::handshake_end_count> handshake_rows{{
    {},  // ok
    {},  // resumed
    {"the handshake was not done within `timeouts.handshake`",
     "a slow network, or a client that only holds connections"},
    {},  // peer_gone: a probe
    {"the client's first bytes are not TLS", "does the client speak TLS at all, and on the right port?"},
    {"the client sent a request in plain HTTP", "write https:// in the address, or add an http listener"},
    {"the client's versions of TLS are all outside of the profile",
     "a client of today; or `tls.profile: old` for as long as it is needed"},
    {"the client and `tls.profile` have no cipher, curve or kind of signature in common",
     "does the client know ECDSA? Give an RSA certificate beside it; or another `tls.profile`"},
    {"the client wants a protocol (ALPN) that is not spoken here", "the listener's `tls.alpn` and `http2`"},
    {"no certificate is for the name that the client asks for",
     "a certificate with that name; `strict_sni` refuses such"},
    {"the client has shown no certificate, and one is required",
     "install one in the client; or `client_certificates.mode: optional`"},
    {"the client's certificate is not trusted; the detail says why",
     "is it expired, revoked, or of another authority than `client_certificates.ca`?"},
    {"the client broke the handshake off with an alert",
     "it does not trust our certificate, mostly: is the chain whole, the name right, the date good?"},
    {"the client's bytes break TLS", "mend the client; many of them are somebody trying doors"},
    {},  // called_off: we are stopping
}};

constexpr std::array<Row, http2::session_defect_count> http2_rows{{
    {},
    {"the client sent frames that HTTP/2 forbids; its connection was ended",
     "mend the client; many of them are an attack"},
    {"the client sent more data than the windows allow; its connection was ended", "mend the client"},
    {"the client sent headers that cannot be decompressed; its connection was ended", "mend the client"},
    {"the client sent too many frames that bring nothing; its connection was ended",
     "an attack (rapid reset and its like), mostly; a client of yours that does so needs mending"},
    {"the client began a head and did not end it within `timeouts.header`; its connection was ended",
     "a client on a bad network; many of them are an attack"},
}};

const Row& row_of(std::size_t index) {
  constexpr std::size_t handshakes{reason_count};
  constexpr std::size_t sessions = handshakes + std::size_t{tls::handshake_end_count};
  return index < sessions ? handshake_rows[index - handshakes] : http2_rows[index - sessions];
}

bool is_reason(Cause cause) {
  return cause.index() < std::size_t{reason_count};
}
Reason reason_of(Cause cause) {
  return static_cast<Reason>(cause.index());
}

}  // namespace

std::string to_string(Cause cause) {
  if (is_reason(cause)) return std::string(to_string(reason_of(cause)));
  const std::size_t rest = cause.index() - std::size_t{reason_count};
  if (rest < std::size_t{tls::handshake_end_count}) {
    return fmt::format("tls_{}", tls::to_string(static_cast<tls::HandshakeEnd>(rest)));
  }
  return fmt::format("http2_{}",
                     http2::to_string(static_cast<http2::SessionDefect>(rest - std::size_t{tls::handshake_end_count})));
}

std::string_view happened(Cause cause) {
  return is_reason(cause) ? happened(reason_of(cause)) : row_of(cause.index()).happened;
}
std::string_view advice(Cause cause) {
  return is_reason(cause) ? advice(reason_of(cause)) : row_of(cause.index()).advice;
}

std::optional<Cause> cause_of(std::string_view name) {
  for (std::size_t i = 1; i < Cause::count; ++i) {
    const Cause cause = Cause::at(i);
    if (!happened(cause).empty() && to_string(cause) == name) return cause;
  }
  return std::nullopt;
}

std::vector<std::string> cause_names() {
  std::vector<std::string> names;
  for (std::size_t i = 1; i < Cause::count; ++i) {
    if (!happened(Cause::at(i)).empty()) names.push_back(to_string(Cause::at(i)));
  }
  return names;
}

}  // namespace ballast::traffic
