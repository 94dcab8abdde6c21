#include "traffic/l7/http2_upstream.h"

#include "base/check.h"
#include "traffic/l7/exchange_state.h"
#include "wire/http/parse.h"

namespace ballast::traffic {

Http2Upstream::~Http2Upstream() {
  if (stream_ != nullptr) stream_->reset();
}

io::Task<Result<>> Http2Upstream::settled(Result<> result) {
  co_return result;
}

io::Task<Result<>> Http2Upstream::send(ExchangeState&, const UpstreamRequest& request, io::Duration) {
  using Follows = http2::Stream::BodyFollows;
  const bool ends = request.body_is_whole && request.body.empty() && request.trailers.empty();
  std::optional<std::uint64_t> length;
  if (request.framing.framing == http::Framing::Length) length = request.framing.length;
  stream_ =
      connection_->session().request(request.head, connection_->scheme(), length, ends ? Follows::No : Follows::Yes);
  if (stream_ == nullptr) return settled(fail(Error(Code::Exhausted).safe_to_retry(Retry::Always)));
  if (!request.body.empty()) {
    const io::Transfer put = stream_->try_write(request.body);
    // What came with a head is smaller than a stream's room (Exchange::gather_small_body).
    CHECK(put.state == io::TransferState::Done && put.count == request.body.size());
  }
  if (!ends && request.body_is_whole) {
    stream_->trailers_at_end(request.trailers);
    stream_->end();
  }
  return settled({});
}

io::Task<http::RelayResult> Http2Upstream::upload(Buffer& out, http::Body& body, http::Framing,
                                                  http::RelayLimits limits) {
  const http::RelayResult result = co_await http::relay(out, body, http::Framing::UntilClose, *stream_, limits);
  if (result.end == http::RelayEnd::Done) {
    stream_->trailers_at_end(body.trailers());
    stream_->end();
  }
  co_return result;
}

HeadStep Http2Upstream::try_head(ExchangeState& state, const http::HeadLimits& limits) {
  if (stream_->has_head()) {
    if (stream_->head_defect() != http::Defect::None) {
      return {.kind = HeadStep::Kind::Malformed, .defect = stream_->head_defect()};
    }
    http::ResponseHead& head = state.response;
    const http::Outcome outcome =
        http::ResponseParser::parse(stream_->head(), limits, {.to_head = state.request.is_head}, head);
    if (outcome.progress != http::Progress::Complete) {
      return {.kind = HeadStep::Kind::Malformed, .defect = outcome.defect};
    }
    // The frames say where a body ends that has no stated length.
    if (head.framing == http::Framing::UntilClose) head.framing = http::Framing::Chunked;
    head.keep_alive = true;
    if (head.status >= 200) connection_->answered();
    return {.kind = HeadStep::Kind::Complete};
  }
  if (stream_->is_lost()) {
    const std::optional<Code> failure = connection_->connect_failure();
    // A server that is killed leaves its listening socket for a moment, and the connections that it takes are cut.
    const bool shook_hands = connection_->connecting().tls.count() >= 0;
    return {.kind = HeadStep::Kind::Lost,
            .code = failure.value_or(stream_->code()),
            .refused = stream_->was_refused(),
            .unconnected = failure.has_value(),
            .unattended = !shook_hands && !connection_->session().has_heard()};
  }
  return {};
}

http::Body& Http2Upstream::body(const ExchangeState& state) {
  return body_.emplace(*stream_, state.response.framing, state.response.content_length);
}

io::Stream& Http2Upstream::begin_tunnel(const ExchangeState&, Buffer&) {
  CHECK(false);  // there is no 101 in HTTP/2
  std::abort();
}

void Http2Upstream::finish(std::unique_ptr<Upstream> self, Use, const config::Pool&) {
  std::exchange(stream_, nullptr)->close();
  self.reset();
}

}  // namespace ballast::traffic
