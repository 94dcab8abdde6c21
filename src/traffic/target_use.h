// TargetUse: says that a strand is using a target, so that it can be called off when the target's deregistration delay
// is over. Worker's thread; in the frame of what uses the target.
#pragma once

#include "io/scope.h"

namespace ballast::traffic {

class TargetUse;

struct TargetUses {
  TargetUse* first = nullptr;
  // Cancels every strand in the list.
  void cancel_all();
};

class TargetUse {
 public:
  TargetUse(TargetUses& uses, io::Strand& strand) : uses_(uses), strand_(strand), next_(uses.first) {
    if (next_ != nullptr) next_->previous_ = this;
    uses.first = this;
  }
  ~TargetUse() {
    (previous_ != nullptr ? previous_->next_ : uses_.first) = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
  }
  TargetUse(const TargetUse&) = delete;

 private:
  friend struct TargetUses;
  TargetUses& uses_;
  io::Strand& strand_;
  TargetUse* previous_ = nullptr;
  TargetUse* next_;
};

// Cancelling wakes the strands later, from the loop, so the list does not change meanwhile.
inline void TargetUses::cancel_all() {
  for (TargetUse* use = first; use != nullptr; use = use->next_) use->strand_.cancel();
}

}  // namespace ballast::traffic
