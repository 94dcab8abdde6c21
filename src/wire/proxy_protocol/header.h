// The PROXY protocol (HAProxy's proxy-protocol.txt, of 2025): what a balancer says of a connection before its first
// byte.
//
// parse() looks at the beginning of a connection and needs no state: with more bytes it is asked again. What it says of
// a beginning it says of every longer one. Nothing is allocated; the views in a Header lie in the parsed bytes. Strict:
// no guessing, no tolerance, every length checked, a CRC32C that is there must be right.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/buffer.h"
#include "base/bytes.h"

namespace ballast::proxy_protocol {

enum class Version : std::uint8_t { V1 = 1, V2 = 2 };

// What the sender says of where the connection comes from.
enum class Origin : std::uint8_t {
  Told,     // from `source` to `destination`
  Local,    // the sender's own: a health check; the real addresses of the connection hold
  Unknown,  // UNKNOWN, UNSPEC or Unix sockets: relayed, and nothing more is known
};

enum class Transport : std::uint8_t { Stream, Datagram };

struct Endpoint {
  std::array<std::uint8_t, 16> bytes{};  // IPv4 mapped into IPv6
  std::uint16_t port = 0;
  bool is_v4() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// PP2_TYPE_SSL: what was terminated in front.
struct Ssl {
  bool over_tls = false;
  bool certificate_on_connection = false;
  bool certificate_on_session = false;
  bool verified = false;  // a certificate was presented, and was found good
  Bytes version;          // "TLSv1.3"
  Bytes common_name;
  Bytes cipher;
  friend bool operator==(const Ssl&, const Ssl&) = default;
};

struct Header {
  Version version = Version::V1;
  Origin origin = Origin::Unknown;
  Transport transport = Transport::Stream;
  Endpoint source;  // with Origin::Told
  Endpoint destination;
  // Of version 2, empty where not said. Not of Origin::Local, of which all is to be ignored.
  Bytes authority;  // the name the client asked for: SNI
  Bytes alpn;
  Bytes unique_id;  // at most unique_id_bytes_max
  std::optional<Ssl> ssl;
  std::size_t size = 0;  // of the header on the wire: what comes behind it is the client's
};

enum class Defect : std::uint8_t {
  None,
  NotProxy,       // the first bytes are of no PROXY header
  LineTooLong,    // version 1: no end of line within 107 bytes
  BadLine,        // version 1: not PROXY TCP4|TCP6|UNKNOWN, a bad address, port or end of line
  BadVersion,     // the second version's number or command
  BadFamily,      // no known address family with that transport
  BadLength,      // shorter than its addresses need
  TooLarge,       // over header_bytes_max
  BadField,       // a TLV that does not end where the header does, or of a wrong size
  RepeatedField,  // a known TLV twice: which would hold?
  BadChecksum,
};
std::string_view to_string(Defect defect);  // "bad_checksum"

enum class Progress : std::uint8_t { NeedMore, Complete, Failed };

struct Outcome {
  Progress progress = Progress::NeedMore;
  Defect defect = Defect::None;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

inline constexpr std::size_t line_bytes_max = 107;         // version 1, with CR LF
inline constexpr std::size_t header_bytes_max = 16 * kib;  // a client's whole certificate finds room in it
inline constexpr std::size_t unique_id_bytes_max = 128;    // the specification's

// `header` is whole only when the outcome is Complete.
Outcome parse(Bytes bytes, Header& header);

// What is to be told to a target. No source: it is our own connection (LOCAL, UNKNOWN).
struct Outgoing {
  std::optional<Endpoint> source;
  Endpoint destination;
  Transport transport = Transport::Stream;
  Bytes authority = {};  // version 2 only, as the others
  Bytes unique_id = {};
};

// Appends the header. Version 2 carries a CRC32C, except for LOCAL.
void write(Buffer& out, Version version, const Outgoing& what);

// Of RFC 9260 (Castagnoli), continued from what it gave for the bytes before.
std::uint32_t crc32c(Bytes bytes, std::uint32_t before = 0);

}  // namespace ballast::proxy_protocol
