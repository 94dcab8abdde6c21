#include "wire/ajp/forward_request.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "wire/ajp/packet.h"
#include "wire/http/list.h"
#include "wire/http/octets.h"

namespace ballast::ajp {
namespace {

constexpr char forward_request_code = 2;
constexpr char stored_method_code = '\xFF';

// Codes 1 and up, in this order.
constexpr std::array<Bytes, 27> methods{
    "OPTIONS",  "GET",        "HEAD",   "POST",        "PUT",    "DELETE", "TRACE",  "PROPFIND",         "PROPPATCH",
    "MKCOL",    "COPY",       "MOVE",   "LOCK",        "UNLOCK", "ACL",    "REPORT", "VERSION-CONTROL",  "CHECKIN",
    "CHECKOUT", "UNCHECKOUT", "SEARCH", "MKWORKSPACE", "UPDATE", "LABEL",  "MERGE",  "BASELINE-CONTROL", "MKACTIVITY"};

// Codes 0xA001 and up, in this order.
constexpr std::array<Bytes, 14> coded_headers{
    "accept",     "accept-charset", "accept-encoding", "accept-language", "authorization",
    "connection", "content-type",   "content-length",  "cookie",          "cookie2",
    "host",       "pragma",         "referer",         "user-agent"};
constexpr std::size_t content_length_code = 0xA008;

enum class Attribute : std::uint8_t {
  RemoteUser = 3,
  QueryString = 5,
  JvmRoute = 6,
  SslCert = 7,
  SslCipher = 8,
  SslSession = 9,
  Named = 10,  // two strings: a name and its value
  SslKeySize = 11,
  Secret = 12,
  StoredMethod = 13,
  Done = 0xFF,
};

// Appends to a Buffer and remembers the first thing that could not be written.
class PacketWriter {
 public:
  PacketWriter(Buffer& out, std::size_t bytes_max) : out_(out), begin_(out.size()), bytes_max_(bytes_max) {
    out_.append(Bytes("\x12\x34\0\0", packet_head_bytes));
  }

  void byte(char value) {
    if (fits(1)) out_.append(value);
  }
  void number(std::size_t value) {
    if (!fits(2)) return;
    put_16(out_.room(2), value);
    out_.commit(2);
  }
  // `what` names it in the error. `also` may stand in the text beside printable bytes.
  enum class Also : std::uint8_t { Nothing, LineEnds };
  void text(Bytes value, std::string_view what, Also also = Also::Nothing) {
    constexpr std::size_t null_length = 0xFFFF;  // a length that says "no string"
    if (value.size() >= null_length) too_large_ = true;
    const auto allowed = [also](char c) {
      return http::is_value_octet(c) || (also == Also::LineEnds && (c == '\r' || c == '\n'));
    };
    if (invalid_.empty() && !std::ranges::all_of(value, allowed)) invalid_ = what;
    if (too_large_ || !fits(value.size() + 3)) return;
    number(value.size());
    out_.append(value);
    out_.append('\0');
  }
  void null() { number(0xFFFF); }
  void attribute(Attribute attribute, Bytes value, std::string_view what, Also also = Also::Nothing) {
    byte(static_cast<char>(attribute));
    text(value, what, also);
  }
  void named_attribute(Bytes name, Bytes value) {
    byte(static_cast<char>(Attribute::Named));
    text(name, "attribute");
    text(value, name);
  }
  void refuse(std::string_view what) {
    if (invalid_.empty()) invalid_ = what;
  }

  // Fills in the length, or takes all of it back.
  Result<> finish() {
    const std::size_t size = out_.size() - begin_;
    if (invalid_.empty() && !too_large_) {
      put_16(const_cast<char*>(out_.view().data()) + begin_ + 2, size - packet_head_bytes);
      return {};
    }
    const Bytes before = out_.view().substr(0, begin_);
    Buffer kept;
    kept.append(before);
    out_ = std::move(kept);
    if (!invalid_.empty()) {
      return fail(Code::Invalid, fmt::format("the request's {} holds a byte that AJP cannot carry", invalid_));
    }
    return fail(Code::TooLarge,
                fmt::format("the request's head does not fit into an AJP packet of {} bytes; raise packet_size here "
                            "and packetSize in the container",
                            bytes_max_));
  }

