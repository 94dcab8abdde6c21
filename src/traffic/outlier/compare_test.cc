#include "traffic/outlier/compare.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace ballast::traffic::outlier {
namespace {

using namespace std::chrono_literals;
using Kind = Happened::Kind;

HealthTime at(std::chrono::milliseconds time) {
  return HealthTime{} + 1h + time;
}

// What one target's requests came to within an interval.
struct Interval {
  std::uint64_t requests = 0;
  double ms = 1;  // of an answer, in the mean
  std::uint64_t failures = 0;
  std::uint64_t server_errors = 0;
  std::uint64_t broken = 0;
};

struct Group {
  explicit Group(std::size_t count) : members(count, Member{.seen = {.in_service = true, .is_well = true}}) {}
  config::Outliers settings;
  std::vector<Member> members;
  std::string told;
  std::chrono::milliseconds now{0};

  // One interval; of each target.
  std::string interval(const std::vector<Interval>& each) {
    for (std::size_t i = 0; i < each.size(); ++i) {
      Totals& totals = members[i].seen.totals;
      const std::uint64_t answers = each[i].requests - each[i].failures;
      totals.answers += answers;
      totals.failures += each[i].failures;
      totals.server_errors += each[i].server_errors;
      totals.broken += each[i].broken;
      const std::uint64_t timed = answers - each[i].server_errors;
      totals.timed += timed;
      totals.time_us += static_cast<std::uint64_t>(each[i].ms * 1000) * timed;
    }
    now += settings.interval;
    told.clear();
    for (const Happened& one : compare({.settings = settings}, members, at(now))) {
      constexpr std::string_view names[] = {"out", "spared", "back", "weighed"};
      told += std::to_string(one.member) + " " + std::string(names[static_cast<std::size_t>(one.kind)]) + ": " +
              one.words + "\n";
    }
    return told;
  }
  std::vector<double> weights() const {
    std::vector<double> all;
    for (const Member& member : members) all.push_back(member.record.weight);
    return all;
  }
};

Group slower_group(std::size_t count) {
  Group group(count);
  group.settings.slower.emplace();
  return group;
}

const Interval well{.requests = 100, .ms = 3};
const Interval gray{.requests = 100, .ms = 104};

TEST(Slower, HalvesTheWeightOfOneThatIsSlowTwiceInARow) {
  Group group = slower_group(3);
  EXPECT_EQ(group.interval({well, gray, well}), "");  // it may have been a few requests of a rare kind
  EXPECT_EQ(group.interval({well, gray, well}),
            "1 weighed: answers in 104 ms where its peers take 3.0 ms: weight 1 -> 0.5\n");
  EXPECT_EQ(group.members[1].record.weight_words, "answers in 104 ms where its peers take 3.0 ms");
  group.interval({well, gray, well});
  EXPECT_EQ(group.weights(), (std::vector<double>{1, 0.25, 1}));
  for (int i = 0; i < 5; ++i) group.interval({well, gray, well});
  EXPECT_EQ(group.weights(), (std::vector<double>{1, 0.1, 1}));
  EXPECT_EQ(group.interval({well, gray, well}), "");  // the floor

  EXPECT_EQ(group.interval({well, well, well}),
            "1 weighed: answers in 3.0 ms and its peers in 3.0 ms: weight 0.1 -> 0.2\n");
  group.interval({well, well, well});
  group.interval({well, well, well});
  EXPECT_EQ(group.weights(), (std::vector<double>{1, 0.8, 1}));
  group.interval({well, well, well});
  EXPECT_EQ(group.weights(), (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(group.members[1].record.weight_words, "");
  EXPECT_EQ(group.interval({well, well, well}), "");
}

TEST(Slower, OneSlowIntervalIsForgotten) {
  Group group = slower_group(2);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(group.interval({gray, well}), "");
    EXPECT_EQ(group.interval({well, well}), "");
  }
}

// The times of the target and of its peers, and whether it is slow.
TEST(Slower, ByFactorAndByGap) {
  const struct {
    double ms;
    double peers;
    bool slow;
  } rows[] = {
      {3, 1, false},      // three times, and 2 ms
      {50.9, 1, false},   //
      {51, 1, true},      // one and the gap
      {99, 34, false},    // the gap, and not three times
      {102, 34, true},    //
      {500, 200, false},  //
      {600, 200, true},   //
      {1, 600, false},    // faster
  };
  for (const auto& row : rows) {
    Group group = slower_group(3);
    const Interval peer{.requests = 100, .ms = row.peers};
    for (int i = 0; i < 2; ++i) group.interval({{.requests = 100, .ms = row.ms}, peer, peer});
    EXPECT_EQ(group.weights()[0] < 1, row.slow) << row.ms << " beside " << row.peers;
    EXPECT_EQ(group.weights()[1], 1);
  }
}

TEST(Slower, InBetweenTheWeightStays) {
  Group group = slower_group(2);
  for (int i = 0; i < 2; ++i) group.interval({{.requests = 100, .ms = 200}, {.requests = 100, .ms = 50}});
  EXPECT_EQ(group.weights()[0], 0.5);
  EXPECT_EQ(group.interval({{.requests = 100, .ms = 130}, {.requests = 100, .ms = 50}}), "");
  EXPECT_EQ(group.weights()[0], 0.5);
  group.interval({{.requests = 100, .ms = 100}, {.requests = 100, .ms = 50}});
  EXPECT_EQ(group.weights()[0], 1);
}

TEST(Slower, ByFailures) {
  Group group = slower_group(3);
  const Interval usual{.requests = 100, .ms = 3, .failures = 2};
  EXPECT_EQ(group.interval({usual, {.requests = 100, .ms = 3, .failures = 6}, usual}), "");
  const Interval bad{.requests = 100, .ms = 3, .failures = 3, .server_errors = 3, .broken = 1};
  group.interval({usual, bad, usual});
  EXPECT_EQ(group.interval({usual, bad, usual}),
            "1 weighed: fails 7.0% of its requests, its peers 2.0% of theirs: weight 1 -> 0.5\n");
  group.interval({usual, usual, usual});
  EXPECT_EQ(group.weights()[1], 1);
}

TEST(Slower, ComparesNobodyBySayingSoOfTooFewRequests) {
  Group group = slower_group(2);
  const Interval few{.requests = 9, .ms = 500};
  EXPECT_EQ(group.interval({few, well}), "");
  EXPECT_EQ(group.interval({few, well}), "");
  EXPECT_EQ(group.interval({few, well}), "");  // 27 of them now: slow, once
  EXPECT_EQ(group.interval({few, well}), "");
  EXPECT_EQ(group.interval({few, well}), "");
  EXPECT_NE(group.interval({few, well}), "");  // and twice
}

TEST(Slower, WhoGetsNoRequestsIsTriedAgain) {
  Group group = slower_group(2);
  for (int i = 0; i < 3; ++i) group.interval({gray, well});
  EXPECT_EQ(group.weights()[0], 0.25);
  for (int i = 0; i < window_intervals_max - 1; ++i) EXPECT_EQ(group.interval({{}, well}), "");
  EXPECT_EQ(group.interval({{}, well}), "0 weighed: too few requests to compare it by: weight 0.25 -> 0.5\n");
  for (int i = 0; i < window_intervals_max; ++i) group.interval({{}, well});
  EXPECT_EQ(group.weights()[0], 1);
  for (int i = 0; i < 2 * window_intervals_max; ++i) EXPECT_EQ(group.interval({{}, well}), "");
}

TEST(Slower, WhoIsOutOrWarmingIsNobodysPeer) {
  const auto leave = [](Member& member, int how) {
    if (how == 0) member.seen.in_service = false;
    if (how == 1) member.seen.is_well = false;
    if (how == 2) member.seen.is_warming = true;
    if (how == 3) member.record.ejected_until = at(1h);
  };
  for (int how = 0; how < 4; ++how) {
    Group group = slower_group(3);
    leave(group.members[0], how);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(group.interval({gray, well, well}), "") << how;
    // What it did meanwhile does not count when it is back: its first interval is one.
    group.members[0].seen.in_service = group.members[0].seen.is_well = true;
    group.members[0].seen.is_warming = false;
    group.members[0].record.ejected_until.reset();
    EXPECT_EQ(group.interval({gray, well, well}), "") << how;
    EXPECT_NE(group.interval({gray, well, well}), "") << how;
  }
}

TEST(Slower, HalfOfThemCannotBeSlow) {
  Group group = slower_group(4);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(group.interval({gray, gray, gray, well}), "");
}

TEST(Slower, OneBadPeerDoesNotHideAnother) {
  Group group = slower_group(5);
  for (int i = 0; i < 2; ++i) group.interval({gray, well, {.requests = 100, .ms = 5000}, well, well});
  EXPECT_EQ(group.weights(), (std::vector<double>{0.5, 1, 0.5, 1, 1}));
}

TEST(Slower, AWeightIsToldAsItIsConfigured) {
  Group group = slower_group(2);
  group.members[0].seen.weight = 4;
  group.interval({gray, well});
  EXPECT_EQ(group.interval({gray, well}), "0 weighed: answers in 104 ms where its peers take 3.0 ms: weight 4 -> 2\n");
}

TEST(Slower, InALargeGroupTheMedianIsThatOfAll) {
  Group group = slower_group(500);
  std::vector<Interval> all(500, well);
  all[7] = gray;
  for (int i = 0; i < 2; ++i) group.interval(all);
  EXPECT_EQ(group.weights()[7], 0.5);
  EXPECT_EQ(std::ranges::count(group.weights(), 1.0), 499);
}

Group rate_group(std::size_t count) {
  Group group(count);
  group.settings.success_rate.emplace();
  return group;
}

TEST(SuccessRate, EjectsWhoSucceedsLessOftenThanItsPeers) {
  Group group = rate_group(5);
  const Interval usual{.requests = 200, .failures = 2};
  EXPECT_EQ(group.interval({usual, usual, {.requests = 200, .failures = 100}, usual, usual}),
            "2 out: 50.0% of its requests succeed, of its peers' 99.0%; out for 30s\n");
  EXPECT_EQ(group.members[2].record.ejections, (std::array<std::uint64_t, 2>{0, 1}));
}

// The failures of the target and of four peers, in thousandths, and whether that is an outlier.
TEST(SuccessRate, ByMarginAndByDeviations) {
  const struct {
    std::uint64_t failures;
    std::uint64_t peers[4];
    bool out;
  } rows[] = {
      {50, {0, 0, 0, 0}, false},           // the margin itself
      {51, {0, 0, 0, 0}, true},            //
      {150, {100, 100, 100, 100}, false},  // all of them have it
      {151, {100, 100, 100, 100}, true},
      {200, {0, 40, 80, 120}, false},  // they differ much: 60 in the middle, 40 around it, 3 times 59
      {240, {0, 40, 80, 120}, true},
      {60, {0, 0, 900, 0}, true},        // a bad peer does not hide another
      {0, {300, 300, 300, 300}, false},  // better than they
  };
  for (const auto& row : rows) {
    Group group = rate_group(5);
    group.settings.share_max_percent = 100;
    std::vector<Interval> all{{.requests = 1000, .failures = row.failures}};
    for (const std::uint64_t failures : row.peers) all.push_back({.requests = 1000, .failures = failures});
    group.interval(all);
    EXPECT_EQ(is_ejected(group.members[0]), row.out) << row.failures << ": " << group.told;
  }
}

TEST(SuccessRate, NeedsRequestsAndTargets) {
  const Interval usual{.requests = 100};
  const Interval bad{.requests = 100, .failures = 60};
  const Interval few{.requests = 99, .failures = 60};
  Group group = rate_group(4);
  EXPECT_EQ(group.interval({few, usual, usual, usual}), "");
  EXPECT_EQ(group.interval({few, usual, usual, usual}), "");  // an interval's, not all that ever were
  EXPECT_NE(group.interval({bad, usual, usual, usual}), "");
  Group small = rate_group(3);
  EXPECT_EQ(small.interval({bad, usual, usual}), "");
}

TEST(SuccessRate, CountsTheApplicationsErrorsAsItIsTold) {
  const Interval usual{.requests = 100};
  const Interval bad{.requests = 100, .server_errors = 60};
  Group group = rate_group(4);
  group.settings.success_rate->failed_answers = config::FailedAnswers::Gateway;
  EXPECT_EQ(group.interval({bad, usual, usual, usual}), "");
  group.settings.success_rate->failed_answers = config::FailedAnswers::AllServerErrors;
  EXPECT_NE(group.interval({bad, usual, usual, usual}), "");
}

TEST(SuccessRate, TheWorstFirstAsLongAsThereIsRoom) {
  Group group = rate_group(6);
  group.settings.share_max_percent = 34;
  const Interval usual{.requests = 100};
  EXPECT_EQ(group.interval({usual,
                            {.requests = 100, .failures = 30},
                            usual,
                            {.requests = 100, .failures = 90},
                            usual,
                            {.requests = 100, .failures = 60}}),
            "3 out: 10.0% of its requests succeed, of its peers' 100.0%; out for 30s\n"
            "5 out: 40.0% of its requests succeed, of its peers' 100.0%; out for 30s\n"
            "1 spared: 70.0% of its requests succeed, of its peers' 100.0%; not ejected: 2 of 6 targets are out, and "
            "share_max is 34%\n");
}

TEST(SuccessRate, BrokenAnswersCountAndAreNeverMoreThanThereWere) {
  const Interval usual{.requests = 100};
  Group group = rate_group(4);
  EXPECT_EQ(group.interval({{.requests = 100, .server_errors = 80, .broken = 80}, usual, usual, usual}),
            "0 out: 0.0% of its requests succeed, of its peers' 100.0%; out for 30s\n");
}

TEST(Compare, NothingWhereItIsOff) {
  Group group(4);
  const Interval usual{.requests = 100};
  const Interval bad{.requests = 100, .ms = 900, .failures = 60};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(group.interval({bad, usual, usual, usual}), "");
}

}  // namespace
}  // namespace ballast::traffic::outlier
