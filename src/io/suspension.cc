#include "io/suspension.h"

#include <utility>

#include "base/check.h"
#include "io/loop.h"
#include "io/scope.h"

namespace ballast::io {

Suspension::~Suspension() {
  // A frame destroyed while it waits (its Task dropped by a parent that gave up) must leave nothing behind.
  CHECK(!soon_);
  CHECK(handle_ == nullptr);
}

bool Suspension::suspend(std::coroutine_handle<> handle, Strand& strand, Deadline deadline) {
  if (strand.cancelled()) {
    why_ = Wake::Cancelled;
    return false;
  }
  Loop& loop = strand.loop();
  if (deadline.passed(loop.now())) {
    why_ = Wake::Deadline;
    return false;
  }
  CHECK(strand.suspension_ == nullptr);
  handle_ = handle;
  strand_ = &strand;
  strand.suspension_ = this;
  if (!deadline.is_never()) loop.timers().arm(*this, deadline.instant());
  return true;
}

void Suspension::suspend_shielded(std::coroutine_handle<> handle, Strand& strand) {
  handle_ = handle;
  strand_ = &strand;
}

void Suspension::stop(Wake why) {
  disarm();
  detach();
  why_ = why;
  if (strand_->suspension_ == this) strand_->suspension_ = nullptr;
}

void Suspension::wake_now(Wake why) {
  stop(why);
  std::exchange(handle_, nullptr).resume();
}

void Suspension::wake_soon(Wake why) {
  stop(why);
  soon_ = true;
  strand_->loop().wake_soon(*this);
}

}  // namespace ballast::io
