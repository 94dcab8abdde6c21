#include "wire/ajp/container_packet.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "wire/ajp/packet.h"
#include "wire/http/hop_by_hop.h"
#include "wire/http/list.h"
#include "wire/http/octets.h"

namespace ballast::ajp {
namespace {

PacketOutcome refused(PacketDefect defect) {
  return {http::Progress::Failed, defect};
}

// Codes 0xA001 and up, in this order.
constexpr std::array<Bytes, 11> coded_headers{"Content-Type",   "Content-Language", "Content-Length",  "Date",
                                              "Last-Modified",  "Location",         "Set-Cookie",      "Set-Cookie2",
                                              "Servlet-Engine", "Status",           "WWW-Authenticate"};

// Reads the fields of a payload from its front; after a failure all reads fail.
class PayloadReader {
 public:
  explicit PayloadReader(Bytes payload) : rest_(payload) {}

  bool number(std::uint16_t& value) {
    if (rest_.size() < 2) return false;
    value = get_16(rest_.data());
    rest_.remove_prefix(2);
    return true;
  }
  // Length, bytes, NUL; a length of 0xFFFF is no string, and read as an empty one.
  bool text(Bytes& value) {
    std::uint16_t size = 0;
    return number(size) && text_of(size, value);
  }
  bool header_name(Bytes& name) {
    std::uint16_t code = 0;
    if (!number(code)) return false;
    if ((code & 0xFF00U) != 0xA000) return text_of(code, name);
    const std::size_t index = (code & 0xFFU) - 1U;
    if (index >= coded_headers.size()) return false;
    name = coded_headers[index];
    return true;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  bool text_of(std::uint16_t size, Bytes& value) {
    constexpr std::uint16_t null_length = 0xFFFF;
    value = {};
    if (size == null_length) return true;
    if (rest_.size() < size + 1U || rest_[size] != '\0') return false;
    value = rest_.substr(0, size);
    rest_.remove_prefix(size + 1U);
    return true;
  }
  Bytes rest_;
};

// Fields about a connection that ends at the container; its framing is AJP's.
bool belongs_to_connection(Bytes name) {
  switch (http::header_id(name)) {
    case http::HeaderId::Connection:
    case http::HeaderId::KeepAlive:
    case http::HeaderId::ProxyConnection:
    case http::HeaderId::TransferEncoding:
    case http::HeaderId::Upgrade:
    case http::HeaderId::Trailer:
      return true;
    default:
      return false;
  }
}

bool is_value(Bytes text) {
  return std::ranges::all_of(text, http::is_value_octet);
}

// White space at the ends of a value means nothing, and would be taken off by the parser.
bool write_head(Bytes data, Buffer& out) {
  PayloadReader reader(data);
  std::uint16_t status = 0;
  std::uint16_t count = 0;
  Bytes message;
  if (!reader.number(status) || !reader.text(message) || !reader.number(count)) return false;
  if (status < 100 || status > 599 || !is_value(message)) return false;
  const std::string digits = fmt::format_int(status).str();
  out.append(Bytes("HTTP/1.1 "));
  out.append(Bytes(digits));
  out.append(' ');
  // Tomcat says the number again where it has no phrase.
  if (message != digits) out.append(message);
  out.append(Bytes("\r\n"));
  for (int i = 0; i < count; ++i) {
    Bytes name;
    Bytes value;
    if (!reader.header_name(name) || !reader.text(value)) return false;
    if (name.empty() || !std::ranges::all_of(name, http::is_token_octet) || !is_value(value)) return false;
    if (belongs_to_connection(name)) continue;
    out.append(name);
    out.append(Bytes(": "));
    out.append(value);
    out.append(Bytes("\r\n"));
  }
  out.append(Bytes("\r\n"));
  return reader.at_end();
}

}  // namespace

PacketOutcome parse_packet(Bytes input, std::size_t packet_bytes, Packet& packet) {
  constexpr Bytes magic = "AB";
  const std::size_t magic_seen = std::min(input.size(), magic.size());
  if (input.substr(0, magic_seen) != magic.substr(0, magic_seen)) return refused(PacketDefect::BadMagic);
  if (input.size() < packet_head_bytes) return {};
  const std::size_t size = get_16(input.data() + 2);
  if (size == 0 || size + packet_head_bytes > packet_bytes) return refused(PacketDefect::BadLength);
  if (input.size() == packet_head_bytes) return {};

  const Bytes kind_and_rest = input.substr(packet_head_bytes, size);
  packet = {.size = size + packet_head_bytes};
  const bool complete = kind_and_rest.size() == size;
  const Bytes rest = kind_and_rest.substr(1);
  switch (kind_and_rest[0]) {
    case static_cast<char>(PacketKind::BodyChunk): {
      if (size < 3) return refused(PacketDefect::BadContent);
      if (rest.size() < 2) return {};
      // Tomcat ends the data with a NUL, others do not.
      const std::size_t data_size = get_16(rest.data());
      if (size != 3 + data_size && size != 4 + data_size) return refused(PacketDefect::BadContent);
      if (!complete) return {};
      if (size == 4 + data_size && rest.back() != '\0') return refused(PacketDefect::BadContent);
      packet.kind = PacketKind::BodyChunk;
      packet.data = rest.substr(2, data_size);
      break;
    }
    case static_cast<char>(PacketKind::Headers):
      if (!complete) return {};
      packet.kind = PacketKind::Headers;
      packet.data = rest;
      break;
    case static_cast<char>(PacketKind::EndResponse):
      if (size != 2) return refused(PacketDefect::BadContent);
      if (!complete) return {};
      packet.kind = PacketKind::EndResponse;
      packet.reuse = rest[0] != '\0';
      break;
    case static_cast<char>(PacketKind::GetBody):
      if (size != 3) return refused(PacketDefect::BadContent);
      if (!complete) return {};
      packet.kind = PacketKind::GetBody;
      packet.wanted = get_16(rest.data());
      break;
    case static_cast<char>(PacketKind::Pong):
      if (size != 1) return refused(PacketDefect::BadContent);
      packet.kind = PacketKind::Pong;
      break;
    default:
      return refused(PacketDefect::BadKind);
  }
  return {.progress = http::Progress::Complete};
}

bool read_response_head(Bytes data, const http::HeadLimits& limits, http::ResponseParser::Question question,
                        Buffer& out, http::ResponseHead& head, http::Outcome& outcome) {
  out.clear();
  outcome = {.progress = http::Progress::Failed, .defect = http::Defect::BadAjpPacket};
  if (!write_head(data, out)) return false;
  outcome = http::ResponseParser::parse(out.view(), limits, question, head);
  if (outcome.progress != http::Progress::Complete) {
    // All of the head is there: asking for more means that a limit cut it.
    if (outcome.progress == http::Progress::NeedMore) outcome.defect = http::Defect::HeadTooLarge;
    return false;
  }
  if (head.framing == http::Framing::UntilClose) head.framing = http::Framing::Chunked;
  head.keep_alive = true;  // until EndResponse says otherwise
  return true;
}

}  // namespace ballast::ajp
