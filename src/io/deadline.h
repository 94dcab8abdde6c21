// Deadline: a point on the monotonic clock until which a call may wait. Every call that can wait takes one, last.
//
// A value; resolution is one millisecond, the timer wheel's tick.
#pragma once

#include <algorithm>
#include <chrono>

namespace ballast::io {

using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;
using Duration = std::chrono::nanoseconds;

class Deadline {
 public:
  static constexpr Deadline at(Instant instant) { return Deadline(instant); }
  // For waits that end by cancellation alone; the call site says why that is right.
  static constexpr Deadline never() { return Deadline(Instant::max()); }

  constexpr Instant instant() const { return instant_; }
  constexpr bool is_never() const { return instant_ == Instant::max(); }
  constexpr bool passed(Instant now) const { return now >= instant_; }
  friend constexpr Deadline earlier(Deadline a, Deadline b) { return Deadline(std::min(a.instant_, b.instant_)); }
  friend constexpr bool operator==(Deadline, Deadline) = default;

 private:
  explicit constexpr Deadline(Instant instant) : instant_(instant) {}
  Instant instant_;
};

}  // namespace ballast::io
