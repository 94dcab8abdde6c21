#include "traffic/health/decide.h"

#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

using namespace std::chrono_literals;
using model::TargetReason;
using model::TargetState;
using Kind = Seen::Kind;

constexpr HealthTime start{1000s};

TargetSpec spec_of(int healthy, int unhealthy, config::Milliseconds interval = 10s) {
  TargetSpec spec;
  spec.check.healthy_threshold = healthy;
  spec.check.unhealthy_threshold = unhealthy;
  spec.check.interval = interval;
  return spec;
}

const Seen nothing{};
const Seen passed{.kind = Kind::Passed, .words = "GET / gave 200"};
const Seen failed{
    .kind = Kind::Failed, .reason = TargetReason::ResponseCodeMismatch, .words = "GET / gave 500, wanted 200"};
const Seen timed_out{.kind = Kind::Failed, .reason = TargetReason::TimedOut, .words = "no answer within 5 s"};
const Seen lost{.kind = Kind::NameNotResolved, .words = "app.internal: no such name"};
const Seen found{.kind = Kind::NameResolved};

TargetRecord fresh() {
  return TargetRecord{.since = start};
}

TargetRecord after(const TargetSpec& spec, TargetRecord record, const std::vector<Seen>& seen) {
  for (const Seen& one : seen) record = decide(spec, record, one, start + 1s).record;
  return record;
}

// 'p' passed, 'f' failed -> 'I', 'H', 'U' after each.
std::string run(const TargetSpec& spec, std::string_view outcomes) {
  TargetRecord record = decide(spec, fresh(), nothing, start).record;
  std::string states;
  for (const char outcome : outcomes) {
    record = decide(spec, record, outcome == 'p' ? passed : failed, start).record;
    states += record.state == TargetState::Healthy ? 'H' : record.state == TargetState::Unhealthy ? 'U' : 'I';
  }
  return states;
}

TEST(Decide, ThresholdsAndFlapping) {
  struct Case {
    int healthy;
    int unhealthy;
    std::string outcomes;
    std::string states;
  };
  const std::vector<Case> cases{
      {5, 2, "p", "H"},      // a new target: one pass
      {5, 2, "f", "U"},      // its first check has ended: not initial
      {5, 2, "ffp", "UUH"},  // still new: it has never been healthy
      {5, 2, "pf", "HH"},
      {5, 2, "pff", "HHU"},
      {5, 2, "pfpfpfpf", "HHHHHHHH"},  // not in a row
      {3, 2, "pffppp", "HHUUUH"},
      {3, 2, "pffppfppp", "HHUUUUUUH"},  // a failure starts the count again
      {3, 2, "pffpfpfpf", "HHUUUUUUU"},
      {1, 1, "pfpfpf", "HUHUHU"},
      {2, 3, "pffpfffpp", "HHHHHHUUH"},
      {10, 10, "pfffffffffpffffffffff", "HHHHHHHHHHHHHHHHHHHHU"},
  };
  for (const Case& c : cases) EXPECT_EQ(run(spec_of(c.healthy, c.unhealthy), c.outcomes), c.states) << c.outcomes;
}

TEST(Decide, ANewTargetIsCheckedAtOnce) {
  const Decision decision = decide(spec_of(5, 2), fresh(), nothing, start);
  EXPECT_EQ(decision.record.state, TargetState::Initial);
  EXPECT_EQ(decision.record.reason, TargetReason::InitialChecking);
  EXPECT_EQ(decision.record.next_check, start);
  EXPECT_FALSE(decision.event);
}

TEST(Decide, EventsSayWhatHappened) {
  const TargetSpec spec = spec_of(2, 2);
  struct Step {
    Seen seen;
    const char* event;
  };
  const std::vector<Step> steps{
      {passed, "healthy, was initial: 1 check passed: GET / gave 200"},
      {passed, nullptr},
      {failed, nullptr},
      {timed_out, "unhealthy, was healthy: 2 checks failed in a row: no answer within 5 s"},
      {failed, nullptr},  // the reason alone does not fill the list of events
      {passed, nullptr},
      {passed, "healthy, was unhealthy: 2 checks passed in a row: GET / gave 200"},
  };
  TargetRecord record = fresh();
  HealthTime now = start;
  for (const Step& step : steps) {
    now += 1s;
    const Decision decision = decide(spec, record, step.seen, now);
    EXPECT_EQ(decision.event.value_or("none"), step.event != nullptr ? step.event : "none");
    EXPECT_EQ(decision.record.since == now, step.event != nullptr);
    EXPECT_FALSE(decision.gone);
    record = decision.record;
  }
}

