// The two messages of grpc.health.v1.Health/Check, in protobuf's encoding with gRPC's prefix of five bytes. They are so
// small that they are written and read by hand. Pure.
//
// Source: the gRPC health checking protocol (grpc/doc/health-checking.md); protobuf's encoding.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/buffer.h"

namespace ballast::grpc {

enum class Serving : std::uint8_t { Unknown = 0, Serving = 1, NotServing = 2, ServiceUnknown = 3 };
std::string_view to_string(Serving serving);  // "NOT_SERVING"

// Asks for `service`; empty: for the server as a whole.
void write_health_request(Buffer& out, Bytes service);
// Of a whole message with its prefix; nullopt: it is not such a message. A status of a later protocol is Unknown.
std::optional<Serving> parse_health_response(Bytes message);

}  // namespace ballast::grpc
