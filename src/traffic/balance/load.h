// What the balancing algorithms look at in a target: requests in flight and a decaying latency, as one worker sees
// them.
//
// Owned and written by one worker; nothing is shared. Values.
#pragma once

#include <chrono>
#include <cstdint>

namespace ballast::traffic {

// What Picker::next asks its caller for, by slot.
struct Load {
  std::uint32_t in_flight = 0;
  float latency_us = 0;  // 0: not known yet
};

// Peak EWMA: rises at once to a slow answer, falls with the time constant. A target that gets no requests decays
// toward zero, so that one bad answer is tried again after a while and does not banish it for ever.
class Latency {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  // Ten seconds: a pause of a second is remembered for some tens of seconds, not for minutes.
  static constexpr std::chrono::microseconds decay{10'000'000};

  bool known() const { return value_us_ > 0; }

  void observe(std::chrono::microseconds took, TimePoint now) {
    const auto sample = static_cast<float>(took.count() > 0 ? took.count() : 1);
    if (!known() || sample >= value_us_) {
      value_us_ = sample;
    } else {
      const float kept = share_kept(now);
      value_us_ = value_us_ * kept + sample * (1.0F - kept);
    }
    updated_ = now;
  }

  // 0 while nothing was observed.
  float at(TimePoint now) const { return known() ? value_us_ * share_kept(now) : 0.0F; }

 private:
  // tau / (tau + dt): near exp(-dt/tau) for small dt, a longer tail, and no call of exp for each candidate.
  float share_kept(TimePoint now) const {
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(now - updated_);
    if (passed.count() <= 0) return 1.0F;
    return static_cast<float>(decay.count()) / static_cast<float>(decay.count() + passed.count());
  }

  float value_us_ = 0;
  TimePoint updated_{};
};

}  // namespace ballast::traffic
