// Histogram: how long things took, in fixed buckets that Prometheus can read as they are.
//
// A value type; the data plane keeps its own single-writer form (traffic/counters.h) with the same bounds.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace ballast {

struct Histogram {
  // Upper bounds in microseconds, inclusive; one more bucket holds all above.
  static constexpr std::array<std::uint32_t, 17> bounds_us{
      100,     250,     500,     1'000,     2'500,     5'000,     10'000,     25'000,    50'000,
      100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 60'000'000};
  static constexpr std::size_t bucket_count = bounds_us.size() + 1;

  std::array<std::uint64_t, bucket_count> buckets{};
  std::uint64_t count = 0;
  std::uint64_t sum_us = 0;

  static std::size_t bucket_of(std::uint64_t us) {
    std::size_t index = 0;
    while (index < bounds_us.size() && us > bounds_us[index]) ++index;
    return index;
  }
  void add(std::chrono::microseconds took) {
    const auto us = took.count() > 0 ? static_cast<std::uint64_t>(took.count()) : 0;
    ++buckets[bucket_of(us)];
    ++count;
    sum_us += us;
  }
  void merge(const Histogram& other) {
    for (std::size_t i = 0; i < bucket_count; ++i) buckets[i] += other.buckets[i];
    count += other.count;
    sum_us += other.sum_us;
  }
};

}  // namespace ballast
