#include "traffic/balance/balancer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

using config::Algorithm;

constexpr Algorithm all_algorithms[] = {Algorithm::RoundRobin, Algorithm::LeastRequests, Algorithm::TwoChoices,
                                        Algorithm::LeastTime,  Algorithm::SourceHash,    Algorithm::Maglev,
                                        Algorithm::Random};

std::vector<Candidate> candidates(const std::vector<double>& weights) {
  std::vector<Candidate> made;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    // Slots are the caller's; here far from the index, so that mixing the two up shows.
    made.push_back({.slot = static_cast<std::uint32_t>(i + 100),
                    .weight = weights[i],
                    .identity = identity_of(fmt::format("10.0.0.{}:80", i))});
  }
  return made;
}

constexpr auto idle = [](std::uint32_t) { return Load{}; };

std::uint64_t key(int i) {
  return key_of(fmt::format("client-{}", i));
}

template <typename Loads>
std::vector<double> first_shares(const Balancer& balancer, BalancerState& state, int picks, std::size_t size,
                                 const Loads& loads) {
  std::vector<double> shares(size, 0);
  for (int i = 0; i < picks; ++i) {
    Picker picker(balancer, key(i));
    shares.at(picker.next(state, loads).value() - 100) += 1.0 / picks;
  }
  return shares;
}

std::vector<std::uint32_t> walk(const Balancer& balancer, BalancerState& state, std::uint64_t walk_key) {
  std::vector<std::uint32_t> slots;
  Picker picker(balancer, walk_key);
  while (const auto slot = picker.next(state, idle)) slots.push_back(*slot);
  EXPECT_EQ(picker.next(state, idle), std::nullopt);
  return slots;
}

TEST(Picker, AnEmptyGroupYieldsNothing) {
  BalancerState state(1);
  EXPECT_THAT(walk(Balancer(), state, 1), ::testing::IsEmpty());
  for (const Algorithm algorithm : all_algorithms) {
    EXPECT_THAT(walk(Balancer(algorithm, {}), state, 1), ::testing::IsEmpty());
    EXPECT_THAT(walk(Balancer(algorithm, candidates({0, 0})), state, 1), ::testing::IsEmpty());
  }
}

TEST(Picker, YieldsEveryCandidateExactlyOnce) {
  for (const Algorithm algorithm : all_algorithms) {
    for (const std::size_t size : {1u, 2u, 3u, 11u, 12u, 13u, 14u, 100u, 2000u}) {
      for (const bool skewed : {false, true}) {
        std::vector<double> weights(size, 1.0);
        if (skewed) weights[size / 2] = 999;
        const Balancer balancer(algorithm, candidates(weights));
        BalancerState state(size);
        for (int round = 0; round < 5; ++round) {
          std::vector<std::uint32_t> slots = walk(balancer, state, key(round));
          ASSERT_EQ(slots.size(), size) << "algorithm " << static_cast<int>(algorithm);
          std::sort(slots.begin(), slots.end());
          for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(slots[i], i + 100);
        }
      }
    }
  }
}

TEST(Picker, NeverYieldsWhatHasNoWeight) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const Algorithm algorithm : all_algorithms) {
    const Balancer balancer(algorithm, candidates({0, 1, -3, 2.5, nan, infinity, 0.001}));
    EXPECT_EQ(balancer.size(), 3u);
    BalancerState state(9);
    EXPECT_THAT(walk(balancer, state, 5), ::testing::UnorderedElementsAre(101, 103, 106));
  }
}

TEST(Picker, SameSeedSameWalk) {
  for (const Algorithm algorithm : all_algorithms) {
    const Balancer balancer(algorithm, candidates({1, 2, 3, 4, 5, 6, 7.5}));
    BalancerState a(42);
    BalancerState b(42);
    for (int i = 0; i < 50; ++i) ASSERT_EQ(walk(balancer, a, key(i)), walk(balancer, b, key(i)));
  }
}

