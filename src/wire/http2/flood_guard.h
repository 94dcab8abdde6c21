// FloodGuard: how many frames a peer may send that cost us work and it nothing: resets of streams it has just opened
// (CVE-2023-44487), PINGs and SETTINGS that want an answer, empty DATA, WINDOW_UPDATE and PRIORITY without end.
//
// An honest peer sends some of them with every request and every piece of data, so work that is done earns credit; each
// such frame costs one, a reset ten. Who has spent all of it is flooding. Pure; one object a connection.
#pragma once

#include <algorithm>
#include <cstdint>

#include "io/deadline.h"

namespace ballast::http2 {

class FloodGuard {
 public:
  explicit FloodGuard(io::Instant now) : refilled_(now) {}

  // What a frame that brings nothing costs, and what a reset costs besides.
  static constexpr std::int64_t frame_cost = 1;
  static constexpr std::int64_t reset_cost = 9;
  // False: it is a flood.
  bool spend(std::int64_t cost, io::Instant now) {
    refill(now);
    credit_ -= cost;
    return credit_ >= 0;
  }
  // A request answered to its end, a piece of data moved.
  void earn_by_request() { credit_ = std::min(credit_ + per_request, credit_max); }
  void earn_by_data() { credit_ = std::min(credit_ + per_data, credit_max); }

 private:
  void refill(io::Instant now) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(now - refilled_);
    const std::int64_t gained = elapsed.count() * per_second / 1000;
    if (gained == 0) return;
    credit_ = std::min(credit_ + gained, credit_max);
    refilled_ = now;
  }

  // A browser that leaves a page resets its hundred streams at once; two such pages in a row are no flood.
  static constexpr std::int64_t credit_max = 2'000;
  // Sustained: 100 control frames, or ten resets, a second for nothing.
  static constexpr std::int64_t per_second = 100;
  static constexpr std::int64_t per_request = 20;
  static constexpr std::int64_t per_data = 2;

  std::int64_t credit_ = credit_max;
  io::Instant refilled_;
};

}  // namespace ballast::http2
