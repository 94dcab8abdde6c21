// parse_packet: one packet from the container, read strictly.
//
// Pure; a parse starts anew when more bytes have come, and judges from left to right: a packet cut anywhere gives
// NeedMore or the very outcome of the whole. A container that breaks the protocol cannot be believed about where its
// next packet begins: the connection is over.
#pragma once

#include <cstdint>

#include "base/buffer.h"
#include "base/bytes.h"
#include "wire/http/parse.h"

namespace ballast::ajp {

enum class PacketKind : std::uint8_t {
  BodyChunk = 3,    // `data`; empty ones only say "flush"
  Headers = 4,      // `data` for read_response_head()
  EndResponse = 5,  // `reuse`
  GetBody = 6,      // `wanted` bytes of the request's body, or fewer
  Pong = 9,
};

struct Packet {
  PacketKind kind = PacketKind::Pong;
  Bytes data;  // a view into the input
  bool reuse = false;
  std::size_t wanted = 0;
  std::size_t size = 0;  // of the whole packet
};

// Why bytes from a container were refused; for tests and the fuzzer. Operators see http::Defect::BadAjpPacket.
enum class PacketDefect : std::uint8_t { None, BadMagic, BadLength, BadKind, BadContent };

struct PacketOutcome {
  http::Progress progress = http::Progress::NeedMore;
  PacketDefect defect = PacketDefect::None;
};

// `packet_bytes` bounds the whole packet.
PacketOutcome parse_packet(Bytes input, std::size_t packet_bytes, Packet& packet);

// Writes the head that a Headers packet carries as HTTP/1.1, which the strict parser of HTTP then reads: `out` holds
// what `head` views. Fields of the connection between container and us are left out. A body whose length is not stated
// ends with the packet that says so: it is given as Framing::Chunked. False: the packet is malformed, or the head
// breaks HTTP; then `outcome` says how.
bool read_response_head(Bytes data, const http::HeadLimits& limits, http::ResponseParser::Question question,
                        Buffer& out, http::ResponseHead& head, http::Outcome& outcome);

}  // namespace ballast::ajp
