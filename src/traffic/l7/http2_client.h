// HTTP/2 toward clients: a connection whose streams are answered each by an Exchange of its own.
//
// A stream's head is put down as one of HTTP/1.1 and judged by the same parser (wire/http2/head_text.h), so that rules,
// targets and logs see no difference. Worker's thread; ends with its connection.
#pragma once

#include <cstdint>
#include <memory>

#include "io/scope.h"
#include "io/stream.h"
#include "io/task.h"
#include "traffic/l7/client.h"
#include "wire/http2/session.h"

namespace ballast::traffic {

// What a connection of HTTP/2 begins with (RFC 9113 3.4).
inline constexpr Bytes http2_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Where the connection that carries the streams comes from.
struct Http2Origin {
  Worker& worker;
  std::shared_ptr<ListenerShare> listener;
  io::Peer peer;
  ClientOrigin& origin;                 // outlives the streams
  const tls::Stream* secure = nullptr;  // what carries it, where that is TLS
};

// Serves the connection until it ends; `received` are its first bytes. `transport` lives until then, and is closed.
io::Task<void> serve_http2(Http2Origin origin, io::Stream& transport, Bytes received);

}  // namespace ballast::traffic
