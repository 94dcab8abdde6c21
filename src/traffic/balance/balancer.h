// Balancer and Picker: in which order the targets of a group are to be tried for one request.
//
//   Picker picker(balancer, key);
//   while (auto slot = picker.next(state, loads)) { ...try the target; break when it answered... }
//
// A Picker is an ordered walk, best first, over every candidate exactly once. It knows nothing of health, retries or
// I/O: what it yields and the caller skips or fails on is simply not yielded again.
//
// Balancer: immutable, part of the Plan, built by the control thread; must outlive its Pickers (a request keeps its
// Plan). BalancerState: one worker's own, for each group; it may be carried over to the next Plan's Balancer as it is.
// Picker: on the stack of one request, may live over suspensions; allocates nothing.
//
// Cost of the first pick: constant for round_robin, random, two_choices and maglev. least_requests and least_time look
// at every candidate of a group up to scan_max, and at a moving stretch of scan_max in a bigger one. source_hash looks
// at all: maglev is for big groups.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/settings.h"
#include "traffic/balance/hash.h"
#include "traffic/balance/load.h"
#include "traffic/balance/maglev.h"
#include "traffic/balance/weighted_index.h"

namespace ballast::traffic {

struct Candidate {
  std::uint32_t slot = 0;      // the caller's name for the target; what next() yields. No two alike
  double weight = 1;           // effective: fractional in slow start; 0 (or less, or not a number): never yielded
  std::uint64_t identity = 0;  // identity_of(address); the hashing algorithms stay put by it when slots are renumbered
};

inline std::uint64_t identity_of(Bytes address) {
  return hash_bytes(HashPurpose::Identity, address);
}
// What a client sticks to with source_hash and maglev: its address's bytes, a header's or cookie's value, or the path.
inline std::uint64_t key_of(Bytes value) {
  return hash_bytes(HashPurpose::Key, value);
}

// Seed each worker's differently, or all of them send their first request to the same target. On a cache line of its
// own, for the workers' stand side by side and each is written at every pick.
class alignas(64) BalancerState {
 public:
  explicit BalancerState(std::uint64_t seed) : turn_(scramble(seed) >> 16), random_(seed) {}
  std::uint64_t random() { return scramble(random_ += 0x9e3779b97f4a7c15u); }

 private:
  friend class Picker;
  std::uint64_t turn_;
  std::uint64_t random_;
};

class Balancer {
 public:
  // Empty: yields nothing.
  Balancer() = default;
  Balancer(config::Algorithm algorithm, std::span<const Candidate> candidates);

  static constexpr std::uint32_t scan_max = 1024;

  config::Algorithm algorithm() const { return algorithm_; }
  // Candidates of a weight above zero.
  std::uint32_t size() const { return static_cast<std::uint32_t>(slots_.size()); }
  bool needs_key() const {
    return algorithm_ == config::Algorithm::SourceHash || algorithm_ == config::Algorithm::Maglev;
  }

 private:
  friend class Picker;
  config::Algorithm algorithm_ = config::Algorithm::RoundRobin;
  std::vector<std::uint32_t> slots_;
  std::vector<float> inverse_weights_;     // source_hash and the algorithms that compare loads
  std::vector<std::uint64_t> identities_;  // source_hash
  bool equal_weights_ = true;
  WeightedIndex weighted_;  // all but the hashing ones
  MaglevTable maglev_;
};

class Picker {
 public:
  explicit Picker(const Balancer& balancer, std::uint64_t key = 0) : balancer_(&balancer), key_(key) {}

  // The next best slot not yet yielded, or none when all were. `loads(slot)` gives a Load; it is called for the
  // algorithms that compare loads only, and only during this call.
  template <typename Loads>
  std::optional<std::uint32_t> next(BalancerState& state, const Loads& loads);

 private:
  // By policy up to this many, remembered in place; a request is tried 10 times at most (config::Retries). What a
  // caller skips beyond them comes in one sweep over the rest, which needs no memory.
  static constexpr std::uint32_t chosen_max = 12;
  // Draws until one not yet chosen comes; then the sweep, which cannot miss.
  static constexpr int draws_max = 16;
  static constexpr std::uint32_t none = 0xffffffffu;
  // The assumed latency of a target that has requests in flight and has answered none: a second, worse than most.
  static constexpr float assumed_latency_us = 1e6F;

