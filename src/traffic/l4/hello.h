// read_hello: the first bytes of a TLS client, until they say which name it asks for. Nothing of them is changed; they
// are kept for the target.
#pragma once

#include "base/buffer.h"
#include "io/stream.h"
#include "traffic/reason.h"
#include "wire/tls/client_hello.h"

namespace ballast::traffic {

struct HelloRead {
  bool is_there = false;
  // None, and not there: the client went before it said anything, or we are stopping.
  Reason reason = Reason::None;
};

// `bytes` holds what has come already and gets all that is read, at most tls::client_hello_raw_bytes_max and one
// receive buffer. On a failure the client is told by an alert where it can understand one.
io::Task<HelloRead> read_hello(io::Stream& client, Buffer& bytes, tls::ClientHelloReader& reader,
                               io::Deadline deadline);

// Tells the client why, and closes.
void refuse_client(io::Stream& client, tls::Alert alert);

}  // namespace ballast::traffic
