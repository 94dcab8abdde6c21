// The state machine of one target, as a pure function: decide(spec, record, seen, now) -> the next record, an event,
// the next check. No I/O, no threads, no clock: the health keeper (control thread) observes, calls this and acts on the
// answer.
//
// Two things are kept apart. The verdict is what checks alone say (unknown, healthy, unhealthy) and is never forgotten
// by anything an operator does; the state (model/target.h) is what the user sees, and follows from spec and verdict:
//
//   first that holds                        state, reason
//   removed by a change                     draining     deregistration
//   drained by the operator                 draining     drained_by_operator
//   no listener forwards to the group       unused       no_route
//   weight 0                                unavailable  weight_zero
//   verdict unknown                         initial      initial_checking
//   verdict unhealthy                       unhealthy    the reason of the last failure
//   ejected for what requests met           unhealthy    ejected
//   verdict healthy                         healthy      passed, checks_disabled
//
//   verdict    seen                                        next verdict
//   unknown    passed                                      healthy (a new target: one pass)
//   unknown    failed                                      unhealthy
//   healthy    unhealthy_threshold failures in a row       unhealthy
//   unhealthy  healthy_threshold passes in a row           healthy (one pass where it has never been healthy)
//   any        its name did not resolve and never has      unhealthy, name_not_resolved; until it resolves
//   unhealthy  name resolved, was name_not_resolved        unknown
//   any        the group's checks are off                  healthy, checks_disabled (not without an address)
//   any        the target is unused                        unknown (nothing is known of what is not checked)
//   healthy    checks turned on, was checks_disabled       healthy, until failures say otherwise
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "config/settings.h"
#include "model/target.h"

namespace ballast::traffic {

using HealthTime = std::chrono::steady_clock::time_point;

// What is wanted of the target now: configuration and operator, read anew at each decision.
struct TargetSpec {
  config::HealthCheck check;
  int weight = 1;                           // as configured or set by the operator
  bool in_use = true;                       // a listener forwards to its group
  bool drained = false;                     // by the operator
  std::string ejected = {};                 // why its traffic keeps it out (outlier/judge.h); empty: it does not
  std::optional<HealthTime> deregister_by;  // removed by a change: when its deregistration delay ends
};

enum class Verdict : std::uint8_t { Unknown, Healthy, Unhealthy };

// What is remembered of a target between decisions; survives reloads. A new target: TargetRecord{.since = now}, then
// Nothing.
struct TargetRecord {
  model::TargetState state = model::TargetState::Initial;
  model::TargetReason reason = model::TargetReason::InitialChecking;
  std::string words;   // why, for the operator: "GET /healthz gave 500, wanted 200"
  HealthTime since{};  // of the state
  Verdict verdict = Verdict::Unknown;
  model::TargetReason verdict_reason = model::TargetReason::InitialChecking;
  std::string verdict_words;
  bool was_healthy = false;              // ever
  int passes = 0;                        // in a row
  int failures = 0;                      // in a row
  std::optional<HealthTime> next_check;  // none: it is not to be checked
};

// What happened: a check ended, a name lookup ended, or nothing but time passing or a new spec.
struct Seen {
  enum class Kind : std::uint8_t { Nothing, Passed, Failed, NameNotResolved, NameResolved };
  Kind kind = Kind::Nothing;
  model::TargetReason reason = model::TargetReason::ConnectFailed;  // Failed: one of the unhealthy row's
  std::string words;
  std::uint64_t in_flight = 0;  // requests and connections the target still has, all workers
  std::uint64_t random = 0;     // for the jitter; any 64 uniformly random bits
};

struct Decision {
  TargetRecord record;
  // The state changed, or why it drains: "unhealthy, was healthy: 2 checks failed in a row: no answer within 5 s".
  std::optional<std::string> event;
  // A removed target whose requests have ended, or whose time has: forget it and cut what is left.
  bool gone = false;
};

// `next_check` in the answer is when to start the next check; while one is under way the keeper does not start another.
Decision decide(const TargetSpec& spec, const TargetRecord& record, const Seen& seen, HealthTime now);

// Between two checks: the interval; while the verdict is about to change (a first failure of a healthy target, a first
// pass of an unhealthy one) and while a new target has not passed yet, a fifth of it, but no less than a second and no
// more than the interval.
config::Milliseconds check_interval(const config::HealthCheck& check, const TargetRecord& record);
// A new target that never passes is checked at the faster interval this many times.
inline constexpr int new_target_fast_checks = 10;

// +-10 %, so that checks that began together do not stay together.
std::chrono::microseconds jittered(config::Milliseconds interval, std::uint64_t random);

// Whether a target in that state may get new requests; `FailOpen` adds those that only their checks keep out.
enum class GroupMode : std::uint8_t { Normal, FailOpen };
bool takes_requests(model::TargetState state, GroupMode mode);

struct HealthyCount {
  int healthy = 0;
  int minimum = 1;
};
// Fewer healthy than the group's minimum: send to all, for a check must never cause the outage.
GroupMode group_mode(HealthyCount count);

struct SlowStart {
  config::Milliseconds duration{0};  // 0: off
  HealthTime healthy_since{};        // TargetRecord::since of the healthy state
};
// Linear from a tenth of the weight to the whole of it.
double effective_weight(int weight, const SlowStart& slow_start, HealthTime now);

}  // namespace ballast::traffic
