// AJP13 packets: what both directions share. A packet is two bytes that name the direction, a length of two bytes, and
// so many bytes of payload; all numbers are big-endian.
//
// To the container "\x12\x34", from it "AB". What each payload may be stands at its writer (forward_request.h,
// body_packet.h) or reader (container_packet.h). Source: Apache Tomcat Connectors, "AJP Protocol Reference" (ajpv13a),
// and what Tomcat 10.1 and mod_jk 1.2.48 do where it is silent.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace ballast::ajp {

inline constexpr std::size_t packet_head_bytes = 4;

// Of a whole packet, head included; both ends must be set to the same (Tomcat: packetSize).
inline constexpr std::size_t packet_bytes_default = 8192;
inline constexpr std::size_t packet_bytes_max = 65536;

// Body bytes that fit into one packet to the container: behind the packet's head and the data's own length.
constexpr std::size_t body_room(std::size_t packet_bytes) {
  constexpr std::size_t length_max = 65535 - 2;  // the packet's length field counts the data's own length too
  const std::size_t room = packet_bytes - packet_head_bytes - 2;
  return room < length_max ? room : length_max;
}

inline void put_16(char* at, std::size_t value) {
  at[0] = static_cast<char>((value >> 8) & 0xFF);
  at[1] = static_cast<char>(value & 0xFF);
}
inline std::uint16_t get_16(const char* at) {
  return static_cast<std::uint16_t>((static_cast<unsigned char>(at[0]) << 8) | static_cast<unsigned char>(at[1]));
}

// "Are you there?": the container answers with a packet of Kind::Pong.
inline constexpr Bytes ping_packet("\x12\x34\x00\x01\x0a", 5);
// The body has no more bytes.
inline constexpr Bytes end_of_body_packet("\x12\x34\x00\x00", 4);

}  // namespace ballast::ajp
