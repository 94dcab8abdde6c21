// Outgoing heads: what is to be sent, apart from how HTTP/1.1 frames it. Fields that frame a message or belong to one
// connection (Content-Length, Transfer-Encoding, Connection, Upgrade) are not among the lines: the writers add them
// from OutgoingFraming.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/bytes.h"
#include "wire/http/message.h"

namespace ballast::http {

// Views; their bytes outlive the writing of the head.
struct FieldLine {
  Bytes name;
  Bytes value;
};

enum class ConnectionUse : std::uint8_t { KeepAlive, Close, Upgrade };

struct OutgoingFraming {
  Framing framing = Framing::None;
  std::uint64_t length = 0;  // with Framing::Length
  // A length to be stated though no body follows: a response to HEAD, a 304.
  bool states_length = false;
  ConnectionUse use = ConnectionUse::KeepAlive;
  Bytes upgrade;  // the protocol, with ConnectionUse::Upgrade
  // What the peer of this message speaks: a 1.0 client is told of keep-alive.
  int peer_minor_version = 1;
};

struct OutgoingRequest {
  Bytes method;
  Bytes target;
  std::span<const FieldLine> lines;
};

struct OutgoingResponse {
  int status = 200;
  Bytes reason;  // empty: the standard phrase
  std::span<const FieldLine> lines;
};

void write_head(Buffer& out, const OutgoingRequest& request, const OutgoingFraming& framing);
void write_head(Buffer& out, const OutgoingResponse& response, const OutgoingFraming& framing);

}  // namespace ballast::http
