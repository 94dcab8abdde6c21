#include "traffic/outlier/failure_run.h"

#include <algorithm>
#include <optional>

namespace ballast::traffic::outlier {

void FailureRun::look(std::span<const AnswerRun::Read> now) {
  before_.resize(now.size());
  std::optional<std::uint64_t> since_answers;  // of the workers that had some
  std::uint64_t failures = 0;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const std::uint64_t answers = (now[i].answers - before_[i].answers) % AnswerRun::answers_limit;
    answers_ += answers;
    if (answers != 0) {
      since_answers = std::min(since_answers.value_or(now[i].failures_in_row), now[i].failures_in_row);
    } else {
      failures += now[i].failures_in_row - before_[i].failures_in_row;
    }
  }
  length_ = since_answers.has_value() ? *since_answers : length_ + failures;
  before_.assign(now.begin(), now.end());
}

}  // namespace ballast::traffic::outlier
