#include "traffic/balance/weighted_index.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

namespace ballast::traffic {
namespace {

// A layout costs total * candidates steps and total entries, for each change of the Plan: about 2 ms and 256 KiB at
// most.
constexpr std::uint64_t layout_steps_max = 1u << 21;
constexpr std::uint64_t layout_total_max = 1u << 16;

std::vector<std::uint64_t> to_units(std::span<const double> weights) {
  std::vector<std::uint64_t> units;
  units.reserve(weights.size());
  std::uint64_t divisor = 0;
  for (const double weight : weights) {
    const double thousandths = std::min(weight, WeightedIndex::weight_max) * 1000.0;
    units.push_back(thousandths > 1.0 ? static_cast<std::uint64_t>(std::llround(thousandths)) : 1);
    divisor = std::gcd(divisor, units.back());
  }
  for (std::uint64_t& unit : units) unit /= divisor;
  return units;
}

// How unevenly the multiples of stride fall over total: the sum of the partial quotients of their fraction, which
// bounds the discrepancy (Niederreiter, "Random Number Generation and Quasi-Monte Carlo Methods", 1992). None where
// they share a divisor.
std::optional<std::uint64_t> unevenness(std::uint64_t total, std::uint64_t stride) {
  std::uint64_t sum = 0;
  while (stride != 0) {
    sum += total / stride;
    total = std::exchange(stride, total % stride);
  }
  return total == 1 ? std::optional(sum) : std::nullopt;
}

// Near the golden ratio, the number that fractions approach worst; the best of some, for what lies between two
// fractions of this very total may be uneven again.
std::uint64_t golden_stride(std::uint64_t total) {
  constexpr std::uint64_t tries = 200;
  const auto middle = static_cast<std::uint64_t>(std::llround(static_cast<double>(total) * 0.6180339887498949));
  const std::uint64_t first = middle > tries ? middle - tries : 1;
  std::uint64_t best = 1;
  std::uint64_t least = total;
  for (std::uint64_t stride = first; stride < std::min(middle + tries, total); ++stride) {
    const std::optional<std::uint64_t> sum = unevenness(total, stride);
    if (sum && *sum < least) {
      best = stride;
      least = *sum;
    }
  }
  return best;
}

}  // namespace

WeightedIndex WeightedIndex::of(std::span<const double> weights) {
  WeightedIndex index;
  if (weights.empty()) return index;
  const std::vector<std::uint64_t> units = to_units(weights);
  index.total_ = std::accumulate(units.begin(), units.end(), std::uint64_t{0});
  if (index.total_ == units.size()) return index;
  if (index.total_ <= layout_total_max && index.total_ * units.size() <= layout_steps_max) {
    index.lay_out(units);
  } else {
    index.sum_up(units);
  }
  return index;
}

// Smooth weighted round robin: everyone earns its weight, the richest is picked and pays the total.
void WeightedIndex::lay_out(std::span<const std::uint64_t> units) {
  const auto total = static_cast<std::int64_t>(total_);
  std::vector<std::int64_t> earned(units.size(), 0);
  sequence_.reserve(total_);
  for (std::uint64_t residue = 0; residue < total_; ++residue) {
    std::size_t richest = 0;
    for (std::size_t i = 0; i < units.size(); ++i) {
      earned[i] += static_cast<std::int64_t>(units[i]);
      if (earned[i] > earned[richest]) richest = i;
    }
    earned[richest] -= total;
    sequence_.push_back(static_cast<std::uint32_t>(richest));
  }
}

void WeightedIndex::sum_up(std::span<const std::uint64_t> units) {
  ends_.resize(units.size());
  std::inclusive_scan(units.begin(), units.end(), ends_.begin());
  stride_ = golden_stride(total_);
  while ((total_ >> guide_shift_) > 4 * units.size()) ++guide_shift_;
  std::uint32_t candidate = 0;
  for (std::uint64_t cell = 0; (cell << guide_shift_) < total_; ++cell) {
    while (ends_[candidate] <= cell << guide_shift_) ++candidate;
    guide_.push_back(candidate);
  }
}

std::uint32_t WeightedIndex::at(std::uint64_t residue) const {
  if (!sequence_.empty()) return sequence_[residue];
  if (ends_.empty()) return static_cast<std::uint32_t>(residue);
  const std::size_t cell = residue >> guide_shift_;
  std::size_t index = guide_[cell];
  // A cell is under half an average weight wide: mostly nobody's end lies in it, sometimes one does. No branch to
  // mispredict.
  index += static_cast<std::size_t>(ends_[index] <= residue);
  if (ends_[index] > residue) [[likely]]
    return static_cast<std::uint32_t>(index);
  // Many light candidates share the cell. The answer is at most the candidate that the next cell begins with.
  const auto first = ends_.begin() + static_cast<std::ptrdiff_t>(index);
  const auto last = cell + 1 < guide_.size() ? ends_.begin() + guide_[cell + 1] : ends_.end() - 1;
  return static_cast<std::uint32_t>(std::upper_bound(first, last, residue) - ends_.begin());
}

}  // namespace ballast::traffic
