// What attempts at a target come to, counted for the group's `outliers`: an answer when its head is there, for it may
// go on for hours; all else when the attempt has ended.
#include "traffic/l7/exchange.h"
#include "traffic/l7/grpc.h"
#include "traffic/outlier/failure.h"

namespace ballast::traffic {

void Exchange::count_answer(std::optional<io::Duration> took) {
  OutcomeCell& cell = worker_.cell_of(*target_).outcomes;
  const int status = state_->response.status;
  outlier::Answer answer = outlier::answer_of(status);
  outlier::Failure failure = outlier::failure_of(status);
  if (state_->facts.is_call && status == 200) {
    // One whose trailers come later is judged by its head.
    if (const auto call = status_of_head(state_->response)) {
      answer = outlier::answer_of(*call);
      failure = outlier::failure_of(*call);
    }
  }
  if (answer == outlier::Answer::Gateway) return cell.failed(failure);
  cell.run.answered();
  if (answer == outlier::Answer::ServerError) return cell.server_errors.add();
  if (!took.has_value()) return;
  cell.timed.add();
  cell.time_us.add(static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(*took).count())));
}

void Exchange::count_failure(const Attempt& attempt) {
  if (attempt.blameless || attempt.was_stale || !outlier::is_of_target(attempt.reason)) return;
  OutcomeCell& cell = worker_.cell_of(*target_).outcomes;
  // Its answer has been counted already.
  if (note().status != 0) return cell.broken.add();
  cell.failed(outlier::failure_of(attempt.reason));
}

}  // namespace ballast::traffic
