// When a certificate is obtained, renewed, or left alone: decide(policy, seen, now) -> a step, its time, and why. Pure:
// no I/O, no clock; the ACME keeper (control thread) observes, calls this and acts.
//
//   first that holds                                              step      when
//   none is held, or one for other names, of another kind of
//   key or from another authority                                 Obtain    now
//   it is past its end                                            Obtain    now
//   less is left than the policy wants                            Renew     now
//   else                                                          Wait      until less is left
//
// An attempt that failed, and one made a moment ago, put the time off (`retry_at`, `order_gap_min`): whatever the state
// directory, the clock or the authority's certificates look like, an authority is never asked in a loop.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace ballast::traffic::acme {

using WallTime = std::chrono::system_clock::time_point;

// Between two orders for the same names, successful or not. An authority for tests gives certificates of a minute; a
// real one is asked every few days or weeks.
inline constexpr std::chrono::seconds order_gap_min{10};

struct RenewalPolicy {
  std::chrono::milliseconds renew_before{0};  // 0: a third of the lifetime
};

struct HeldCertificate {
  WallTime not_before;
  WallTime not_after;
  bool fits = true;  // it is for these names, of this kind of key, from this authority
};

struct CertificateSeen {
  std::optional<HeldCertificate> held;
  std::optional<WallTime> attempted;  // the last time
  std::optional<WallTime> retry_at;   // after a failure
};

enum class Step : std::uint8_t { Wait, Obtain, Renew };

struct Decision {
  Step step = Step::Wait;  // what is to be done at `at`; Wait: nothing before it
  WallTime at;
  std::string why;
};

Decision decide(const RenewalPolicy& policy, const CertificateSeen& seen, WallTime now);

// When to try again after a failure, the `failures`th in a row: a minute, doubling up to six hours, drawn out by up to
// a quarter (`chance` in 0..1) so that many that failed together do not come back together. What the authority asked
// for is kept to; where it says that there were too many and not how long, an hour.
struct Failure {
  int failures = 1;
  std::optional<std::chrono::seconds> retry_after;
  bool rate_limited = false;
};
WallTime retry_time(const Failure& failure, double chance, WallTime now);

}  // namespace ballast::traffic::acme
