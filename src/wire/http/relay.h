// relay: sends a message whose head is ready and whose body is pulled, with the framing the other side is to see.
//
// What can go out at once goes out at once: a head and a body that came together are one call to the kernel. Only what
// the sink would not take is copied (into `out`, at most one receive buffer), and nothing more is pulled until it is
// gone.
//
// What is left of a long body that needs no new framing is moved from a plain stream through a pipe (io/splice.h), and
// from a file by sendfile(2), to a stream that takes what is moved; the limits hold there too.
#pragma once

#include <cstdint>

#include "base/buffer.h"
#include "io/stream.h"
#include "io/task.h"
#include "wire/http/body.h"

namespace ballast::http {

struct RelayLimits {
  io::Duration source_idle;              // no byte of the body for so long
  io::Duration sink_idle;                // no byte taken for so long
  std::uint64_t bytes_max = UINT64_MAX;  // of the body; more is RelayEnd::TooLarge
  // The body's average over each window, the first excepted; 0: off. Time spent waiting for the sink does not count.
  std::uint64_t rate_min = 0;  // bytes per second
  io::Duration rate_window = std::chrono::seconds(10);
};

enum class RelayEnd : std::uint8_t { Done, SourceFailed, SourceTooSlow, SourceTooLarge, SinkFailed, Cancelled };

struct RelayResult {
  RelayEnd end = RelayEnd::Done;
  Code code = Code::Closed;      // of a failure; TimedOut where it was a wait
  Defect defect = Defect::None;  // of a malformed source
  std::uint64_t body_bytes = 0;  // taken from the source
  bool head_sent = false;        // something of the message has been given to the sink
};

// `out` holds the serialised head and is empty afterwards; references live until the task ends.
io::Task<RelayResult> relay(Buffer& out, Body& body, Framing framing, io::Stream& sink, RelayLimits limits);

// Sends what is in `out`.
io::Task<Result<>> flush(Buffer& out, io::Stream& sink, io::Duration idle);

}  // namespace ballast::http
