#include "io/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace ballast::io {

namespace {
constexpr auto tick_length = std::chrono::milliseconds(1);
}

void Timer::disarm() {
  if (previous_next_ == nullptr) return;
  *previous_next_ = next_;
  if (next_ != nullptr) next_->previous_next_ = previous_next_;
  previous_next_ = nullptr;
  next_ = nullptr;
}

std::uint64_t TimerWheel::tick_of(Instant when) const {
  if (when <= start_) return 0;
  // Rounded up: a timer never fires early.
  return static_cast<std::uint64_t>((when - start_ - Duration(1)) / tick_length) + 1;
}

void TimerWheel::arm(Timer& timer, Instant when) {
  timer.disarm();
  timer.tick_ = std::max(tick_of(when), now_tick_ + 1);
  place(timer);
}

void TimerWheel::place(Timer& timer) {
  std::uint64_t tick = std::max(timer.tick_, now_tick_ + 1);
  constexpr std::uint64_t horizon = (std::uint64_t{1} << (level_bits * level_count)) - 1;
  tick = std::min(tick, now_tick_ + horizon - slot_count);
  // The lowest level on which the timer's slot is not yet the current one.
  int level = 0;
  while (level + 1 < level_count && (tick >> (level_bits * (level + 1))) != (now_tick_ >> (level_bits * (level + 1))))
    ++level;
  const std::uint64_t slot = (tick >> (level_bits * level)) & slot_mask;
  Level& row = levels_[static_cast<std::size_t>(level)];
  Timer*& head = row.slots[slot];
  timer.next_ = head;
  timer.previous_next_ = &head;
  if (head != nullptr) head->previous_next_ = &timer.next_;
  head = &timer;
  row.used[slot / 64] |= std::uint64_t{1} << (slot % 64);
}

void TimerWheel::cascade(int level) {
  const std::uint64_t slot = (now_tick_ >> (level_bits * level)) & slot_mask;
  if (slot == 0 && level + 1 < level_count) cascade(level + 1);
  Level& row = levels_[static_cast<std::size_t>(level)];
  // Taken as a whole first: a timer beyond the horizon goes back to a slot of this level.
  Timer* timer = std::exchange(row.slots[slot], nullptr);
  row.used[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  while (timer != nullptr) {
    Timer* next = timer->next_;
    timer->next_ = nullptr;
    timer->previous_next_ = nullptr;
    if (timer->tick_ <= now_tick_) {
      // Due at this very tick: into level 0's current slot, which advance() fires next.
      Level& first = levels_[0];
      const std::uint64_t here = now_tick_ & slot_mask;
      Timer*& head = first.slots[here];
      timer->next_ = head;
      timer->previous_next_ = &head;
      if (head != nullptr) head->previous_next_ = &timer->next_;
      head = timer;
      first.used[here / 64] |= std::uint64_t{1} << (here % 64);
    } else {
      place(*timer);
    }
    timer = next;
  }
}

void TimerWheel::advance(Instant now) {
  if (now < start_) return;
  const auto target = static_cast<std::uint64_t>((now - start_) / tick_length);  // rounded down
  while (now_tick_ < target) {
    // Jump over empty slots of level 0; stop where a higher level has to be looked at.
    const std::uint64_t position = now_tick_ & slot_mask;
    std::uint64_t ahead = slot_count - position;
    if (position + 1 < slot_count) {
      const std::uint64_t used = next_used(0, position + 1);
      if (used < slot_count) ahead = used - position;
    }
    if (now_tick_ + ahead > target) {
      now_tick_ = target;
      return;
    }
    now_tick_ += ahead;
    if ((now_tick_ & slot_mask) == 0) cascade(1);
    const std::uint64_t slot = now_tick_ & slot_mask;
    Level& row = levels_[0];
    while (Timer* timer = row.slots[slot]) {
      timer->disarm();
      timer->expired();
    }
    row.used[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  }
}

// The first used slot of a level at or behind `from`, slot_count where none.
std::uint64_t TimerWheel::next_used(int level, std::uint64_t from) const {
  const Level& row = levels_[static_cast<std::size_t>(level)];
  for (std::uint64_t word = from / 64; word < slot_count / 64; ++word) {
    std::uint64_t bits = row.used[word];
    if (word == from / 64) bits &= ~std::uint64_t{0} << (from % 64);
    while (bits != 0) {
      const auto bit = static_cast<std::uint64_t>(std::countr_zero(bits));
      const std::uint64_t slot = word * 64 + bit;
      if (row.slots[slot] != nullptr) return slot;
      row.used[word] &= ~(std::uint64_t{1} << bit);  // its timers were disarmed
      bits &= bits - 1;
    }
  }
  return slot_count;
}

Instant TimerWheel::next() const {
  for (int level = 0; level < level_count; ++level) {
    const int shift = level_bits * level;
    const std::uint64_t position = (now_tick_ >> shift) & slot_mask;
    if (position + 1 >= slot_count) continue;
    const std::uint64_t slot = next_used(level, position + 1);
    if (slot == slot_count) continue;
    const std::uint64_t tick = ((now_tick_ >> shift) - position + slot) << shift;
    return start_ + tick_length * static_cast<std::int64_t>(tick);
  }
  // What lies beyond the top level's turn stands in its slots from the front again.
  if (next_used(level_count - 1, 0) != slot_count) {
    const int shift = level_bits * level_count;
    return start_ + tick_length * static_cast<std::int64_t>(((now_tick_ >> shift) + 1) << shift);
  }
  return Instant::max();
}

}  // namespace ballast::io