TEST(Decide, TheReasonIsTheLastFailures) {
  const TargetSpec spec = spec_of(5, 2);
  const TargetRecord record = after(spec, fresh(), {passed, failed, timed_out});
  EXPECT_EQ(record.reason, TargetReason::TimedOut);
  const TargetRecord next = after(spec, record, {failed});
  EXPECT_EQ(next.reason, TargetReason::ResponseCodeMismatch);
  EXPECT_EQ(next.words, "3 checks failed in a row: GET / gave 500, wanted 200");
  EXPECT_EQ(next.since, record.since);
}

TEST(Decide, WordsTellHowFarAChangeHasCome) {
  const TargetSpec spec = spec_of(5, 2);
  EXPECT_EQ(after(spec, fresh(), {passed, failed}).words,
            "1 of the 2 checks failed that make it unhealthy: GET / gave 500, wanted 200");
  const TargetRecord record = after(spec, fresh(), {passed, failed, failed, passed});
  EXPECT_EQ(record.words, "1 of the 5 checks passed that make it healthy: GET / gave 200");
  EXPECT_EQ(record.reason, TargetReason::ResponseCodeMismatch);
}

// Every row of the table in the header, each with everything below it wanting another state.
TEST(Decide, TheStateFollowsFromSpecAndVerdict) {
  struct Case {
    const char* name;
    TargetState state;
    TargetReason reason;
    bool checked;
    std::string words;
    void (*change)(TargetSpec&);
  };
  const std::vector<Case> cases{
      {"deregistration", TargetState::Draining, TargetReason::Deregistration, false,
       "removed by a change; 3 in flight, which have 30 s to end",
       [](TargetSpec& s) {
         s.deregister_by = start + 31s;
         s.drained = true;
         s.in_use = false;
         s.weight = 0;
       }},
      {"drained", TargetState::Draining, TargetReason::DrainedByOperator, true, "drained by the operator; 3 in flight",
       [](TargetSpec& s) {
         s.drained = true;
         s.weight = 0;
       }},
      {"drained, unused", TargetState::Draining, TargetReason::DrainedByOperator, false,
       "drained by the operator; 3 in flight",
       [](TargetSpec& s) {
         s.drained = true;
         s.in_use = false;
       }},
      {"unused", TargetState::Unused, TargetReason::NoRoute, false, "no listener forwards to its group",
       [](TargetSpec& s) {
         s.in_use = false;
         s.weight = 0;
       }},
      {"weight 0", TargetState::Unavailable, TargetReason::WeightZero, true, "its weight is 0",
       [](TargetSpec& s) { s.weight = 0; }},
      {"checks off", TargetState::Healthy, TargetReason::ChecksDisabled, false, "its group has no health check",
       [](TargetSpec& s) { s.check.enabled = false; }},
      {"healthy", TargetState::Healthy, TargetReason::Passed, true, "1 check passed: GET / gave 200",
       [](TargetSpec&) {}},
  };
  for (const Case& c : cases) {
    TargetSpec spec = spec_of(2, 2);
    const TargetRecord record = after(spec, fresh(), {passed});
    c.change(spec);
    const Decision decision = decide(spec, record, {.in_flight = 3}, start + 1s);
    EXPECT_EQ(decision.record.state, c.state) << c.name;
    EXPECT_EQ(decision.record.reason, c.reason) << c.name;
    EXPECT_EQ(decision.record.words, c.words) << c.name;
    EXPECT_EQ(decision.record.next_check.has_value(), c.checked) << c.name;
    EXPECT_EQ(decision.event.has_value(), c.state != TargetState::Healthy) << c.name;
  }
}

