// WeightedIndex: maps the residues 0 .. total-1 to candidates, each candidate owning as many residues as its weight
// says.
//
// A uniformly drawn residue is a weighted random draw. Stepping by `stride`, which has no common divisor with `total`,
// visits every residue once in `total` steps: a weighted round robin that is exact over that period, in memory that
// depends on the number of candidates only. The stride is near total / golden ratio, which spreads the visits of every
// candidate about evenly (three-distance theorem); equal weights step by one, in the order given.
// Immutable after of(); any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ballast::traffic {

class WeightedIndex {
 public:
  WeightedIndex() = default;
  // Weights above zero, at most weight_max; kept to a thousandth.
  static WeightedIndex of(std::span<const double> weights);
  static constexpr double weight_max = 1e6;

  std::uint64_t total() const { return total_; }
  std::uint64_t stride() const { return stride_; }
  // `residue` < total().
  std::uint32_t at(std::uint64_t residue) const;

 private:
  void lay_out(std::span<const std::uint64_t> units);
  void sum_up(std::span<const std::uint64_t> units);

  std::uint64_t total_ = 0;
  std::uint64_t stride_ = 1;
  // At most one of sequence_ and ends_ is used; neither where all weights are equal.
  std::vector<std::uint32_t> sequence_;  // small totals: the candidate of each residue
  std::vector<std::uint64_t> ends_;      // running sums of the weights
  std::vector<std::uint32_t>
      guide_;  // by residue >> guide_shift_: the first candidate that ends behind that cell's begin
  int guide_shift_ = 0;
};

}  // namespace ballast::traffic
