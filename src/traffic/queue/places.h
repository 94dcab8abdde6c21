// TargetPlace: one of the `target_requests_max` places that a target has for requests, of all workers together. Taken
// by a request before it is sent there, and given back when it has ended.
//
// A place that is given back goes to who has waited longest for one (waiting_line.h), of whichever worker, without
// having been free in between: nobody who comes later can pass by. Worker's thread; in the frame of
// Exchange::forward().
#pragma once

#include <memory>
#include <utility>

#include "traffic/plan.h"

namespace ballast::traffic {

class Worker;

class TargetPlace {
 public:
  TargetPlace() = default;  // none
  TargetPlace(TargetPlace&& from) noexcept
      : worker_(from.worker_), group_(std::move(from.group_)), target_(std::move(from.target_)) {}
  TargetPlace& operator=(TargetPlace&& from) noexcept {
    if (this == &from) return *this;
    give_back();
    worker_ = from.worker_;
    group_ = std::move(from.group_);
    target_ = std::move(from.target_);
    return *this;
  }
  ~TargetPlace() { give_back(); }

  // None where `max` are taken.
  static TargetPlace take(Worker& worker, const PlanGroup& group, TargetShare& target, std::uint32_t max);
  // One that has been taken for the caller.
  static TargetPlace of(Worker& worker, std::shared_ptr<GroupShare> group, std::shared_ptr<TargetShare> target);

  bool has_one() const { return target_ != nullptr; }
  const TargetShare* target() const { return target_.get(); }
  void give_back();

 private:
  Worker* worker_ = nullptr;
  std::shared_ptr<GroupShare> group_;
  std::shared_ptr<TargetShare> target_;
};

// Who waits on this worker for targets of the Plan looks again: a newer one is there.
void call_waiting(const Plan& plan, std::size_t worker);

}  // namespace ballast::traffic