TEST(RoundRobin, IsExactOverEveryPeriod) {
  const Balancer balancer(Algorithm::RoundRobin, candidates({1, 2, 3.5}));
  BalancerState state(7);
  for (int period = 0; period < 10; ++period) {
    std::map<std::uint32_t, int> counts;
    for (int i = 0; i < 13; ++i) ++counts[Picker(balancer).next(state, idle).value()];
    EXPECT_THAT(counts,
                ::testing::ElementsAre(::testing::Pair(100, 2), ::testing::Pair(101, 4), ::testing::Pair(102, 7)));
  }
}

TEST(RoundRobin, WhatTheCallerSkipsIsSharedEvenly) {
  const Balancer balancer(Algorithm::RoundRobin, candidates({1, 1, 1, 1}));
  BalancerState state(7);
  std::map<std::uint32_t, int> counts;
  for (int i = 0; i < 300; ++i) {
    Picker picker(balancer);
    auto slot = picker.next(state, idle);
    while (slot == 102u) slot = picker.next(state, idle);
    ++counts[slot.value()];
  }
  EXPECT_THAT(counts,
              ::testing::ElementsAre(::testing::Pair(100, 100), ::testing::Pair(101, 100), ::testing::Pair(103, 100)));
}

TEST(RoundRobin, StateIsCarriedToAnotherPlan) {
  BalancerState state(std::uint64_t{1} << 63);
  const Balancer many(Algorithm::RoundRobin, candidates(std::vector<double>(1000, 1.0)));
  const Balancer few(Algorithm::RoundRobin, candidates({1, 1}));
  for (int i = 0; i < 2500; ++i) {
    ASSERT_TRUE(Picker(many).next(state, idle));
    const std::uint32_t a = Picker(few).next(state, idle).value();
    ASSERT_NE(a, Picker(few).next(state, idle).value());
  }
}

