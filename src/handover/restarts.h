// When a serving process that has ended is started again: at once, unless it keeps ending. Pure.
#pragma once

#include <algorithm>

#include "io/deadline.h"

namespace ballast::handover {

class Restarts {
 public:
  // One that served for so long is followed at once, however often that happens: every client waits meanwhile, and the
  // processor has time enough for both.
  static constexpr io::Duration settled = std::chrono::seconds(1);
  static constexpr io::Duration delay_first = std::chrono::milliseconds(100);
  // Of one that comes to serve and dies in the same moment; of one that does not even come to serve.
  static constexpr io::Duration delay_max_serving = std::chrono::seconds(1);
  static constexpr io::Duration delay_max = std::chrono::seconds(5);

  struct Ended {
    io::Duration lived{0};
    bool served = false;
  };

  // How long to wait before the next start: nothing the first time, then 100 ms, doubling.
  io::Duration after(const Ended& ended) {
    if (ended.served && ended.lived >= settled) in_a_row_ = 0;
    const io::Duration longest = ended.served ? delay_max_serving : delay_max;
    io::Duration delay{0};
    if (in_a_row_ > 0) {
      delay = delay_first;
      for (int i = 1; i < in_a_row_ && delay < longest; ++i) delay *= 2;
    }
    ++in_a_row_;
    return std::min(delay, longest);
  }

 private:
  int in_a_row_ = 0;
};

}  // namespace ballast::handover
