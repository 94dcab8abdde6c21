#include "traffic/acme/decide.h"

#include <algorithm>

namespace ballast::traffic::acme {
namespace {

using std::chrono::milliseconds;

WallTime renewal_of(const RenewalPolicy& policy, const HeldCertificate& held) {
  // What has no times that can be read has the ends of the clock, whose difference is none.
  if (held.not_before == WallTime::min() || held.not_after == WallTime::max()) return WallTime::min();
  const auto lifetime =
      std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(held.not_after - held.not_before));
  milliseconds before = policy.renew_before.count() > 0 ? policy.renew_before : lifetime / 3;
  // Longer than half of it, and a new one would be due soon after it has come.
  before = std::min(before, lifetime / 2);
  return held.not_after - before;
}

Decision wanted(const RenewalPolicy& policy, const CertificateSeen& seen, WallTime now) {
  if (!seen.held.has_value()) return {.step = Step::Obtain, .at = now, .why = "there is none yet"};
  if (!seen.held->fits) {
    return {
        .step = Step::Obtain, .at = now, .why = "the one there is of another kind of key or from another authority"};
  }
  if (seen.held->not_after <= now) return {.step = Step::Obtain, .at = now, .why = "the one there has expired"};
  const WallTime due = renewal_of(policy, *seen.held);
  if (due <= now) return {.step = Step::Renew, .at = now, .why = "it is time to renew it"};
  return {.step = Step::Wait, .at = due, .why = "it is good"};
}

}  // namespace

Decision decide(const RenewalPolicy& policy, const CertificateSeen& seen, WallTime now) {
  Decision decision = wanted(policy, seen, now);
  if (decision.step == Step::Wait) return decision;
  WallTime earliest = seen.retry_at.value_or(WallTime::min());
  // A clock that was set back must not put it off for longer than the gap.
  if (seen.attempted.has_value() && *seen.attempted <= now) {
    earliest = std::max(earliest, *seen.attempted + order_gap_min);
  }
  if (earliest <= now) return decision;
  return {
      .step = Step::Wait, .at = earliest, .why = decision.why + ", and the last attempt has failed or is too recent"};
}

WallTime retry_time(const Failure& failure, double chance, WallTime now) {
  constexpr milliseconds first = std::chrono::minutes(1);
  constexpr milliseconds longest = std::chrono::hours(6);
  constexpr milliseconds limited = std::chrono::hours(1);
  const int doublings = std::clamp(failure.failures - 1, 0, 10);
  milliseconds wait = std::min(longest, first * (1 << doublings));
  if (failure.rate_limited) wait = std::max(wait, limited);
  if (failure.retry_after.has_value()) wait = std::max(wait, milliseconds(*failure.retry_after));
  const double drawn_out = static_cast<double>(wait.count()) * (1.0 + 0.25 * std::clamp(chance, 0.0, 1.0));
  return now + milliseconds(static_cast<std::int64_t>(drawn_out));
}

}  // namespace ballast::traffic::acme
