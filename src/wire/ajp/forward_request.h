// write_forward_request: a request's head as the one packet that AJP has for it.
//
// Pure. The packet holds all of the head or the request cannot be sent: there is no continuation. Values are checked
// here once more, whatever their source: each goes with its length, and the container trusts it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"
#include "wire/http/outgoing.h"

namespace ballast::ajp {

// Of the client's TLS connection; empty: not known, and not sent.
struct TlsFacts {
  Bytes certificate;  // the client's, PEM
  Bytes cipher;
  Bytes session;
  int key_bits = 0;
  Bytes protocol;  // "TLSv1.3"
};

struct ForwardRequest {
  Bytes method;
  Bytes protocol = "HTTP/1.1";
  Bytes uri;                   // without the query
  std::optional<Bytes> query;  // without '?'
  Bytes remote_address;        // the client's
  std::uint16_t remote_port = 0;
  Bytes local_address;                          // where it connected to; empty: not sent
  Bytes server_name;                            // as the client wrote it; the Host header goes before it
  std::uint16_t server_port = 0;                // where the client connected to: what getLocalPort() gives
  std::span<const http::FieldLine> lines;       // without those that frame the message
  std::optional<std::uint64_t> content_length;  // none: no body, or one of unknown length
  std::optional<TlsFacts> tls;                  // the client came over TLS
  Bytes user;                                   // whom the door let in; empty: nobody was asked
  Bytes route;                                  // the target's jvmRoute; empty: none
  Bytes secret;                                 // empty: none
};

// Appends the packet to `out`. Errors, with nothing appended: TooLarge: it does not fit into `packet_bytes`; Invalid: a
// value holds a byte that no value may (text names the value).
Result<> write_forward_request(Buffer& out, const ForwardRequest& request, std::size_t packet_bytes);

}  // namespace ballast::ajp
