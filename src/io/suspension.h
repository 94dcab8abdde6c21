// Suspension: one wait of one strand, woken exactly once: by its event, by its deadline, or by cancellation.
//
// It is the base of every leaf awaiter (readiness of a socket, a timer, an event) and lives in the waiting coroutine's
// frame. Those who wake it from the loop's own dispatch call wake_now(); those who run inside another coroutine call
// wake_soon(), which resumes it from the loop, so that no coroutine is ever re-entered.
#pragma once

#include <coroutine>
#include <cstdint>

#include "io/deadline.h"
#include "io/timer_wheel.h"

namespace ballast::io {

class Loop;
class Strand;

enum class Wake : std::uint8_t { Event, Deadline, Cancelled };

class Suspension : private Timer {
 public:
  Suspension(const Suspension&) = delete;

  void wake_now(Wake why);
  void wake_soon(Wake why);

 protected:
  Suspension() = default;
  ~Suspension() override;
  // Registers with the strand and the timers. False where the strand is cancelled or the deadline has passed: then do
  // not suspend.
  bool suspend(std::coroutine_handle<> handle, Strand& strand, Deadline deadline);
  // The same for what must finish: neither a deadline nor cancellation ends it.
  void suspend_shielded(std::coroutine_handle<> handle, Strand& strand);
  // Takes itself away from whatever would have woken it by its event.
  virtual void detach() = 0;
  // For a wait that cannot begin: it ends as if cancelled.
  void refuse() { why_ = Wake::Cancelled; }
  Wake why() const { return why_; }
  bool is_suspended() const { return handle_ != nullptr; }

 private:
  friend class Loop;
  friend class Strand;
  void expired() override { wake_now(Wake::Deadline); }
  void stop(Wake why);

  std::coroutine_handle<> handle_;
  Strand* strand_ = nullptr;
  Suspension* next_soon_ = nullptr;
  Wake why_ = Wake::Event;
  bool soon_ = false;
};

}  // namespace ballast::io
