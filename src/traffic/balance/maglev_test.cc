#include "traffic/balance/maglev.h"

#include <algorithm>
#include <random>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "traffic/balance/balancer.h"

namespace ballast::traffic {
namespace {

std::vector<MaglevTable::Entry> entries(std::size_t count) {
  std::vector<MaglevTable::Entry> made;
  for (std::size_t i = 0; i < count; ++i) {
    made.push_back({.identity = identity_of(fmt::format("10.0.{}.{}:8080", i / 256, i % 256)), .weight = 1});
  }
  return made;
}

std::vector<double> shares(const MaglevTable& table, std::size_t count) {
  std::vector<double> share(count, 0);
  for (const std::uint32_t i : table.table()) share.at(i) += 1.0 / static_cast<double>(table.size());
  return share;
}

TEST(MaglevTable, EmptyAndOne) {
  EXPECT_EQ(MaglevTable::build({}).size(), 0u);
  const MaglevTable one = MaglevTable::build(entries(1));
  for (const std::uint32_t i : one.table()) ASSERT_EQ(i, 0u);
  EXPECT_EQ(one.at(0), 0u);
  EXPECT_EQ(one.at(~std::uint64_t{0}), 0u);
}

TEST(MaglevTable, SizesArePrime) {
  for (const std::size_t count : {1u, 65u, 16'385u}) {
    const std::size_t size = MaglevTable::build(entries(count)).size();
    for (std::size_t divisor = 2; divisor * divisor <= size; ++divisor) ASSERT_NE(size % divisor, 0u) << size;
  }
}

TEST(MaglevTable, EqualWeightsGetEqualShares) {
  for (const std::size_t count : {3u, 64u, 65u, 500u}) {
    const std::vector<double> share = shares(MaglevTable::build(entries(count)), count);
    const double even = 1.0 / static_cast<double>(count);
    // Claims go round: nobody is more than one entry ahead.
    const double entry = 1.0 / 8191.0;
    for (const double s : share) EXPECT_NEAR(s, even, entry) << count;
  }
}

TEST(MaglevTable, WeightsAreShares) {
  std::vector<MaglevTable::Entry> weighted = entries(5);
  const std::vector<double> weights{1, 2, 10, 0.5, 36.5};
  for (std::size_t i = 0; i < weights.size(); ++i) weighted[i].weight = weights[i];
  const std::vector<double> share = shares(MaglevTable::build(weighted), weighted.size());
  for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(share[i], weights[i] / 50.0, 0.001) << i;
}

TEST(MaglevTable, DoesNotDependOnTheOrderOfTheList) {
  std::vector<MaglevTable::Entry> in_order = entries(40);
  for (std::size_t i = 0; i < in_order.size(); ++i) in_order[i].weight = static_cast<double>(1 + i % 3);
  std::vector<MaglevTable::Entry> shuffled = in_order;
  std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(3));
  const MaglevTable a = MaglevTable::build(in_order);
  const MaglevTable b = MaglevTable::build(shuffled);
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(in_order[a.table()[i]].identity, shuffled[b.table()[i]].identity) << i;
  }
}

// Share of table entries that changed although their candidate is still there.
double disruption(const std::vector<MaglevTable::Entry>& before, const std::vector<MaglevTable::Entry>& after,
                  std::uint64_t gone) {
  const MaglevTable a = MaglevTable::build(before);
  const MaglevTable b = MaglevTable::build(after);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::uint64_t was = before[a.table()[i]].identity;
    if (was != gone && after[b.table()[i]].identity != was) ++moved;
  }
  return static_cast<double>(moved) / static_cast<double>(a.size());
}

TEST(MaglevTable, LittleMovesWhenOneGoes) {
  for (const std::size_t count : {4u, 20u, 100u, 500u}) {
    const std::vector<MaglevTable::Entry> before = entries(count);
    std::vector<MaglevTable::Entry> after = before;
    after.erase(after.begin() + 1);
    EXPECT_LT(disruption(before, after, before[1].identity), 0.03) << count;
  }
}

TEST(MaglevTable, LittleMovesWhenAWeightChanges) {
  const std::vector<MaglevTable::Entry> before = entries(20);
  std::vector<MaglevTable::Entry> after = before;
  after[3].weight = 0.5;
  EXPECT_LT(disruption(before, after, before[3].identity), 0.05);
}

}  // namespace
}  // namespace ballast::traffic