TEST(Random, FollowsTheWeights) {
  const Balancer balancer(Algorithm::Random, candidates({1, 2, 0.25, 6.75}));
  BalancerState state(3);
  EXPECT_THAT(first_shares(balancer, state, 40'000, 4, idle),
              ::testing::Pointwise(::testing::DoubleNear(0.01), {0.1, 0.2, 0.025, 0.675}));
}

TEST(TwoChoices, FollowsTheWeightsWhenIdle) {
  const Balancer balancer(Algorithm::TwoChoices, candidates({1, 1, 2}));
  BalancerState state(3);
  EXPECT_THAT(first_shares(balancer, state, 40'000, 3, idle),
              ::testing::Pointwise(::testing::DoubleNear(0.01), {0.25, 0.25, 0.5}));
}

TEST(TwoChoices, NeverTakesTheBusiestAndSparesTheBusy) {
  const Balancer balancer(Algorithm::TwoChoices, candidates({1, 1, 1, 1}));
  BalancerState state(3);
  const auto loads = [](std::uint32_t slot) { return Load{.in_flight = slot - 100}; };
  // Of the six pairs the least loaded of all is in three, the next in two more, and so on.
  EXPECT_THAT(first_shares(balancer, state, 40'000, 4, loads),
              ::testing::Pointwise(::testing::DoubleNear(0.01), {0.5, 1.0 / 3, 1.0 / 6, 0.0}));
}

TEST(LeastRequests, TakesTheFewestForItsWeight) {
  struct Case {
    std::vector<double> weights;
    std::vector<std::uint32_t> in_flight;
    std::vector<std::uint32_t> order;
  };
  const std::vector<Case> cases{
      {{1, 1, 1}, {2, 0, 1}, {101, 102, 100}},
      {{1, 4, 1}, {2, 5, 3}, {101, 100, 102}},
      {{0.5, 1, 2}, {1, 1, 1}, {102, 101, 100}},
  };
  for (const Case& c : cases) {
    const Balancer balancer(Algorithm::LeastRequests, candidates(c.weights));
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      BalancerState state(seed);
      Picker picker(balancer);
      std::vector<std::uint32_t> order;
      while (const auto slot =
                 picker.next(state, [&](std::uint32_t s) { return Load{.in_flight = c.in_flight.at(s - 100)}; })) {
        order.push_back(*slot);
      }
      EXPECT_EQ(order, c.order);
    }
  }
}

TEST(LeastRequests, IsAWeightedRoundRobinWhenIdle) {
  const Balancer balancer(Algorithm::LeastRequests, candidates({1, 3}));
  BalancerState state(3);
  EXPECT_THAT(first_shares(balancer, state, 400, 2, idle),
              ::testing::Pointwise(::testing::DoubleNear(1e-9), {0.25, 0.75}));
}

TEST(LeastRequests, KeepsUnequalTargetsEquallyBusyForTheirWeight) {
  const Balancer balancer(Algorithm::LeastRequests, candidates({1, 2, 3}));
  BalancerState state(3);
  std::vector<std::uint32_t> in_flight(3, 0);
  for (int i = 0; i < 60; ++i) {
    ++in_flight
        [Picker(balancer).next(state, [&](std::uint32_t s) { return Load{.in_flight = in_flight[s - 100]}; }).value() -
         100];
  }
  EXPECT_THAT(in_flight, ::testing::ElementsAre(10, 20, 30));
}

TEST(LeastRequests, LooksAtABoundedNumberInAHugeGroupAndComesAround) {
  const Balancer balancer(Algorithm::LeastRequests, candidates(std::vector<double>(5000, 1.0)));
  BalancerState state(3);
  std::set<std::uint32_t> picked;
  for (int i = 0; i < 5000; ++i) {
    std::uint32_t asked = 0;
    picked.insert(Picker(balancer)
                      .next(state,
                            [&](std::uint32_t) {
                              ++asked;
                              return Load{};
                            })
                      .value());
    ASSERT_LE(asked, Balancer::scan_max);
  }
  EXPECT_EQ(picked.size(), 5000u);
}

TEST(LeastTime, PrefersTheFasterAndTheLessBusy) {
  struct Case {
    std::vector<Load> loads;
    std::vector<double> weights;
    std::uint32_t first;
  };
  const std::vector<Case> cases{
      {{{0, 500}, {0, 200}, {0, 900}}, {1, 1, 1}, 101},
      {{{0, 500}, {2, 200}, {0, 900}}, {1, 1, 1}, 100},   // 200 x 3 > 500
      {{{0, 500}, {0, 200}, {0, 900}}, {1, 1, 10}, 102},  // 900 / 10
      {{{0, 500}, {0, 200}, {0, 0}}, {1, 1, 1}, 102},     // unknown and idle: first
      {{{0, 500}, {0, 200}, {1, 0}}, {1, 1, 1}, 101},     // unknown, being found out
      {{{1, 0}, {3, 0}, {2, 0}}, {1, 1, 1}, 100},         // nobody answered yet
  };
  for (const Case& c : cases) {
    const Balancer balancer(Algorithm::LeastTime, candidates(c.weights));
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      BalancerState state(seed);
      EXPECT_EQ(Picker(balancer).next(state, [&](std::uint32_t s) { return c.loads.at(s - 100); }), c.first);
    }
  }
}

TEST(Latency, RisesAtOnceFallsSlowly) {
  using namespace std::chrono_literals;
  const Latency::TimePoint start{};
  Latency latency;
  EXPECT_FALSE(latency.known());
  EXPECT_EQ(latency.at(start), 0);
  latency.observe(1000us, start);
  EXPECT_FLOAT_EQ(latency.at(start), 1000);
  latency.observe(9000us, start + 1s);
  EXPECT_FLOAT_EQ(latency.at(start + 1s), 9000);
  latency.observe(1000us, start + 2s);
  EXPECT_NEAR(latency.at(start + 2s), 9000 * 10.0 / 11 + 1000 / 11.0, 1);
  const float before = latency.at(start + 2s);
  EXPECT_NEAR(latency.at(start + 12s), before / 2, 1) << "one that gets no requests is tried again";
  EXPECT_FLOAT_EQ(latency.at(start + 1s), before) << "a clock that seems to go back changes nothing";
  latency.observe(0us, start + 13s);
  EXPECT_TRUE(latency.known());
}

class Hashing : public ::testing::TestWithParam<Algorithm> {};
INSTANTIATE_TEST_SUITE_P(Both, Hashing, ::testing::Values(Algorithm::SourceHash, Algorithm::Maglev));

TEST_P(Hashing, OneKeyOneOrderWhateverTheStateAndTheListsOrder) {
  std::vector<Candidate> list = candidates({1, 1, 2, 1.5, 1});
  const Balancer one(GetParam(), list);
  std::reverse(list.begin(), list.end());
  const Balancer other(GetParam(), list);
  BalancerState a(1);
  BalancerState b(2);
  for (int i = 0; i < 200; ++i) {
    Picker first(one, key(i));
    Picker second(other, key(i));
    ASSERT_EQ(first.next(a, idle), second.next(b, idle));
    ASSERT_EQ(first.next(a, idle), second.next(b, idle));
  }
}

TEST_P(Hashing, FollowsTheWeights) {
  const Balancer balancer(GetParam(), candidates({1, 2, 0.5, 6.5}));
  BalancerState state(1);
  EXPECT_THAT(first_shares(balancer, state, 40'000, 4, idle),
              ::testing::Pointwise(::testing::DoubleNear(0.012), {0.1, 0.2, 0.05, 0.65}));
}

TEST_P(Hashing, FewMoveWhenOneGoesAndTheOrphansSpread) {
  const std::vector<Candidate> before = candidates(std::vector<double>(20, 1.0));
  std::vector<Candidate> after = before;
  after.erase(after.begin() + 5);
  const Balancer a(GetParam(), before);
  const Balancer b(GetParam(), after);
  BalancerState state(1);
  const int keys = 20'000;
  int moved = 0;
  std::map<std::uint32_t, int> orphans;
  for (int i = 0; i < keys; ++i) {
    const std::uint32_t was = Picker(a, key(i)).next(state, idle).value();
    const std::uint32_t is = Picker(b, key(i)).next(state, idle).value();
    if (was == 105) ++orphans[is];
    if (was != 105 && was != is) ++moved;
  }
  EXPECT_LE(moved, GetParam() == Algorithm::SourceHash ? 0 : keys * 3 / 100);
  EXPECT_EQ(orphans.size(), 19u);
  for (const auto& [slot, count] : orphans) EXPECT_LT(count, 130) << slot;  // evenly: about 53 each
}

TEST_P(Hashing, TheSecondChoicesOfOneTargetsKeysSpread) {
  const Balancer balancer(GetParam(), candidates(std::vector<double>(10, 1.0)));
  BalancerState state(1);
  std::map<std::uint32_t, int> second;
  for (int i = 0; i < 20'000; ++i) {
    Picker picker(balancer, key(i));
    if (picker.next(state, idle) == 104u) ++second[picker.next(state, idle).value()];
  }
  EXPECT_EQ(second.size(), 9u);
  for (const auto& [slot, count] : second) EXPECT_NEAR(count, 222, 80) << slot;
}

TEST(SourceHash, EqualAndUnequalWeightsAgreeOnWhatIsEqual) {
  // A target that enters slow start takes keys away from nobody but itself.
  const Balancer equal(Algorithm::SourceHash, candidates({1, 1, 1, 1}));
  const Balancer slow(Algorithm::SourceHash, candidates({1, 0.3, 1, 1}));
  BalancerState state(1);
  for (int i = 0; i < 2000; ++i) {
    const std::uint32_t was = Picker(equal, key(i)).next(state, idle).value();
    const std::uint32_t is = Picker(slow, key(i)).next(state, idle).value();
    if (was != 101) {
      ASSERT_EQ(is, was);
    }
  }
}

}  // namespace
}  // namespace ballast::traffic