TEST(Decide, TheOperatorDoesNotMakeChecksForget) {
  TargetSpec spec = spec_of(2, 2);
  TargetRecord record = after(spec, fresh(), {passed});
  spec.drained = true;
  record = after(spec, record, {nothing, failed, failed});
  EXPECT_EQ(record.state, TargetState::Draining);
  spec.drained = false;
  Decision decision = decide(spec, record, nothing, start + 1s);
  EXPECT_EQ(decision.record.state, TargetState::Unhealthy);
  EXPECT_EQ(decision.event, "unhealthy, was draining: 2 checks failed in a row: GET / gave 500, wanted 200");
  spec.weight = 0;
  record = after(spec, record, {passed, passed});
  EXPECT_EQ(record.state, TargetState::Unavailable);
  spec.weight = 1;
  EXPECT_EQ(after(spec, record, {nothing}).state, TargetState::Healthy);
}

TEST(Decide, OneThatIsEjectedIsOutAndItsChecksGoOn) {
  TargetSpec spec = spec_of(2, 2);
  TargetRecord record = after(spec, fresh(), {nothing, passed});
  spec.ejected = "5 failures in a row; out for 30s";
  const Decision out = decide(spec, record, nothing, start + 2s);
  EXPECT_EQ(out.event, "unhealthy, was healthy: 5 failures in a row; out for 30s");
  EXPECT_EQ(out.record.reason, TargetReason::Ejected);
  EXPECT_EQ(out.record.verdict, Verdict::Healthy);
  EXPECT_TRUE(out.record.next_check.has_value());
  // Checks that pass do not bring it back.
  record = after(spec, out.record, {passed, passed, passed});
  EXPECT_EQ(record.state, TargetState::Unhealthy);
  // Where they fail, that is what is shown; it is used when both agree.
  record = after(spec, record, {failed, failed});
  EXPECT_EQ(record.reason, TargetReason::ResponseCodeMismatch);
  spec.ejected.clear();
  record = decide(spec, record, nothing, start + 3s).record;
  EXPECT_EQ(record.state, TargetState::Unhealthy);
  spec.ejected = "out";
  record = after(spec, record, {passed, passed});
  EXPECT_EQ(record.reason, TargetReason::Ejected);
  spec.ejected.clear();
  EXPECT_EQ(decide(spec, record, nothing, start + 4s).record.state, TargetState::Healthy);
  // What an operator says goes first.
  spec.ejected = "out";
  spec.drained = true;
  EXPECT_EQ(decide(spec, record, nothing, start + 4s).record.state, TargetState::Draining);
  // Slow start begins when it is back.
  spec = spec_of(2, 2);
  EXPECT_EQ(decide(spec, record, nothing, start + 9s).record.since, start + 9s);
}

TEST(Decide, ARemovedTargetEndsWithItsRequestsOrItsTime) {
  TargetSpec spec = spec_of(2, 2);
  const TargetRecord record = after(spec, fresh(), {passed});
  spec.deregister_by = start + 300s;
  struct Case {
    std::uint64_t in_flight;
    HealthTime now;
    bool gone;
  };
  const std::vector<Case> cases{{1, start + 1s, false},
                                {0, start + 1s, true},
                                {1, start + 299999ms, false},
                                {1, start + 300s, true},
                                {1, start + 400s, true}};
  for (const Case& c : cases) {
    const Decision decision = decide(spec, record, {.in_flight = c.in_flight}, c.now);
    EXPECT_EQ(decision.gone, c.gone) << c.in_flight;
    EXPECT_EQ(decision.record.state, TargetState::Draining);
  }
  // Added again before its end: what checks said still holds.
  const TargetRecord draining = decide(spec, record, {.in_flight = 1}, start + 1s).record;
  spec.deregister_by.reset();
  EXPECT_EQ(after(spec, draining, {nothing}).state, TargetState::Healthy);
}

TEST(Decide, ADrainedTargetThatIsRemovedSaysSo) {
  TargetSpec spec = spec_of(2, 2);
  spec.drained = true;
  const TargetRecord record = after(spec, fresh(), {passed});
  spec.deregister_by = start + 11s;
  const Decision decision = decide(spec, record, {.in_flight = 2}, start + 1s);
  EXPECT_EQ(decision.event, "draining: removed by a change; 2 in flight, which have 10 s to end");
  EXPECT_EQ(decision.record.since, record.since);
}

