// The head of an HTTP/1.1 message, parsed: views into the bytes it came from, which the caller keeps alive.
//
// A head is parsed once, in place; nothing is copied and nothing allocated. Positions are kept as offsets, so that a
// head whose bytes are moved (from the worker's shared receive buffer into an exchange's own) is moved with rebase().
// Source: RFC 9110, RFC 9112. Values: one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"

namespace ballast::http {

// Headers that the proxy itself reads, rewrites or removes; all others are Other.
enum class HeaderId : std::uint8_t {
  Other,
  Connection,
  ContentLength,
  ContentType,
  Cookie,
  Date,
  Expect,
  Forwarded,
  Host,
  Http2Settings,
  KeepAlive,
  ProxyConnection,
  Referer,
  Server,
  Te,
  Traceparent,
  Trailer,
  TransferEncoding,
  Upgrade,
  UserAgent,
  XForwardedFor,
  XForwardedHost,
  XForwardedPort,
  XForwardedProto,
  XRequestId,
};

// By name without case.
HeaderId header_id(Bytes name);

// Why a message was refused: the class that is counted, and the reason code of its 4xx (requests) or 502 (responses).
enum class Defect : std::uint8_t {
  None,
  BareLf,            // a line ends in LF without CR
  BareCr,            // CR without LF
  ObsFold,           // a header line begins with white space (RFC 9112 5.2)
  SpaceBeforeColon,  // RFC 9112 5.1
  NulByte,
  BadMethod,
  BadTarget,
  BadVersion,  // not HTTP/1.0 or HTTP/1.1
  BadStatus,   // response: status is not three digits 100..599
  BadHeaderName,
  BadHeaderValue,  // a control byte in a value
  MissingHost,
  RepeatedHost,
  BadHost,           // Host is not a valid host[:port]
  BadContentLength,  // not digits, or beyond 2^63-1
  RepeatedContentLength,
  LengthAndCoding,  // Content-Length with Transfer-Encoding
  UnknownCoding,    // Transfer-Encoding other than exactly one final "chunked"
  CodingInHttp10,   // Transfer-Encoding in an HTTP/1.0 message
  BadChunkSize,
  BadChunkExtension,  // longer than 256 bytes, or with a control byte
  BadChunkEnd,        // chunk data is not followed by CRLF
  BadTrailer,
  ForbiddenTrailer,  // a framing or routing header in the trailer (RFC 9110 6.5.1)
  LineTooLong,       // 414
  HeaderTooLarge,    // 431
  HeadTooLarge,      // 431
  TooManyHeaders,    // 431
  UpgradeWithBody,   // an upgrade request that also has a body
  BadAjpPacket,      // response: not an AJP packet, or none that may stand there
  // Oddities, which are refused by the strictest mode alone (desync.h).
  LeadingEmptyLine,   // before the request line
  UnexpectedBody,     // a GET, HEAD or DELETE with a body
  HostMismatch,       // an absolute target with an authority that Host contradicts
  PaddedNumber,       // a Content-Length or a chunk's size with zeroes in front
  ChunkExtension,     // there is one
  ObsText,            // a byte beyond ASCII in a value or a reason
  UnusualMethod,      // other than capitals, digits, '-' and '_'
  UnusualTarget,      // a byte that RFC 3986 does not allow, a '%' without two digits, or an encoded control byte
  UnusualHeaderName,  // other than letters, digits and '-'
  BareStatusLine,     // response: no space behind the status
  LengthOfNothing,    // response: a 1xx or 204 that states a length of 0
};
inline constexpr int defect_count = static_cast<int>(Defect::LengthOfNothing) + 1;

// What is wrong with a message, and at which of its bytes.
struct Flaw {
  Defect defect = Defect::None;
  std::uint64_t offset = 0;
};

// Name in metrics and logs, "bare_lf"; and the words for a person.
std::string_view to_string(Defect defect);
std::string_view explain(Defect defect);
// The status a request with this defect is answered with: 400, 414 or 431 (501 for UnknownCoding, 505 for BadVersion).
int status_of(Defect defect);

struct Field {
  std::uint32_t name_at = 0;
  std::uint32_t value_at = 0;
  std::uint32_t value_size = 0;
  std::uint16_t name_size = 0;
  HeaderId id = HeaderId::Other;
};

// More fields than this are refused whatever is configured.
inline constexpr int fields_max = 256;

// How the body that follows a head is delimited (RFC 9112 6.3).
enum class Framing : std::uint8_t { None, Length, Chunked, UntilClose };

class Fields {
 public:
  Fields() {}  // the array is deliberately left untouched: 4 KiB that most requests use 200 bytes of

