// The states of a target, as the user sees them, with the reason for each.
//
//   state        reason                    when
//   initial      initial_checking          registered, its first check has not ended
//   healthy      passed                    the healthy threshold was reached (a new target: one pass)
//   healthy      checks_disabled           the group has no health check
//   unhealthy    connect_failed            the check could not connect
//   unhealthy    response_code_mismatch    the check got another status than success_codes
//   unhealthy    timed_out                 the check's answer did not come in time
//   unhealthy    bad_response              the check's answer was not HTTP
//   unhealthy    tls_failed                the check's TLS handshake failed: the certificate is not trusted, mostly
//   unhealthy    name_not_resolved         the target's name has never resolved
//   unhealthy    behind_peers              a node's height is too far behind the best of its group
//   unhealthy    stalled                   a node's height has stopped growing
//   unhealthy    command_failed            the check's command ended otherwise than with exit code 0
//   unhealthy    not_serving               the server's gRPC health service says so, or does not know the service
//   unhealthy    ejected                   its checks pass, and requests fail at it: out for a while (`outliers`)
//   draining     deregistration            removed by a change; in-flight requests end within the deregistration delay
//   draining     drained_by_operator       `ballast target drain`; stays until enabled
//   unused       no_route                  no listener forwards to its group
//   unavailable  weight_zero               takes no new requests
//
// The words follow AWS's target health states, which the users know.
#pragma once

#include <cstdint>
#include <string_view>

namespace ballast::model {

enum class TargetState : std::uint8_t { Initial, Healthy, Unhealthy, Draining, Unused, Unavailable };

enum class TargetReason : std::uint8_t {
  InitialChecking,
  Passed,
  ChecksDisabled,
  ConnectFailed,
  ResponseCodeMismatch,
  TimedOut,
  BadResponse,
  TlsFailed,
  NameNotResolved,
  Deregistration,
  DrainedByOperator,
  NoRoute,
  WeightZero,
  BehindPeers,
  Stalled,
  CommandFailed,
  NotServing,
  Ejected,
};

std::string_view to_string(TargetState state);    // "healthy"
std::string_view to_string(TargetReason reason);  // "Target.ResponseCodeMismatch"

}  // namespace ballast::model
