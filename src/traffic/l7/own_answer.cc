// What the balancer answers itself: fixed responses, redirects, refusals.
#include <fmt/format.h>

#include "io/loop.h"
#include "traffic/l7/exchange.h"
#include "traffic/l7/request_out.h"
#include "wire/http/head_writer.h"

namespace ballast::traffic {

bool Exchange::client_may_stay() const {
  return state_->request.keep_alive && !worker_.is_draining() &&
         worker_.plan()->listener(client_.listener()) != nullptr;
}

io::Task<After> Exchange::answer_own(OwnAnswer answer) {
  ExchangeState& state = *state_;
  // A body that is not read leaves the connection in the middle of a message.
  const bool stays = !answer.closes && body_.ended() && client_may_stay();
  state.lines.clear();
  if (!answer.location.empty()) state.lines.push_back({"Location", answer.location});
  if (!answer.content_type.empty()) state.lines.push_back({"Content-Type", answer.content_type});
  if (answer.status == 405) state.lines.push_back({"Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH"});
  if (!listener_->settings->server_header.empty())
    state.lines.push_back({"Server", listener_->settings->server_header});
  const bool bodiless = answer.status == 204 || answer.status == 304;
  http::OutgoingFraming framing{.framing = bodiless ? http::Framing::None : http::Framing::Length,
                                .length = answer.body.size(),
                                .use = stays ? http::ConnectionUse::KeepAlive : http::ConnectionUse::Close,
                                .peer_minor_version = state.request.minor_version};
  state.to_client.clear();
  http::write_head(state.to_client, http::OutgoingResponse{answer.status, {}, state.lines}, framing);
  if (!bodiless && !state.request.is_head) {
    state.to_client.append(answer.body);
    state.facts.bytes_out = answer.body.size();
  }
  state.facts.status = answer.status;
  const Result<> sent = co_await http::flush(state.to_client, client_.stream(), listener_->settings->timeouts.idle);
  if (!sent) {
    if (state.facts.reason == Reason::None) state.facts.reason = Reason::ClientGone;
    co_return After::Reset;
  }
  co_return stays ? After::KeepAlive : After::Linger;
}

io::Task<After> Exchange::redirect(const RedirectTo& redirect_to) {
  const http::RequestHead& head = state_->request;
  const std::string location = redirect_to.location({.protocol = client_.protocol(),
                                                     .host = head.host(),
                                                     .port = client_.port(),
                                                     .path = head.path(),
                                                     .query = head.query()});
  co_return co_await answer_own({.status = redirect_to.status(), .location = location});
}

io::Task<After> Exchange::refuse(Reason reason) {
  ExchangeFacts& facts = state_->facts;
  facts.reason = reason;
  if (reason == Reason::ClientGone || status_of(reason) == 0) {
    if (reason == Reason::ClientGone) facts.status = status_of(reason);
    co_return After::Reset;
  }
  const bool malformed = reason == Reason::RequestMalformed;
  if (malformed || reason == Reason::RequestTimeout)
    state_->request.is_head = false;  // whatever was parsed is not to be relied on
  const int status = malformed ? http::status_of(facts.defect) : status_of(reason);
  std::string text =
      fmt::format("{} {}\n{}\nreason: {}", status, http::standard_reason(status), explain(reason), to_string(reason));
  if (facts.defect != http::Defect::None) text += fmt::format(" ({})", http::to_string(facts.defect));
  text += '\n';
  // After a request that could not be understood, or not be read to its end, nothing on this connection can be trusted.
  const bool closes = malformed || (status < 500 && reason != Reason::MethodRefused);
  co_return co_await answer_own(
      {.status = status, .content_type = "text/plain; charset=utf-8", .body = text, .closes = closes});
}

}  // namespace ballast::traffic