  int count() const { return count_; }
  const Field& at(int index) const { return fields_[static_cast<std::size_t>(index)]; }
  Bytes name(const Field& field) const { return {base_ + field.name_at, field.name_size}; }
  Bytes value(const Field& field) const { return {base_ + field.value_at, field.value_size}; }
  // The first of that id or name (without case); nullptr where there is none.
  const Field* find(HeaderId id) const;
  const Field* find(Bytes name) const;
  Bytes value_or_empty(HeaderId id) const {
    const Field* field = find(id);
    return field != nullptr ? value(*field) : Bytes();
  }

  const Field* begin() const { return fields_.data(); }
  const Field* end() const { return fields_.data() + count_; }

  void clear(const char* base) {
    base_ = base;
    count_ = 0;
  }
  bool add(const Field& field) {
    if (count_ == fields_max) return false;
    fields_[static_cast<std::size_t>(count_++)] = field;
    return true;
  }
  void rebase(const char* base) { base_ = base; }
  const char* base() const { return base_; }

 private:
  const char* base_ = nullptr;
  int count_ = 0;
  std::array<Field, fields_max> fields_;
};

struct Slice {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
};

// A request line and its fields, with what they mean for framing and the connection already worked out.
class RequestHead {
 public:
  Fields fields;
  Framing framing = Framing::None;
  std::uint64_t content_length = 0;  // with Framing::Length; 0 for "Content-Length: 0", which is to be sent on
  int minor_version = 1;
  bool keep_alive = true;         // what the client's version and Connection header ask for
  bool expects_continue = false;  // Expect: 100-continue, HTTP/1.1
  bool wants_upgrade = false;     // Connection: upgrade with an Upgrade header
  bool is_head = false;
  bool is_connect = false;
  std::uint32_t size = 0;  // of the whole head, with its empty line
  Flaw oddity;             // what was let pass; the first where there are several

  Bytes method() const { return text(method_); }
  Bytes target() const { return text(target_); }  // as sent
  // Without the query; "*" for OPTIONS *, "/" for an absolute target without one, empty for CONNECT.
  Bytes path() const { return text(path_); }
  Bytes query() const { return text(query_); }  // behind the '?', empty where none
  bool has_query() const { return has_query_; }
  // From the absolute target or CONNECT's where there is one, else from Host; with its port as sent ("host:" has none).
  // Empty only for HTTP/1.0 without either.
  Bytes authority() const { return text(authority_); }
  Bytes host() const;  // authority without the port
  // Safe methods and PUT/DELETE (RFC 9110 9.2.2); what may be sent a second time.
  bool is_idempotent() const;

  void rebase(const char* base) { fields.rebase(base); }
  Bytes whole() const { return {fields.base(), size}; }

 private:
  friend class RequestParser;
  Bytes text(Slice slice) const { return {fields.base() + slice.at, slice.size}; }
  Slice method_, target_, path_, query_, authority_;
  bool has_query_ = false;
};

class ResponseHead {
 public:
  Fields fields;
  int status = 0;
  int minor_version = 1;
  Framing framing = Framing::None;   // with regard to the request's method
  std::uint64_t content_length = 0;  // as stated, also for HEAD and 304 (then Framing::None)
  bool has_content_length = false;
  bool keep_alive = true;  // whether the connection may be used again after the body; never for a tunnel (101, CONNECT)
  // From "Keep-Alive: timeout=N", seconds; what the target itself says it keeps an idle connection.
  std::optional<int> keep_alive_seconds;
  std::uint32_t size = 0;
  Flaw oddity;  // as a request's

  Bytes reason() const { return {fields.base() + reason_.at, reason_.size}; }
  void rebase(const char* base) { fields.rebase(base); }

 private:
  friend class ResponseParser;
  Slice reason_;
};

}  // namespace ballast::http
