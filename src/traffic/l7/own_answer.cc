// What the balancer answers itself: fixed responses, redirects, refusals.
#include <algorithm>

#include <fmt/format.h>

#include "io/loop.h"
#include "traffic/l7/exchange.h"
#include "traffic/l7/grpc.h"
#include "traffic/l7/request_out.h"
#include "traffic/route/cors.h"
#include "traffic/route/shaping.h"
#include "wire/http/bytes_body.h"
#include "wire/http/head_writer.h"
#include "wire/http/list.h"

namespace ballast::traffic {

namespace {

constexpr Bytes hsts_name = "Strict-Transport-Security";

// What the settings name is taken out, and put in.
void change_named(const config::Listener& listener, std::vector<http::FieldLine>& lines) {
  std::erase_if(lines, [&](const http::FieldLine& line) {
    return std::ranges::any_of(listener.remove_headers,
                               [&](const std::string& name) { return http::iequals(name, line.name); }) ||
           std::ranges::any_of(listener.response_headers,
                               [&](const config::NamedText& header) { return http::iequals(header.name, line.name); });
  });
  for (const config::NamedText& header : listener.response_headers) lines.push_back({header.name, header.text});
}

}  // namespace

void Exchange::decorate() {
  const config::Listener& listener = *listener_->settings;
  const CorsPolicy* cors = route_ != nullptr ? route_->cors.get() : nullptr;
  const bool names_headers = !listener.remove_headers.empty() || !listener.response_headers.empty();
  const Shaping* shaping = route_ != nullptr ? route_->shaping.get() : nullptr;
  if (!names_headers && cors == nullptr && listener_->hsts.empty() && shaping == nullptr) return;
  auto& lines = state_->lines;
  if (names_headers) change_named(listener, lines);
  if (shaping != nullptr) shape_response(*shaping);
  if (!listener_->hsts.empty()) {
    std::erase_if(lines, [](const http::FieldLine& line) { return http::iequals(line.name, hsts_name); });
    lines.push_back({hsts_name, listener_->hsts});
  }
  if (cors != nullptr) cors->write(state_->request, lines);
}

void Exchange::name_reason() {
  const std::string& header = plan_->explain.reason_header;
  if (header.empty() || state_->facts.reason == Reason::None) return;
  state_->lines.push_back({header, to_string(state_->facts.reason)});
}

io::Task<After> Exchange::answer_preflight(const CorsPolicy& cors) {
  if (cors.refuses(state_->request)) co_return co_await refuse(Reason::CorsRefused);
  std::vector<http::FieldLine> lines;
  cors.write_preflight(state_->request, lines);
  co_return co_await answer_own({.status = 204, .late_lines = lines});
}

io::Task<After> Exchange::answer_own(OwnAnswer answer) {
  ExchangeState& state = *state_;
  // A body that is not read leaves the connection in the middle of a message.
  const bool stays = !answer.closes && (state.body == nullptr || state.body->ended()) && client_.may_stay(state);
  state.lines.assign(answer.lines.begin(), answer.lines.end());
  if (!answer.location.empty()) state.lines.push_back({"Location", answer.location});
  if (!answer.content_type.empty()) state.lines.push_back({"Content-Type", answer.content_type});
  if (!state.challenge.empty() && is_about_who_asks(state.facts.reason)) {
    state.lines.push_back({"WWW-Authenticate", state.challenge});
  }
  if (!state.retry_after.empty()) state.lines.push_back({"Retry-After", state.retry_after});
  if (answer.status == 405 && answer.lines.empty()) state.lines.push_back({"Allow", answer.allow});
  name_reason();
  if (!listener_->settings->server_header.empty())
    state.lines.push_back({"Server", listener_->settings->server_header});
  decorate();
  state.lines.insert(state.lines.end(), answer.late_lines.begin(), answer.late_lines.end());
  const bool bodiless = answer.status == 204 || answer.status == 304;
  http::OutgoingFraming framing{.framing = bodiless ? http::Framing::None : http::Framing::Length,
                                .length = answer.body.size(),
                                .use = stays ? http::ConnectionUse::KeepAlive : http::ConnectionUse::Close,
                                .peer_minor_version = state.request.minor_version};
  state.facts.status = answer.status;
  answers();
  http::BytesBody body(bodiless || state.request.is_head ? Bytes() : answer.body);
  const http::RelayLimits limits{.source_idle = listener_->settings->timeouts.idle,
                                 .sink_idle = listener_->settings->timeouts.idle};
  const http::RelayResult sent =
      co_await client_.respond(state, http::OutgoingResponse{answer.status, {}, state.lines}, framing, body, limits);
  state.facts.bytes_out = sent.body_bytes;
  if (sent.end != http::RelayEnd::Done) {
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

namespace {

// Whether the request itself was read and understood: what failed is what it asked for.
bool is_of_the_resource(Reason reason) {
  switch (reason) {
    case Reason::MethodRefused:
    case Reason::CorsRefused:
    case Reason::RateLimited:
    case Reason::AddressDenied:
    case Reason::FileNotFound:
    case Reason::FileRefused:
    case Reason::FileDenied:
    case Reason::RewriteRefused:
    case Reason::HeaderTooLong:
      return true;
    default:
      return status_of(reason) >= 500;
  }
}

}  // namespace

io::Task<After> Exchange::refuse(Reason reason) {
  return refuse(reason, OwnAnswer().allow);
}

io::Task<After> Exchange::refuse(Reason reason, Bytes allow) {
  ExchangeFacts& facts = state_->facts;
  facts.reason = reason;
  if (reason == Reason::ClientGone || status_of(reason) == 0) {
    if (reason == Reason::ClientGone) facts.status = status_of(reason);
    co_return After::Reset;
  }
  const bool malformed = reason == Reason::RequestMalformed;
  if (malformed || reason == Reason::RequestTimeout)
    state_->request.is_head = false;  // whatever was parsed is not to be relied on
  const int own_status = state_->refusal_status != 0 ? state_->refusal_status : status_of(reason);
  const int status = malformed ? http::status_of(facts.defect) : own_status;
  if (!malformed && client_.major_version() == 2 && is_grpc(state_->request))
    co_return co_await refuse_call(reason, status);
  std::string text =
      fmt::format("{} {}\n{}\nreason: {}", status, http::standard_reason(status), explain(reason), to_string(reason));
  if (facts.defect != http::Defect::None) text += fmt::format(" ({})", http::to_string(facts.defect));
  if (!state_->auth_fault.empty()) text += fmt::format(" ({})", state_->auth_fault);
  // For the person to pass on: `ballast explain ID`.
  text += fmt::format("\nrequest: {}\n", request_id());
  // After a request that could not be understood, or not be read to its end, nothing on this connection can be trusted.
  const bool closes = malformed || !(is_of_the_resource(reason) || is_about_who_asks(reason));
  co_return co_await answer_own(
      {.status = status, .content_type = "text/plain; charset=utf-8", .body = text, .allow = allow, .closes = closes});
}

// A call is refused in its own terms: a client of gRPC looks at nothing else.
io::Task<After> Exchange::refuse_call(Reason reason, int status) {
  state_->facts.call_status = grpc_status_of(reason, status);
  const std::string code = fmt::format("{}", static_cast<int>(*state_->facts.call_status));
  const std::string message =
      grpc_message(fmt::format("{} ({}, request {})", explain(reason), to_string(reason), request_id()));
  const http::FieldLine lines[] = {{"grpc-status", code}, {"grpc-message", message}};
  co_return co_await answer_own({.status = 200, .content_type = "application/grpc", .lines = lines});
}

}  // namespace ballast::traffic