TEST(Decide, NamesThatNeverResolved) {
  const TargetSpec spec = spec_of(5, 2);
  Decision decision = decide(spec, fresh(), lost, start);
  EXPECT_EQ(decision.record.state, TargetState::Unhealthy);
  EXPECT_EQ(decision.record.reason, TargetReason::NameNotResolved);
  EXPECT_EQ(decision.event, "unhealthy, was initial: app.internal: no such name");
  EXPECT_FALSE(decision.record.next_check) << "there is no address to check";
  EXPECT_EQ(after(spec, decision.record, {passed, nothing}).state, TargetState::Unhealthy) << "a check of old";

  TargetSpec off = spec;
  off.check.enabled = false;
  EXPECT_EQ(after(off, decision.record, {nothing}).reason, TargetReason::NameNotResolved);
  EXPECT_EQ(after(off, decision.record, {found}).reason, TargetReason::ChecksDisabled);

  decision = decide(spec, decision.record, found, start + 5s);
  EXPECT_EQ(decision.record.state, TargetState::Initial);
  EXPECT_EQ(decision.record.next_check, start + 5s);
  EXPECT_EQ(after(spec, decision.record, {passed}).state, TargetState::Healthy);
  // For one that had an address all along the news is none.
  EXPECT_EQ(after(spec, fresh(), {passed, found}).state, TargetState::Healthy);
}

TEST(Decide, AnUnusedTargetStartsAgainWhenUsed) {
  TargetSpec spec = spec_of(5, 2);
  const TargetRecord healthy = after(spec, fresh(), {passed});
  spec.in_use = false;
  const TargetRecord unused = after(spec, healthy, {nothing, failed});
  EXPECT_EQ(unused.state, TargetState::Unused);
  spec.in_use = true;
  const Decision decision = decide(spec, unused, nothing, start + 9s);
  EXPECT_EQ(decision.record.state, TargetState::Initial);
  EXPECT_EQ(decision.record.next_check, start + 9s);
  EXPECT_EQ(after(spec, decision.record, {passed}).state, TargetState::Healthy);
}

TEST(Decide, TurningChecksOnTakesNothingOut) {
  TargetSpec spec = spec_of(5, 2);
  spec.check.enabled = false;
  TargetRecord record = after(spec, fresh(), {nothing});
  EXPECT_EQ(record.reason, TargetReason::ChecksDisabled);
  spec.check.enabled = true;
  const Decision decision = decide(spec, record, nothing, start + 1s);
  EXPECT_EQ(decision.record.state, TargetState::Healthy);
  EXPECT_EQ(decision.record.reason, TargetReason::Passed);
  EXPECT_EQ(decision.record.next_check, start + 1s);
  EXPECT_FALSE(decision.event);
  EXPECT_EQ(after(spec, decision.record, {failed}).state, TargetState::Healthy);
  EXPECT_EQ(after(spec, decision.record, {failed, failed}).state, TargetState::Unhealthy);
}

TEST(Decide, AReloadKeepsStateAndCounts) {
  TargetSpec spec = spec_of(5, 3);
  const TargetRecord record = after(spec, fresh(), {passed, failed, failed});
  spec.check.path = "/other";
  const TargetRecord kept = after(spec, record, {nothing});
  EXPECT_EQ(kept.state, TargetState::Healthy);
  EXPECT_EQ(kept.failures, 2);
  EXPECT_EQ(kept.next_check, record.next_check);
  EXPECT_EQ(after(spec, kept, {failed}).state, TargetState::Unhealthy);
}

TEST(Decide, AShorterIntervalHoldsAtOnceALongerOneFromTheNextCheckOn) {
  TargetSpec spec = spec_of(5, 2, 300s);
  const TargetRecord record = after(spec, fresh(), {passed});
  EXPECT_GE(record.next_check, start + 1s + 270s);
  spec.check.interval = 2s;
  EXPECT_LE(after(spec, record, {nothing}).next_check, start + 1s + 2200ms);
  spec.check.interval = 301s;
  EXPECT_EQ(after(spec, record, {nothing}).next_check, record.next_check);
}

