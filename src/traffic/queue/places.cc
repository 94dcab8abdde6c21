#include "traffic/queue/places.h"

#include <algorithm>

#include "io/loop.h"
#include "traffic/worker.h"

namespace ballast::traffic {
namespace {

using GroupPointer = std::shared_ptr<GroupShare>;
using TargetPointer = std::shared_ptr<TargetShare>;

bool take_one(TargetShare& target, std::uint32_t max) {
  std::uint32_t taken = target.places_taken.load();
  while (taken < max) {
    if (target.places_taken.compare_exchange_weak(taken, taken + 1)) return true;
  }
  return false;
}

// What the newest Plan says of a target's places.
struct Places {
  std::uint32_t max = 0;
  bool for_anyone = false;  // else for those alone that belong to the target
};

Places places_of(const Worker& worker, const GroupShare& group, const TargetShare& target) {
  for (const auto& each : worker.plan()->groups) {
    if (each->share.get() != &group) continue;
    const auto found = std::ranges::find(each->targets, &target, [](const auto& share) { return share.get(); });
    if (found == each->targets.end()) break;
    return {.max = each->settings->target_requests_max,
            .for_anyone = each->in_balancer[static_cast<std::size_t>(found - each->targets.begin())]};
  }
  return {};
}

bool anyone_waits(const GroupShare& group) {
  return group.waiting.load() != 0;
}

// The worker on which somebody has waited longest, and since when.
struct Next {
  std::size_t worker = 0;
  std::uint64_t key = WaitingLine::nobody;
  bool is_there() const { return key != WaitingLine::nobody; }
};

Next next_of(const GroupShare& group, const TargetShare& target, bool for_anyone) {
  Next next;
  for (std::size_t i = 0; i < group.lines.size(); ++i) {
    std::uint64_t key = target.lines[i].first_key();
    if (for_anyone) key = std::min(key, group.lines[i].first_key());
    if (key < next.key) next = {.worker = i, .key = key};
  }
  return next;
}

Waiter* next_here(const GroupShare& group, const TargetShare& target, std::size_t worker, bool for_anyone) {
  Waiter* own = target.lines[worker].first();
  Waiter* any = for_anyone ? group.lines[worker].first() : nullptr;
  return own == nullptr || (any != nullptr && any->key() < own->key()) ? any : own;
}

void give_back(Worker& worker, const GroupPointer& group, const TargetPointer& target);

// A place that is still taken; false: nobody wants it.
bool hand_on(Worker& worker, const GroupPointer& group, const TargetPointer& target, bool for_anyone) {
  const Next next = next_of(*group, *target, for_anyone);
  if (!next.is_there()) return false;
  if (next.worker == static_cast<std::size_t>(worker.number())) {
    next_here(*group, *target, next.worker, for_anyone)->give(target);
    return true;
  }
  Worker& other = worker.peer(next.worker);
  other.loop().post([&other, group, target, for_anyone] {
    Waiter* waiter = next_here(*group, *target, static_cast<std::size_t>(other.number()), for_anyone);
    if (waiter != nullptr) {
      waiter->give(target);
    } else {
      give_back(other, group, target);  // who waited has gone meanwhile
    }
  });
  return true;
}

void give_back(Worker& worker, const GroupPointer& group, const TargetPointer& target) {
  while (true) {
    Places places;
    if (anyone_waits(*group)) places = places_of(worker, *group, *target);
    if (target->places_taken.load() <= places.max && hand_on(worker, group, target, places.for_anyone)) return;
    target->places_taken.fetch_sub(1);
    // Who began to wait before that has seen it taken. Both sides write first and look then, in one order that all
    // agree about: one of them sees the other.
    if (!anyone_waits(*group)) return;
    places = places_of(worker, *group, *target);
    if (!next_of(*group, *target, places.for_anyone).is_there() || !take_one(*target, places.max)) return;
  }
}

}  // namespace

TargetPlace TargetPlace::take(Worker& worker, const PlanGroup& group, TargetShare& target, std::uint32_t max) {
  return take_one(target, max) ? of(worker, group.share, target.shared_from_this()) : TargetPlace();
}

TargetPlace TargetPlace::of(Worker& worker, std::shared_ptr<GroupShare> group, std::shared_ptr<TargetShare> target) {
  TargetPlace place;
  place.worker_ = &worker;
  place.group_ = std::move(group);
  place.target_ = std::move(target);
  return place;
}

void TargetPlace::give_back() {
  if (target_ == nullptr) return;
  const auto target = std::exchange(target_, nullptr);
  traffic::give_back(*worker_, group_, target);
  group_.reset();
}

void call_waiting(const Plan& plan, std::size_t worker) {
  for (const auto& group : plan.groups) {
    if (!anyone_waits(*group->share)) continue;
    group->share->lines[worker].call_all();
    for (const auto& target : group->targets) target->lines[worker].call_all();
  }
}

}  // namespace ballast::traffic
