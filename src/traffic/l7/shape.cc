// What the rule does to the request on its way to a target, and to the response.
#include <fmt/format.h>

#include "traffic/l7/exchange.h"
#include "traffic/l7/request_out.h"
#include "traffic/route/shaping.h"

namespace ballast::traffic {

RequestParts Exchange::request_parts() {
  const http::RequestHead& head = state_->request;
  const bool direct = source_ == client_.peer().bytes;
  if (!direct) state_->client_address = io::Peer{source_}.host();
  return {.protocol = client_.protocol(),
          .host = head.host(),
          .port = client_.port(),
          .path = head.path(),
          .query = head.query(),
          .client = direct ? Bytes(client_.peer_text()) : Bytes(state_->client_address),
          .request_id = request_id()};
}

// Once for all attempts.
Reason Exchange::shape_request(const Shaping& shaping) {
  const http::RequestHead& head = state_->request;
  if (shaping.rewrite != nullptr) {
    using Outcome = PathRewrite::Outcome;
    const PathRewrite::Target target{.path = head.path(), .query = head.query(), .has_query = head.has_query()};
    const Outcome outcome = shaping.rewrite->apply(target, state_->rewritten);
    if (outcome == Outcome::Upwards) {
      state_->trouble = "the rewritten path has a segment of dots";
      return Reason::RewriteRefused;
    }
    if (outcome == Outcome::TooLong) {
      state_->trouble = fmt::format("the rewritten path has more than {} bytes", PathRewrite::target_bytes_max);
      state_->refusal_status = 414;
      return Reason::RewriteRefused;
    }
  }
  if (shaping.request.empty()) return Reason::None;
  if (shaping.request.fill_in(request_parts(), state_->edits, state_->edit_texts)) return Reason::None;
  state_->trouble = "what the rule's request_headers make of it";
  return Reason::HeaderTooLong;
}

void Exchange::shape_response(const Shaping& shaping) {
  if (shaping.response.empty()) return;
  // A response is not refused for a header: what would be too long is left out.
  std::vector<http::FieldLine> made;
  shaping.response.fill_in(request_parts(), made, state_->response_texts);
  shaping.response.apply(made, state_->lines);
}

}  // namespace ballast::traffic