  std::uint32_t size() const { return balancer_->size(); }
  bool chosen(std::uint32_t index) const {
    for (std::uint32_t i = 0; i < chosen_count_; ++i) {
      if (chosen_[i] == index) return true;
    }
    return false;
  }

  std::uint32_t turn(BalancerState& state);                     // the next of the weighted sequence, chosen or not
  std::uint32_t draw(BalancerState& state, std::uint32_t but);  // weighted random, not chosen and not `but`; or none
  std::uint32_t next_turn(BalancerState& state);
  std::uint32_t next_hashed();
  std::uint32_t next_maglev();
  std::uint32_t sweep(BalancerState& state);

  template <typename Loads>
  std::uint32_t choose(BalancerState& state, const Loads& loads);
  template <typename Loads>
  std::uint32_t less_loaded(BalancerState& state, const Loads& loads);
  template <typename Score>
  std::uint32_t least(BalancerState& state, const Score& score);

  const Balancer* balancer_;
  std::uint64_t key_;
  std::array<std::uint32_t, chosen_max> chosen_{};
  std::uint32_t chosen_count_ = 0;
  std::uint32_t rehashes_ = 0;
  bool sweeping_ = false;
  std::uint32_t swept_ = 0;
  std::uint32_t sweep_from_ = 0;
};

template <typename Loads>
std::optional<std::uint32_t> Picker::next(BalancerState& state, const Loads& loads) {
  if (!sweeping_) {
    if (chosen_count_ == size()) return std::nullopt;
    const std::uint32_t index = chosen_count_ < chosen_max ? choose(state, loads) : none;
    if (index != none) {
      chosen_[chosen_count_++] = index;
      return balancer_->slots_[index];
    }
  }
  const std::uint32_t index = sweep(state);
  if (index == none) return std::nullopt;
  return balancer_->slots_[index];
}

template <typename Loads>
std::uint32_t Picker::choose(BalancerState& state, const Loads& loads) {
  switch (balancer_->algorithm_) {
    case config::Algorithm::RoundRobin:
      return next_turn(state);
    case config::Algorithm::Random:
      return draw(state, none);
    case config::Algorithm::SourceHash:
      return next_hashed();
    case config::Algorithm::Maglev:
      return next_maglev();
    case config::Algorithm::TwoChoices:
      return less_loaded(state, loads);
    case config::Algorithm::LeastRequests:
      return least(state, [&](std::uint32_t index) {
        return static_cast<float>(loads(balancer_->slots_[index]).in_flight) * balancer_->inverse_weights_[index];
      });
    case config::Algorithm::LeastTime:
      return least(state, [&](std::uint32_t index) {
        const Load load = loads(balancer_->slots_[index]);
        const bool known = load.latency_us > 0;
        // Never tried and idle: first, so that it becomes known; one request finds out, not a burst.
        if (!known && load.in_flight == 0) return -1.0F;
        const float latency = known ? load.latency_us : assumed_latency_us;
        return latency * (static_cast<float>(load.in_flight) + 1.0F) * balancer_->inverse_weights_[index];
      });
  }
  return none;
}

// Power of two choices: of two drawn by weight the one with fewer requests for its weight; the first drawn at a tie.
template <typename Loads>
std::uint32_t Picker::less_loaded(BalancerState& state, const Loads& loads) {
  const std::uint32_t first = draw(state, none);
  if (first == none || size() == 1) return first;
  const std::uint32_t second = draw(state, first);
  if (second == none) return first;
  const auto score = [&](std::uint32_t index) {
    return static_cast<float>(loads(balancer_->slots_[index]).in_flight) * balancer_->inverse_weights_[index];
  };
  return score(second) < score(first) ? second : first;
}

// The least score in a stretch that begins at the weighted sequence's next: a tie of all is a weighted round robin.
template <typename Score>
std::uint32_t Picker::least(BalancerState& state, const Score& score) {
  const std::uint32_t count = size();
  const std::uint32_t stretch = count < Balancer::scan_max ? count : Balancer::scan_max;
  std::uint32_t index = turn(state);
  std::uint32_t best = none;
  float best_score = 0;
  for (std::uint32_t seen = 0; seen < stretch; ++seen, index = index + 1 == count ? 0 : index + 1) {
    if (chosen_count_ != 0 && chosen(index)) continue;
    const float value = score(index);
    if (best == none || value < best_score) {
      best = index;
      best_score = value;
    }
  }
  return best;
}

}  // namespace ballast::traffic