TEST(CheckInterval, IsShorterWhileTheVerdictIsAboutToChange) {
  struct Case {
    config::Milliseconds interval;
    std::vector<Seen> seen;
    config::Milliseconds expected;
  };
  const std::vector<Case> cases{
      {30s, {}, 6s},
      {30s, {passed}, 30s},
      {30s, {passed, failed}, 6s},
      {30s, {passed, failed, passed}, 30s},
      {30s, {passed, failed, failed}, 30s},
      {30s, {passed, failed, failed, passed}, 6s},
      {30s, {failed}, 6s},  // a new one coming up
      {30s, std::vector<Seen>(9, failed), 6s},
      {30s, std::vector<Seen>(10, failed), 30s},
      {4s, {}, 1s},        // not under a second,
      {500ms, {}, 500ms},  // but never over the interval
      {300s, {passed, failed}, 60s},
  };
  for (const Case& c : cases) {
    const TargetSpec spec = spec_of(5, 2, c.interval);
    const TargetRecord record = after(spec, fresh(), c.seen);
    EXPECT_EQ(check_interval(spec.check, record), c.expected) << c.interval.count() << " after " << c.seen.size();
  }
}

TEST(Jitter, IsWithinTenPercentAndSpreads) {
  EXPECT_EQ(jittered(10s, 0), 9s);
  EXPECT_EQ(jittered(10s, ~std::uint64_t{0}), 11s);
  EXPECT_EQ(jittered(10s, std::uint64_t{1} << 63), 10s);
  EXPECT_EQ(jittered(0s, ~std::uint64_t{0}), 0s);
  std::set<std::chrono::microseconds> different;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const auto interval = jittered(100ms, i * (~std::uint64_t{0} / 100));
    EXPECT_GE(interval, 90ms);
    EXPECT_LE(interval, 110ms);
    different.insert(interval);
  }
  EXPECT_EQ(different.size(), 100u);
  const Decision decision = decide(spec_of(5, 2, 10s), after(spec_of(5, 2), fresh(), {passed}),
                                   {.kind = Kind::Passed, .random = ~std::uint64_t{0}}, start);
  EXPECT_EQ(decision.record.next_check, start + 11s);
}

TEST(FailOpen, BelowTheMinimum) {
  EXPECT_EQ(group_mode({.healthy = 0, .minimum = 1}), GroupMode::FailOpen);
  EXPECT_EQ(group_mode({.healthy = 1, .minimum = 1}), GroupMode::Normal);
  EXPECT_EQ(group_mode({.healthy = 2, .minimum = 3}), GroupMode::FailOpen);
  EXPECT_EQ(group_mode({.healthy = 0, .minimum = 0}), GroupMode::Normal);
}

TEST(FailOpen, OnlyUndoesWhatChecksDid) {
  struct Case {
    TargetState state;
    bool normal;
    bool fail_open;
  };
  const std::vector<Case> cases{
      {TargetState::Healthy, true, true},    {TargetState::Initial, false, true},
      {TargetState::Unhealthy, false, true}, {TargetState::Draining, false, false},
      {TargetState::Unused, false, false},   {TargetState::Unavailable, false, false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(takes_requests(c.state, GroupMode::Normal), c.normal) << to_string(c.state);
    EXPECT_EQ(takes_requests(c.state, GroupMode::FailOpen), c.fail_open) << to_string(c.state);
  }
}

TEST(SlowStart, IsLinearFromATenth) {
  const SlowStart slow{.duration = 100s, .healthy_since = start};
  EXPECT_DOUBLE_EQ(effective_weight(10, slow, start), 1);
  EXPECT_DOUBLE_EQ(effective_weight(10, slow, start - 5s), 1);
  EXPECT_DOUBLE_EQ(effective_weight(10, slow, start + 50s), 5.5);
  EXPECT_DOUBLE_EQ(effective_weight(10, slow, start + 100s), 10);
  EXPECT_DOUBLE_EQ(effective_weight(10, slow, start + 1000s), 10);
  EXPECT_DOUBLE_EQ(effective_weight(0, slow, start + 50s), 0);
  EXPECT_DOUBLE_EQ(effective_weight(-1, slow, start + 50s), 0);
  EXPECT_DOUBLE_EQ(effective_weight(3, {}, start), 3);
}

}  // namespace
}  // namespace ballast::traffic
