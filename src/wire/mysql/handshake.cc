#include "wire/mysql/handshake.h"

namespace ballast::mysql {
namespace {

constexpr std::size_t head_bytes = 4;  // length of three bytes, sequence number

std::uint8_t byte(char c) {
  return static_cast<std::uint8_t>(c);
}

void append_head(Buffer& out, std::size_t size, std::uint8_t sequence) {
  out.append(static_cast<char>(size & 0xFFU));
  out.append(static_cast<char>(size >> 8U & 0xFFU));
  out.append(static_cast<char>(size >> 16U & 0xFFU));
  out.append(static_cast<char>(sequence));
}

Kind read_error(Bytes body, Packet& packet) {
  constexpr std::size_t code_bytes = 2;
  constexpr std::size_t state_bytes = 6;  // '#' and five characters, after the greeting only
  if (body.size() < 1 + code_bytes) return Kind::Malformed;
  packet.code = static_cast<std::uint16_t>(byte(body[1]) | byte(body[2]) << 8);
  packet.text = body.substr(1 + code_bytes);
  if (packet.text.starts_with('#') && packet.text.size() >= state_bytes) packet.text.remove_prefix(state_bytes);
  return Kind::Error;
}

Kind read_greeting(Bytes body, Packet& packet) {
  constexpr std::size_t connection_and_scramble_bytes = 4 + 8 + 1;
  constexpr std::size_t capability_bytes = 2;
  const std::size_t end = body.find('\0', 1);
  if (end == Bytes::npos || end == 1) return Kind::Malformed;
  if (body.size() - end - 1 < connection_and_scramble_bytes + capability_bytes) return Kind::Malformed;
  packet.server_version = body.substr(1, end - 1);
  return Kind::Greeting;
}

}  // namespace

Packet parse(Bytes bytes, Stage stage) {
  constexpr std::uint8_t protocol = 10;
  Packet packet;
  if (bytes.size() < head_bytes) return packet;
  const std::size_t size = static_cast<std::size_t>(byte(bytes[0]) | byte(bytes[1]) << 8 | byte(bytes[2]) << 16);
  packet.sequence = byte(bytes[3]);
  packet.size = head_bytes + size;
  if (size == 0 || size > packet_bytes_max || (stage == Stage::Greeting && packet.sequence != 0)) {
    packet.kind = Kind::Malformed;
    return packet;
  }
  if (bytes.size() < packet.size) return packet;
  const Bytes body = bytes.substr(head_bytes, size);
  const std::uint8_t first = byte(body[0]);
  if (first == 0xFF) {
    packet.kind = read_error(body, packet);
  } else if (stage == Stage::Greeting) {
    packet.kind = first == protocol ? read_greeting(body, packet) : Kind::Malformed;
  } else {
    packet.kind = first == 0x00   ? Kind::Ok
                  : first == 0xFE ? Kind::SwitchMethod
                  : first == 0x01 ? Kind::MoreData
                                  : Kind::Malformed;
  }
  return packet;
}

std::string_view plain_version(Bytes server_version) {
  constexpr Bytes disguise = "5.5.5-";
  if (server_version.starts_with(disguise)) server_version.remove_prefix(disguise.size());
  return server_version;
}

void write_login(Buffer& out, std::uint8_t sequence, Bytes user) {
  constexpr std::uint32_t long_password = 0x1;
  constexpr std::uint32_t protocol_41 = 0x200;
  constexpr std::uint32_t secure_connection = 0x8000;
  constexpr std::uint32_t plugin_auth = 0x80000;
  constexpr std::uint32_t capabilities = long_password | protocol_41 | secure_connection | plugin_auth;
  constexpr char utf8_general = 33;
  Buffer body;
  for (unsigned shift = 0; shift < 32; shift += 8) body.append(static_cast<char>(capabilities >> shift & 0xFFU));
  body.append(Bytes("\0\0\0\1", 4));  // packets of 16 MiB
  body.append(utf8_general);
  body.append(Bytes("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 23));
  body.append(user);
  body.append('\0');
  body.append('\0');  // an empty password is an empty answer
  body.append(Bytes("mysql_native_password\0", 22));
  append_head(out, body.size(), sequence);
  out.append(body.view());
}

void write_empty(Buffer& out, std::uint8_t sequence) {
  append_head(out, 0, sequence);
}

void write_quit(Buffer& out) {
  append_head(out, 1, 0);
  out.append('\1');
}

}  // namespace ballast::mysql
