// When a serving process that has ended is started again: at once, unless it keeps ending. Pure.
#pragma once

#include "io/deadline.h"

namespace ballast::handover {

// One that lived so long has not ended because of how it was started.
inline constexpr auto restart_settled = std::chrono::seconds(10);
inline constexpr auto restart_delay_first = std::chrono::milliseconds(100);
inline constexpr auto restart_delay_max = std::chrono::seconds(5);

class Restarts {
 public:
  // It has ended after so long; how long to wait before the next start: nothing the first time, then 100 ms, doubling.
  io::Duration after(io::Duration lived) {
    if (lived >= restart_settled) in_a_row_ = 0;
    io::Duration delay{0};
    if (in_a_row_ > 0) {
      delay = restart_delay_first;
      for (int i = 1; i < in_a_row_ && delay < restart_delay_max; ++i) delay *= 2;
    }
    ++in_a_row_;
    return delay < restart_delay_max ? delay : io::Duration(restart_delay_max);
  }
  int in_a_row() const { return in_a_row_; }

 private:
  int in_a_row_ = 0;
};

}  // namespace ballast::handover
