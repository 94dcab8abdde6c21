// tunnel: bytes both ways between two connections until both have ended: layer 4 relaying, and HTTP upgrades.
//
// The end of one direction is passed on (half-close) and the other goes on; a reset of one side resets the other; when
// nothing has passed in either direction for `idle`, both are closed in order. Each direction holds at most what one
// read brought and the other side would not take. Between plain streams, much at once is moved through a pipe
// (io/pipe.h) and holds at most one of them.
#pragma once

#include <cstdint>

#include "base/buffer.h"
#include "io/stream.h"
#include "io/task.h"
#include "traffic/cells.h"

namespace ballast::traffic {

enum class TunnelEnd : std::uint8_t {
  Finished,   // both directions ended in order
  ClientCut,  // the client reset or vanished
  TargetCut,
  Idle,
  Cancelled,  // called off: drain's deadline, shutdown
};

struct TunnelResult {
  TunnelEnd end = TunnelEnd::Finished;
  std::uint64_t to_target_bytes = 0;
  std::uint64_t to_client_bytes = 0;
};

struct TunnelSides {
  io::Stream& client;
  io::Stream& target;
  // What has been received already and is to be sent first.
  Buffer to_target;
  Buffer to_client;
};

// Both streams are closed or reset when it ends. `sides` lives until then.
io::Task<TunnelResult> tunnel(TunnelSides& sides, io::Duration idle);

}  // namespace ballast::traffic
