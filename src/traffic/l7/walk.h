// Walk: the targets of a group in the order in which one request asks them: the one it belongs
// to, then those of the picker, then those whose checks have not passed. It passes over targets that are at their
// limit.
//
// Lives in the frame of Exchange::forward(). has_next() looks one target ahead, for who must know before it lets go of
// an answer.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "traffic/l7/exchange.h"

namespace ballast::traffic {

class Exchange::Walk {
 public:
  enum class Reserve : std::uint8_t { No, Allowed };
  Walk(Worker& worker, const PlanGroup& group, const Way& way)
      : worker_(worker),
        group_(group),
        balancing_(worker.state_of(*group.share)),
        picker_(way.balancer, way.key),
        reserve_(group.reserve, way.key),
        owner_(way.owner) {}

  bool has_next() {
    if (!ahead_.has_value()) ahead_ = find(Reserve::Allowed);
    return ahead_.has_value();
  }
  std::optional<std::uint32_t> next(Reserve reserve) {
    return ahead_.has_value() ? std::exchange(ahead_, std::nullopt) : find(reserve);
  }
  bool found_full() const { return found_full_; }

 private:
  std::optional<std::uint32_t> find(Reserve reserve) {
    const auto loads = [this](std::uint32_t slot) {
      TargetShare& target = *group_.targets[slot];
      return Load{static_cast<std::uint32_t>(worker_.cell_of(target).traffic.in_flight.get()),
                  worker_.local_of(target).latency.at(worker_.loop().now())};
    };
    while (true) {
      auto slot = owner_was_asked_ ? std::nullopt : owner_;
      if (slot.has_value()) {
        owner_was_asked_ = true;
      } else {
        slot = picker_.next(balancing_, loads);
        if (slot.has_value() && slot == owner_) continue;
      }
      // Every target that should have answered has failed: those whose checks have not passed may still be well.
      if (!slot.has_value() && reserve == Reserve::Allowed) slot = reserve_.next(balancing_, loads);
      if (!slot.has_value()) return std::nullopt;
      const std::uint32_t connections_max = group_.settings->target_connections_max;
      TargetShare& target = *group_.targets[*slot];
      if (connections_max == 0 || worker_.cell_of(target).traffic.in_flight.get() < connections_max) return slot;
      found_full_ = true;
    }
  }

  Worker& worker_;
  const PlanGroup& group_;
  BalancerState& balancing_;
  Picker picker_;
  Picker reserve_;
  std::optional<std::uint32_t> owner_;  // the session's
  std::optional<std::uint32_t> ahead_;
  bool owner_was_asked_ = false;
  bool found_full_ = false;
};

// Retries of a group at once, for one worker: a share of what is under way, and always a few.
inline bool budget_allows(const GroupCell& cell, const config::Retries& retries) {
  constexpr std::uint64_t always = 3;
  const std::uint64_t active = cell.retries_active.get();
  return active < always ||
         active * 100 < cell.traffic.in_flight.get() * static_cast<std::uint64_t>(retries.budget_percent);
}

}  // namespace ballast::traffic
