// probe: one health check of one target: connects, asks, looks at the answer. Runs on the control thread, on
// connections of its own, so that a check neither waits for requests nor delays them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "config/settings.h"
#include "io/address.h"
#include "io/task.h"
#include "model/target.h"
#include "wire/tls/client_context.h"

namespace ballast::io {
class Loop;
}

namespace ballast::traffic {

struct ProbeResult {
  bool passed = false;
  model::TargetReason reason = model::TargetReason::ConnectFailed;  // of a failure
  std::string words;                                                // "GET /healthz gave 500, wanted 200"
  std::optional<std::uint64_t>
      height;  // that a jsonrpc check was told; whether it will do is for judge_height() to say
};

// For checks over TLS; without a context a grpc check is made in clear text.
struct ProbeTls {
  std::shared_ptr<const tls::ClientContext> context;
  std::string name;  // asked for and verified
};

// `address` is the target's; the check's own port, where it has one, replaces it. `introduction` is what the target
// wants to hear first, a PROXY header; not on a port of the check's own. References live until the task ends.
struct ProbeTarget {
  io::SocketAddress address;
  Bytes host;
  Bytes introduction;
  const ProbeTls& tls;
};
io::Task<ProbeResult> probe(io::Loop& loop, const config::HealthCheck& check, ProbeTarget target);

}  // namespace ballast::traffic
