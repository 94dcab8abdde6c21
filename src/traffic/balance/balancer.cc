#include "traffic/balance/balancer.h"

#include <algorithm>
#include <cmath>

namespace ballast::traffic {

using config::Algorithm;

Balancer::Balancer(Algorithm algorithm, std::span<const Candidate> candidates) : algorithm_(algorithm) {
  std::vector<double> weights;
  std::vector<std::uint64_t> identities;
  for (const Candidate& candidate : candidates) {
    if (!std::isfinite(candidate.weight) || candidate.weight <= 0) continue;
    slots_.push_back(candidate.slot);
    weights.push_back(std::min(candidate.weight, WeightedIndex::weight_max));
    identities.push_back(candidate.identity);
    equal_weights_ = equal_weights_ && weights.back() == weights.front();
  }
  if (algorithm == Algorithm::Maglev) {
    std::vector<MaglevTable::Entry> entries;
    entries.reserve(weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      entries.push_back({.identity = identities[i], .weight = weights[i]});
    }
    maglev_ = MaglevTable::build(entries);
    return;
  }
  if (algorithm != Algorithm::RoundRobin && algorithm != Algorithm::Random) {
    inverse_weights_.reserve(weights.size());
    for (const double weight : weights) inverse_weights_.push_back(static_cast<float>(1.0 / weight));
  }
  if (algorithm == Algorithm::SourceHash) {
    identities_ = std::move(identities);
  } else {
    weighted_ = WeightedIndex::of(weights);
  }
}

std::uint32_t Picker::turn(BalancerState& state) {
  const WeightedIndex& weighted = balancer_->weighted_;
  // The state may come from another Plan, with another total.
  if (state.turn_ >= weighted.total()) state.turn_ %= weighted.total();
  const std::uint64_t residue = state.turn_;
  state.turn_ += weighted.stride();
  if (state.turn_ >= weighted.total()) state.turn_ -= weighted.total();
  return weighted.at(residue);
}

// What was yielded before gives its turn away: the others share as if it were not in the sequence.
std::uint32_t Picker::next_turn(BalancerState& state) {
  for (int i = 0; i < draws_max; ++i) {
    const std::uint32_t index = turn(state);
    if (!chosen(index)) return index;
  }
  return none;
}

std::uint32_t Picker::draw(BalancerState& state, std::uint32_t but) {
  const WeightedIndex& weighted = balancer_->weighted_;
  for (int i = 0; i < draws_max; ++i) {
    const auto residue =
        static_cast<std::uint64_t>((static_cast<unsigned __int128>(state.random()) * weighted.total()) >> 64);
    const std::uint32_t index = weighted.at(residue);
    if (index != but && !chosen(index)) return index;
  }
  return none;
}

// Weighted rendezvous (highest random weight): the least exponentially distributed number of rate `weight`, one drawn
// from each candidate's identity and the key. What is not the least now is not affected by one that goes.
std::uint32_t Picker::next_hashed() {
  std::uint32_t best = none;
  double best_cost = 0;
  std::uint64_t best_hash = 0;
  for (std::uint32_t index = 0; index < size(); ++index) {
    const std::uint64_t hash = hash_number(HashPurpose::Rendezvous, key_, balancer_->identities_[index]);
    if (balancer_->equal_weights_) {
      // Minus log is falling, so the greatest hash is the least cost: the same answer without the logarithm.
      if ((best == none || hash > best_hash) && !chosen(index)) {
        best = index;
        best_hash = hash;
      }
      continue;
    }
    const double uniform = (static_cast<double>(hash >> 11) + 0.5) * 0x1p-53;
    const double cost = -std::log(uniform) * static_cast<double>(balancer_->inverse_weights_[index]);
    if ((best == none || cost < best_cost) && !chosen(index)) {
      best = index;
      best_cost = cost;
    }
  }
  return best;
}

std::uint32_t Picker::next_maglev() {
  for (int i = 0; i < draws_max; ++i) {
    const std::uint32_t index = balancer_->maglev_.at(hash_number(HashPurpose::Table, key_, rehashes_++));
    if (!chosen(index)) return index;
  }
  return none;
}

std::uint32_t Picker::sweep(BalancerState& state) {
  if (!sweeping_) {
    sweeping_ = true;
    // A key's order is its own, whoever asks; the others must not all begin at the same place.
    const std::uint64_t from = balancer_->needs_key() ? key_ : state.random();
    sweep_from_ = static_cast<std::uint32_t>(from % size());
  }
  while (swept_ < size()) {
    std::uint64_t index = std::uint64_t{sweep_from_} + swept_++;
    if (index >= size()) index -= size();
    if (!chosen(static_cast<std::uint32_t>(index))) return static_cast<std::uint32_t>(index);
  }
  return none;
}

}  // namespace ballast::traffic
