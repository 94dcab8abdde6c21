// probe: one health check of one target: connects, asks, looks at the answer. Runs on the control thread, on
// connections of its own, so that a check neither waits for requests nor delays them.
#pragma once

#include <memory>
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
};

// For checks over TLS.
struct ProbeTls {
  std::shared_ptr<const tls::ClientContext> context;
  std::string name;  // asked for and verified
};

// `address` is the target's; the check's own port, where it has one, replaces it. References live until the task ends.
io::Task<ProbeResult> probe(io::Loop& loop, const config::HealthCheck& check, io::SocketAddress address, Bytes host,
                            const ProbeTls& tls);

}  // namespace ballast::traffic
