#include "traffic/l7/ajp_upstream.h"

#include "base/check.h"
#include "traffic/l7/exchange_state.h"

namespace ballast::traffic {

namespace {

// Of "host", "host:port" and "[v6]:port".
Bytes host_of(Bytes authority) {
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  if (colon == Bytes::npos || (bracket != Bytes::npos && bracket > colon)) return authority;
  return authority.substr(0, colon);
}

}  // namespace

// A request that may go out once only must not be given to a connection that its container has forgotten.
io::Task<Result<>> AjpUpstream::make_sure(const config::Ajp& ajp) {
  const Result<> there = co_await ajp::ping(reader(), pool().loop().after(ajp.ping_timeout));
  if (there) co_return Result<>();
  if (there.error().code() == Code::Cancelled) co_return there;
  co_return fail(Error(Code::Closed).safe_to_retry(Retry::Always));
}

io::Task<Result<>> AjpUpstream::send(ExchangeState& state, const UpstreamRequest& request, io::Duration idle) {
  CHECK(request.ajp.has_value());
  const AjpRequest& about = *request.ajp;
  if (is_reused() && !state.request.is_idempotent() &&
      pool().loop().now() - resting_since() >= about.settings->ping_after) {
    if (Result<> sure = co_await make_sure(*about.settings); !sure) co_return sure;
  }
  const http::OutgoingRequest& head = request.head;
  CHECK(!head.lines.empty());  // the first is Host
  const std::size_t question = head.target.find('?');
  ajp::ForwardRequest out{.method = head.method,
                          .protocol = state.request.minor_version == 0 ? Bytes("HTTP/1.0") : Bytes("HTTP/1.1"),
                          .uri = head.target.substr(0, question),
                          .query = {},
                          .remote_address = about.client_address,
                          .remote_port = about.client_port,
                          .local_address = about.local_address,
                          .server_name = host_of(head.lines.front().value),
                          .server_port = about.local_port,
                          .lines = head.lines,
                          .content_length = {},
                          .tls = about.tls,
                          .user = about.user,
                          .route = about.route,
                          .secret = about.settings->secret};
  if (question != Bytes::npos) out.query = head.target.substr(question + 1);
  // AJP has neither chunks nor trailers: a body that is there whole has a length.
  if (request.framing.framing == http::Framing::Length) out.content_length = request.framing.length;
  if (request.framing.framing == http::Framing::Chunked && request.body_is_whole) {
    out.content_length = request.body.size();
  }
  co_return co_await session_.send(out, {.bytes = request.body, .is_whole = request.body_is_whole},
                                   about.settings->packet_bytes, idle);
}

io::Task<http::RelayResult> AjpUpstream::upload(Buffer& out, http::Body& body, http::Framing /*framing*/,
                                                http::RelayLimits limits) {
  return session_.upload(out, body, limits);
}

HeadStep AjpUpstream::try_head(ExchangeState& state, const http::HeadLimits& limits) {
  const ajp::Session::HeadStep step =
      session_.try_head({.to_head = state.request.is_head, .to_connect = false}, limits, state.response);
  using Kind = ajp::Session::HeadStep::Kind;
  switch (step.kind) {
    case Kind::Complete:
      return {.kind = HeadStep::Kind::Complete};
    case Kind::Malformed:
      return {.kind = HeadStep::Kind::Malformed, .defect = step.defect};
    case Kind::Lost:
      return {.kind = HeadStep::Kind::Lost, .code = step.code, .began = step.began};
    case Kind::Waiting:
      break;
  }
  return {};
}

// No response of a container switches protocols: try_head() refuses one that says so.
io::Stream& AjpUpstream::begin_tunnel(const ExchangeState& /*state*/, Buffer& /*received*/) {
  CHECK(false);
  return stream();
}

}  // namespace ballast::traffic
