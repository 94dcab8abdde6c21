#include "traffic/health/decide.h"

#include <algorithm>

#include <fmt/format.h>

namespace ballast::traffic {

using config::Milliseconds;
using model::TargetReason;
using model::TargetState;
using Kind = Seen::Kind;

namespace {

// Counters stop here; no threshold is near it.
constexpr int count_max = 1'000'000;

void conclude(TargetRecord& record, Verdict verdict, TargetReason reason, std::string words) {
  record.verdict = verdict;
  record.verdict_reason = reason;
  record.verdict_words = std::move(words);
  if (verdict == Verdict::Healthy) record.was_healthy = true;
}

void forget(TargetRecord& record) {
  conclude(record, Verdict::Unknown, TargetReason::InitialChecking, "its first check has not ended");
  record.passes = record.failures = 0;
}

std::string checks(int count, std::string_view outcome) {
  return count == 1 ? fmt::format("1 check {}", outcome) : fmt::format("{} checks {} in a row", count, outcome);
}

std::string with_words(std::string text, const std::string& words) {
  return words.empty() ? text : fmt::format("{}: {}", text, words);
}

void judge_passed(const config::HealthCheck& check, TargetRecord& record, const Seen& seen) {
  record.failures = 0;
  record.passes = std::min(record.passes + 1, count_max);
  const bool is_new = record.verdict == Verdict::Unknown || !record.was_healthy;
  if (record.verdict == Verdict::Healthy || is_new || record.passes >= check.healthy_threshold) {
    conclude(record, Verdict::Healthy, TargetReason::Passed, with_words(checks(record.passes, "passed"), seen.words));
  } else {
    record.verdict_words = with_words(
        fmt::format("{} of the {} checks passed that make it healthy", record.passes, check.healthy_threshold),
        seen.words);
  }
}

void judge_failed(const config::HealthCheck& check, TargetRecord& record, const Seen& seen) {
  record.passes = 0;
  record.failures = std::min(record.failures + 1, count_max);
  if (record.verdict != Verdict::Healthy || record.failures >= check.unhealthy_threshold) {
    conclude(record, Verdict::Unhealthy, seen.reason, with_words(checks(record.failures, "failed"), seen.words));
  } else {
    record.verdict_words = with_words(
        fmt::format("{} of the {} checks failed that make it unhealthy", record.failures, check.unhealthy_threshold),
        seen.words);
  }
}

bool has_no_address(const TargetRecord& record) {
  return record.verdict_reason == TargetReason::NameNotResolved;
}

// What checks and lookups alone say.
void judge(const TargetSpec& spec, TargetRecord& record, const Seen& seen) {
  if (seen.kind == Kind::NameNotResolved) {
    record.passes = record.failures = 0;
    conclude(record, Verdict::Unhealthy, TargetReason::NameNotResolved, seen.words);
  }
  if (seen.kind == Kind::NameResolved && has_no_address(record)) forget(record);
  if (has_no_address(record)) return;
  if (!spec.in_use) {
    forget(record);
    return;
  }
  if (!spec.check.enabled) {
    record.passes = record.failures = 0;
    conclude(record, Verdict::Healthy, TargetReason::ChecksDisabled, "its group has no health check");
    return;
  }
  if (record.verdict_reason == TargetReason::ChecksDisabled) {
    // Turning checks on must not take a whole group out at once.
    conclude(record, Verdict::Healthy, TargetReason::Passed, "kept from before its group had a health check");
  }
  if (seen.kind == Kind::Passed) judge_passed(spec.check, record, seen);
  if (seen.kind == Kind::Failed) judge_failed(spec.check, record, seen);
}

struct Shown {
  TargetState state;
  TargetReason reason;
  std::string words;
};

Shown show(const TargetSpec& spec, const TargetRecord& record, const Seen& seen, HealthTime now) {
  if (spec.deregister_by) {
    const auto left =
        std::chrono::ceil<std::chrono::seconds>(std::max(*spec.deregister_by - now, HealthTime::duration::zero()));
    return {TargetState::Draining, TargetReason::Deregistration,
            fmt::format("removed by a change; {} in flight, which have {} s to end", seen.in_flight, left.count())};
  }
  if (spec.drained) {
    return {TargetState::Draining, TargetReason::DrainedByOperator,
            fmt::format("drained by the operator; {} in flight", seen.in_flight)};
  }
  if (!spec.in_use) return {TargetState::Unused, TargetReason::NoRoute, "no listener forwards to its group"};
  if (spec.weight <= 0) return {TargetState::Unavailable, TargetReason::WeightZero, "its weight is 0"};
  switch (record.verdict) {
    case Verdict::Unknown:
      return {TargetState::Initial, TargetReason::InitialChecking, record.verdict_words};
    case Verdict::Healthy:
      if (!spec.ejected.empty()) return {TargetState::Unhealthy, TargetReason::Ejected, spec.ejected};
      return {TargetState::Healthy, record.verdict_reason, record.verdict_words};
    case Verdict::Unhealthy:
      break;
  }
  return {TargetState::Unhealthy, record.verdict_reason, record.verdict_words};
}

std::optional<HealthTime> next_check(const TargetSpec& spec, const TargetRecord& record, const Seen& seen,
                                     HealthTime now) {
  if (spec.deregister_by || !spec.in_use || !spec.check.enabled || has_no_address(record)) return std::nullopt;
  const HealthTime after_interval = now + jittered(check_interval(spec.check, record), seen.random);
  if (seen.kind == Kind::Passed || seen.kind == Kind::Failed) return after_interval;
  if (!record.next_check) return now;
  // A change may have made the interval shorter.
  const auto longest = check_interval(spec.check, record) * 11 / 10;
  return *record.next_check > now + longest ? after_interval : *record.next_check;
}

}  // namespace

Decision decide(const TargetSpec& spec, const TargetRecord& record, const Seen& seen, HealthTime now) {
  Decision decision{.record = record, .event = {}, .gone = false};
  TargetRecord& next = decision.record;
  judge(spec, next, seen);
  Shown shown = show(spec, next, seen, now);
  if (shown.state != record.state) {
    decision.event = fmt::format("{}, was {}: {}", to_string(shown.state), to_string(record.state), shown.words);
    next.since = now;
  } else if (shown.state == TargetState::Draining && shown.reason != record.reason) {
    decision.event = fmt::format("{}: {}", to_string(shown.state), shown.words);
  }
  next.state = shown.state;
  next.reason = shown.reason;
  next.words = std::move(shown.words);
  next.next_check = next_check(spec, next, seen, now);
  decision.gone = spec.deregister_by && (seen.in_flight == 0 || now >= *spec.deregister_by);
  return decision;
}

Milliseconds check_interval(const config::HealthCheck& check, const TargetRecord& record) {
  const bool about_to_change = record.verdict == Verdict::Unknown ||
                               (record.verdict == Verdict::Healthy && record.failures > 0) ||
                               (record.verdict == Verdict::Unhealthy && record.passes > 0);
  const bool coming_up = !record.was_healthy && record.failures < new_target_fast_checks;
  if (!about_to_change && !coming_up) return check.interval;
  return std::min(check.interval, std::max(check.interval / 5, Milliseconds(1000)));
}

std::chrono::microseconds jittered(Milliseconds interval, std::uint64_t random) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(interval.count(), 0)) * 1000;
  const auto part = static_cast<std::uint64_t>((static_cast<unsigned __int128>(random) * (us / 5 + 1)) >> 64);
  return std::chrono::microseconds(us - us / 10 + part);
}

bool takes_requests(TargetState state, GroupMode mode) {
  switch (state) {
    case TargetState::Healthy:
      return true;
    case TargetState::Initial:
    case TargetState::Unhealthy:
      return mode == GroupMode::FailOpen;
    // The operator's word, or the configuration's; no check put it there, and failing open must not undo it.
    case TargetState::Draining:
    case TargetState::Unused:
    case TargetState::Unavailable:
      break;
  }
  return false;
}

GroupMode group_mode(HealthyCount count) {
  return count.healthy < count.minimum ? GroupMode::FailOpen : GroupMode::Normal;
}

double effective_weight(int weight, const SlowStart& slow_start, HealthTime now) {
  constexpr double floor = 0.1;
  if (weight <= 0) return 0;
  const double full = weight;
  if (slow_start.duration.count() <= 0) return full;
  using Seconds = std::chrono::duration<double>;
  const double passed = Seconds(now - slow_start.healthy_since) / Seconds(slow_start.duration);
  return full * (floor + (1.0 - floor) * std::clamp(passed, 0.0, 1.0));
}

}  // namespace ballast::traffic
