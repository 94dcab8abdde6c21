// Walk: the targets of a group in the order in which one request asks them: the one it belongs
// to, then those of the picker, then those whose checks have not passed. It passes over targets that are at their
// limit, and holds a place at the one that it gives (queue/places.h) until the next is asked for or it ends itself.
//
// Lives in the frame of Exchange::forward(). has_next() looks one target ahead, for who must know before it lets go of
// an answer.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "traffic/l7/exchange.h"
#include "traffic/queue/places.h"

namespace ballast::traffic {

class Exchange::Walk {
 public:
  enum class Reserve : std::uint8_t { No, Allowed };
  // What becomes of a request whose own target is at its limit: it goes to another one, or to none yet.
  enum class FullOwner : std::uint8_t { PassedOver, Awaited };
  Walk(Worker& worker, const PlanGroup& group, const Way& way, FullOwner full_owner = FullOwner::PassedOver)
      : worker_(worker),
        group_(group),
        balancing_(worker.state_of(*group.share)),
        picker_(way.balancer, way.key),
        reserve_(group.reserve, way.key),
        owner_(way.owner),
        full_owner_(full_owner) {}

  bool has_next() {
    if (!ahead_.has_value()) ahead_ = find(Reserve::Allowed, place_ahead_);
    return ahead_.has_value();
  }
  std::optional<std::uint32_t> next(Reserve reserve) {
    place_.give_back();
    if (!ahead_.has_value()) return find(reserve, place_);
    place_ = std::move(place_ahead_);
    return std::exchange(ahead_, std::nullopt);
  }
  bool found_full() const { return found_full_; }
  // The target that it belongs to is at its limit, and is awaited.
  std::optional<std::uint32_t> awaited() const { return awaited_ ? owner_ : std::nullopt; }
  // Begins at a target with a place that was taken for it.
  void begin_at(std::uint32_t slot, TargetPlace place) {
    owner_ = slot;
    owner_was_asked_ = true;
    awaited_ = false;
    place_ = std::move(place);
  }

 private:
  std::optional<std::uint32_t> find(Reserve reserve, TargetPlace& place) {
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
      const std::uint32_t requests_max = group_.settings->target_requests_max;
      TargetShare& target = *group_.targets[*slot];
      if (connections_max == 0 || worker_.cell_of(target).traffic.in_flight.get() < connections_max) {
        if (requests_max == 0) return slot;
        place = TargetPlace::take(worker_, group_, target, requests_max);
        if (place.has_one()) return slot;
      }
      found_full_ = true;
      if (slot == owner_ && full_owner_ == FullOwner::Awaited) {
        awaited_ = true;
        return std::nullopt;
      }
    }
  }

  Worker& worker_;
  const PlanGroup& group_;
  BalancerState& balancing_;
  Picker picker_;
  Picker reserve_;
  std::optional<std::uint32_t> owner_;  // the session's
  FullOwner full_owner_;
  std::optional<std::uint32_t> ahead_;
  TargetPlace place_;
  TargetPlace place_ahead_;
  bool owner_was_asked_ = false;
  bool found_full_ = false;
  bool awaited_ = false;
};

// Retries of a group at once, for one worker: a share of what is under way, and always a few.
inline bool budget_allows(const GroupCell& cell, const config::Retries& retries) {
  constexpr std::uint64_t always = 3;
  const std::uint64_t active = cell.retries_active.get();
  return active < always ||
         active * 100 < cell.traffic.in_flight.get() * static_cast<std::uint64_t>(retries.budget_percent);
}

}  // namespace ballast::traffic
