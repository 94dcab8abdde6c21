#include "traffic/balance/weighted_index.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

std::vector<std::uint32_t> steps(const WeightedIndex& index, std::uint64_t count) {
  std::vector<std::uint32_t> picked;
  std::uint64_t residue = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    picked.push_back(index.at(residue));
    residue = (residue + index.stride()) % index.total();
  }
  return picked;
}

std::vector<std::uint64_t> counts_of(const std::vector<std::uint32_t>& picked, std::size_t candidates) {
  std::vector<std::uint64_t> counts(candidates, 0);
  for (const std::uint32_t i : picked) ++counts.at(i);
  return counts;
}

// How far any candidate is ahead of or behind its share at any moment of `picked`.
double worst_lead(const std::vector<std::uint32_t>& picked, const std::vector<double>& weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> counts(weights.size(), 0);
  double worst = 0;
  for (std::size_t n = 0; n < picked.size(); ++n) {
    counts[picked[n]] += 1;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      worst = std::max(worst, std::abs(counts[i] - static_cast<double>(n + 1) * weights[i] / total));
    }
  }
  return worst;
}

TEST(WeightedIndex, NothingAndOne) {
  EXPECT_EQ(WeightedIndex::of({}).total(), 0u);
  const std::vector<double> one{7};
  const WeightedIndex index = WeightedIndex::of(one);
  EXPECT_EQ(index.total(), 1u);
  EXPECT_EQ(index.at(0), 0u);
}

TEST(WeightedIndex, SmallOnesAreSmooth) {
  struct Case {
    std::vector<double> weights;
    std::vector<std::uint32_t> sequence;
  };
  const std::vector<Case> cases{
      {{1, 1, 1}, {0, 1, 2}},
      {{10, 10}, {0, 1}},
      {{2, 1}, {0, 1, 0}},
      {{1, 2}, {1, 0, 1}},
      {{5, 1, 1}, {0, 0, 1, 0, 2, 0, 0}},
      {{0.5, 1}, {1, 0, 1}},
      {{999, 333}, {0, 0, 1, 0}},
  };
  for (const Case& c : cases) {
    const WeightedIndex index = WeightedIndex::of(c.weights);
    EXPECT_EQ(index.total(), c.sequence.size());
    EXPECT_EQ(steps(index, index.total()), c.sequence) << ::testing::PrintToString(c.weights);
  }
}

TEST(WeightedIndex, IsExactOverAPeriodAndEvenWithinIt) {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    // Few candidates are laid out, many with odd weights are summed up; both forms are met.
    const std::size_t size = 2 + random() % (round % 3 == 0 ? 400 : 12);
    std::vector<double> weights(size);
    for (double& weight : weights) weight = 1 + random() % (round % 2 == 0 ? 999 : 9);
    const WeightedIndex index = WeightedIndex::of(weights);
    const std::vector<std::uint32_t> picked = steps(index, index.total());
    const std::vector<std::uint64_t> counts = counts_of(picked, size);
    const double unit = static_cast<double>(index.total()) / std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::size_t i = 0; i < size; ++i) {
      EXPECT_DOUBLE_EQ(static_cast<double>(counts[i]), weights[i] * unit) << "round " << round << " candidate " << i;
    }
    EXPECT_LT(worst_lead(picked, weights), index.stride() == 1 ? 2.0 : 4.5) << "round " << round << " size " << size;
  }
}

TEST(WeightedIndex, ManyTargetsWithOddWeightsStayExactInBoundedMemory) {
  std::vector<double> weights(10'000, 1.0);
  weights[17] = 0.371;  // one in slow start
  weights[4242] = 999;
  const WeightedIndex index = WeightedIndex::of(weights);
  EXPECT_EQ(index.total(), 9'998u * 1000 + 371 + 999'000);
  EXPECT_EQ(std::gcd(index.total(), index.stride()), 1u);
  // Residues map to candidates in order, each as many as its weight has thousandths.
  std::uint64_t begin = 0;
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    const std::uint64_t units = static_cast<std::uint64_t>(std::llround(weights[i] * 1000));
    ASSERT_EQ(index.at(begin), i);
    ASSERT_EQ(index.at(begin + units - 1), i);
    begin += units;
  }
  const std::vector<std::uint64_t> counts = counts_of(steps(index, 110'000), weights.size());
  EXPECT_NEAR(static_cast<double>(counts[4242]), 110'000.0 * 999'000 / static_cast<double>(index.total()), 2.0);
}

TEST(WeightedIndex, TinyWeightsAreKeptAndHugeOnesCut) {
  const std::vector<double> tiny{1e-9, 1.0};
  EXPECT_EQ(WeightedIndex::of(tiny).total(), 1001u);
  const std::vector<double> huge{1e300, 1.0};
  EXPECT_EQ(WeightedIndex::of(huge).total(), 1'000'001u);
}

}  // namespace
}  // namespace ballast::traffic