 private:
  bool fits(std::size_t size) {
    if (out_.size() - begin_ + size > bytes_max_) too_large_ = true;
    return !too_large_;
  }

  Buffer& out_;
  std::size_t begin_;
  std::size_t bytes_max_;
  bool too_large_ = false;
  std::string_view invalid_;
};

bool is_token(Bytes text) {
  return !text.empty() && std::ranges::all_of(text, http::is_token_octet);
}

void write_lines(PacketWriter& packet, const ForwardRequest& request) {
  packet.number(request.lines.size() + (request.content_length.has_value() ? 1 : 0));
  for (const http::FieldLine& line : request.lines) {
    if (!is_token(line.name)) return packet.refuse("header name");
    const auto same = [&](Bytes name) { return http::iequals(name, line.name); };
    const auto coded = std::ranges::find_if(coded_headers, same);
    if (coded != coded_headers.end()) {
      packet.number(0xA001 + static_cast<std::size_t>(coded - coded_headers.begin()));
    } else {
      // A length of 0xA0nn would be read as a code.
      if (line.name.size() >= 0xA000) return packet.refuse("header name");
      packet.text(line.name, "header name");
    }
    packet.text(line.value, line.name);
  }
  if (request.content_length.has_value()) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *request.content_length).ptr;
    packet.number(content_length_code);
    packet.text({digits.data(), static_cast<std::size_t>(end - digits.data())}, "Content-Length");
  }
}

void write_attributes(PacketWriter& packet, const ForwardRequest& request, bool stores_method) {
  if (!request.user.empty()) packet.attribute(Attribute::RemoteUser, request.user, "user");
  if (request.query.has_value()) packet.attribute(Attribute::QueryString, *request.query, "query");
  if (!request.route.empty()) packet.attribute(Attribute::JvmRoute, request.route, "route");
  if (request.tls.has_value()) {
    const TlsFacts& tls = *request.tls;
    if (!tls.certificate.empty()) {
      packet.attribute(Attribute::SslCert, tls.certificate, "certificate", PacketWriter::Also::LineEnds);
    }
    if (!tls.cipher.empty()) packet.attribute(Attribute::SslCipher, tls.cipher, "cipher");
    if (!tls.session.empty()) packet.attribute(Attribute::SslSession, tls.session, "TLS session");
    if (tls.key_bits > 0) {
      packet.byte(static_cast<char>(Attribute::SslKeySize));
      packet.number(static_cast<std::size_t>(tls.key_bits));
    }
    if (!tls.protocol.empty()) packet.named_attribute("AJP_SSL_PROTOCOL", tls.protocol);
  }
  if (!request.secret.empty()) packet.attribute(Attribute::Secret, request.secret, "secret");
  if (stores_method) packet.attribute(Attribute::StoredMethod, request.method, "method");
  if (request.remote_port != 0) {
    packet.named_attribute("AJP_REMOTE_PORT", fmt::format_int(request.remote_port).str());
  }
  if (!request.local_address.empty()) packet.named_attribute("AJP_LOCAL_ADDR", request.local_address);
  packet.byte(static_cast<char>(Attribute::Done));
}

}  // namespace

Result<> write_forward_request(Buffer& out, const ForwardRequest& request, std::size_t packet_bytes) {
  PacketWriter packet(out, std::min(packet_bytes, packet_head_bytes + 0xFFFF));
  const auto method = std::ranges::find(methods, request.method);
  const bool stores_method = method == methods.end();
  if (stores_method && !is_token(request.method)) packet.refuse("method");
  packet.byte(forward_request_code);
  packet.byte(stores_method ? stored_method_code : static_cast<char>(method - methods.begin() + 1));
  packet.text(request.protocol, "protocol");
  packet.text(request.uri, "path");
  packet.text(request.remote_address, "remote address");
  packet.null();  // remote_host: no names are looked up; getRemoteHost() gives the address
  packet.text(request.server_name, "host");
  packet.number(request.server_port);
  packet.byte(request.tls.has_value() ? 1 : 0);
  write_lines(packet, request);
  write_attributes(packet, request, stores_method);
  return packet.finish();
}

}  // namespace ballast::ajp
