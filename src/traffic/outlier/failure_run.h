// FailureRun: how many attempts at one target have failed in a row, of all workers together, from what each of them has
// counted for itself (AnswerRun).
//
// Between two looks nobody knows in which order the workers' answers and failures came. So the row is never longer than
// what is certain: as long as no worker had an answer, all new failures are in it; where some had, what is left is what
// each of them has failed since its own last answer, the least of these. A target that answers nobody is told at the
// next look. Control thread; a value.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "traffic/cells.h"

namespace ballast::traffic::outlier {

class FailureRun {
 public:
  // By worker, always in the same order.
  void look(std::span<const AnswerRun::Read> now);
  std::uint64_t length() const { return length_; }
  // Of all workers, ever.
  std::uint64_t answers() const { return answers_; }
  // What has failed so far is forgiven.
  void restart() { length_ = 0; }

 private:
  std::vector<AnswerRun::Read> before_;
  std::uint64_t length_ = 0;
  std::uint64_t answers_ = 0;
};

}  // namespace ballast::traffic::outlier
