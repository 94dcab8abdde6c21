// What the kinds of checks share, and the kinds that have a file of their own. Called by probe() alone.
#pragma once

#include <string>
#include <utility>

#include "io/deadline.h"
#include "io/tcp.h"
#include "traffic/control/probe.h"

namespace ballast::traffic {

inline ProbeResult probe_failed(model::TargetReason reason, std::string words) {
  return {.reason = reason, .words = std::move(words)};
}
inline ProbeResult probe_passed(std::string words) {
  return {.passed = true, .reason = model::TargetReason::Passed, .words = std::move(words)};
}

// On a connection that stands: reads the greeting, logs in with an empty password and takes its leave, so that the
// server sees a whole connection (see decisions/0013).
io::Task<ProbeResult> probe_mysql(const config::HealthCheck& check, io::TcpStream& stream, io::Deadline deadline);

struct GrpcQuestion {
  Bytes authority;
  Bytes scheme;
};
// On a connection that stands, over TLS or not: asks the server's health service. The transport is closed at the end.
io::Task<ProbeResult> probe_grpc(io::Loop& loop, const config::HealthCheck& check, io::Stream& transport,
                                 GrpcQuestion question, io::Deadline deadline);
// One datagram to the target, and its answer.
io::Task<ProbeResult> probe_udp(io::Loop& loop, const config::HealthCheck& check, const ProbeTarget& target,
                                io::Deadline deadline);

// Runs a command that is told the target in its environment.
io::Task<ProbeResult> probe_exec(io::Loop& loop, const config::HealthCheck& check, const ProbeTarget& target,
                                 io::Deadline deadline);

}  // namespace ballast::traffic
