// Answers that are not passed on while another target can be asked, because the group's `retries` name their status.
#include <algorithm>

#include "io/loop.h"
#include "traffic/l7/exchange.h"
#include "traffic/l7/grpc.h"
#include "traffic/l7/walk.h"

namespace ballast::traffic {

// `bodiless`: nothing follows the head.
bool Exchange::is_unwelcome(bool bodiless) const {
  const config::Retries& retries = group_->settings->retries;
  const http::ResponseHead& response = state_->response;
  if (state_->facts.is_call && !retries.grpc_statuses.empty()) {
    const auto status = status_of_head(response);
    // With a message under way the call belongs to this target.
    if (!status.has_value() || (response.status == 200 && !bodiless)) return false;
    return std::ranges::any_of(retries.grpc_statuses, [&](config::GrpcStatus each) {
      return static_cast<int>(each) == static_cast<int>(*status);
    });
  }
  return std::ranges::any_of(retries.statuses, [&](const config::StatusRange& range) {
    return range.first <= response.status && response.status <= range.last;
  });
}

std::optional<Exchange::Attempt> Exchange::turn_down(http::Body& body, std::optional<Upstream::Use>& end) {
  const config::Retries& retries = group_->settings->retries;
  const http::ResponseHead& response = state_->response;
  if (retries.statuses.empty() && retries.grpc_statuses.empty()) return std::nullopt;
  if (!is_unwelcome(body.ended())) return std::nullopt;
  const auto passed_on = [this](Again why) {
    note().again = why;
    return std::nullopt;
  };
  const bool is_call_status = state_->facts.is_call && !retries.grpc_statuses.empty();
  if (!is_call_status && !state_->request.is_idempotent()) return passed_on(Again::NotIdempotent);
  if (goes_once_) return passed_on(Again::BodySent);  // a body that has not been held goes once
  if (client_.was_cut()) return passed_on(Again::ClientGone);
  if (client_.called_off()) return passed_on(Again::Stopped);
  if (state_->facts.attempts >= attempts_max()) return passed_on(Again::AttemptsUsed);

  Attempt attempt{.unwelcome = true};
  if (state_->facts.is_call) {
    // Without a deadline of the call nobody waits longer for a target than for its answer.
    const io::Instant limit = earlier(call_deadline_, loop_.after(group_->settings->timeouts.header)).instant();
    const auto pause = retry_pushback(response);
    if (!pause.has_value() || loop_.now() + *pause >= limit) return passed_on(Again::CallOver);
    attempt.pause = *pause;
  }
  GroupCell& cell = worker_.cell_of(*group_->share);
  if (!budget_allows(cell, retries)) {
    cell.retries_refused.add();
    return passed_on(Again::Budget);
  }
  if (!walk_->has_next()) return passed_on(Again::NoTargetLeft);

  // What has come of the body is read away: then the connection can serve again.
  constexpr std::uint64_t read_away_max = 64 * kib;
  std::uint64_t read_away = 0;
  while (!body.ended() && read_away < read_away_max) {
    const http::Pulled pulled = body.try_pull();
    if (pulled.state != http::PullState::Data) break;
    read_away += pulled.data.size();
  }
  if (body.ended() && response.keep_alive && response.framing != http::Framing::UntilClose) end = Upstream::Use::Reuse;
  return attempt;
}

}  // namespace ballast::traffic
