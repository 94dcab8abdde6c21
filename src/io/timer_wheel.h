// TimerWheel: timers in four levels of 256 slots, one millisecond a tick; adding and removing one is O(1), 100,000 cost
// what they hold. After Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987.
//
// A Timer is intrusive: it lives in whatever waits and leaves the wheel when destroyed. It never fires early; late by
// at most a tick and the loop's own delay. Horizon: 49 days, later deadlines are put at the horizon and put again when
// it comes.
#pragma once

#include <array>
#include <cstdint>

#include "io/deadline.h"

namespace ballast::io {

class TimerWheel;

class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  bool is_armed() const { return previous_next_ != nullptr; }
  void disarm();

 protected:
  virtual ~Timer() { disarm(); }
  virtual void expired() = 0;

 private:
  friend class TimerWheel;
  Timer* next_ = nullptr;
  Timer** previous_next_ = nullptr;  // what points at this timer
  std::uint64_t tick_ = 0;
};

class TimerWheel {
 public:
  explicit TimerWheel(Instant start) : start_(start) {}
  TimerWheel(const TimerWheel&) = delete;

  void arm(Timer& timer, Instant when);
  // Fires all that are due. Timers may be armed and disarmed from within expired().
  void advance(Instant now);
  // When advance() should be called next: not later than the first timer; Instant::max() when there is none.
  Instant next() const;

 private:
  static constexpr int level_bits = 8;
  static constexpr int level_count = 4;
  static constexpr std::uint64_t slot_count = 1U << level_bits;
  static constexpr std::uint64_t slot_mask = slot_count - 1;

  struct Level {
    std::array<Timer*, slot_count> slots{};
    // A set bit: the slot may hold a timer. A clear one: it holds none.
    mutable std::array<std::uint64_t, slot_count / 64> used{};
  };

  std::uint64_t tick_of(Instant when) const;
  void place(Timer& timer);
  void cascade(int level);
  std::uint64_t next_used(int level, std::uint64_t from) const;

  Instant start_;
  std::uint64_t now_tick_ = 0;  // all ticks up to here have fired
  std::array<Level, level_count> levels_;
};

}  // namespace ballast::io
