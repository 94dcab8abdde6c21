#include "traffic/l7/http1_upstream.h"

#include "traffic/l7/exchange_state.h"
#include "wire/http/normalise.h"
#include "wire/http/parse.h"

namespace ballast::traffic {

io::Task<Result<>> Http1Upstream::send(ExchangeState& state, const UpstreamRequest& request, io::Duration idle) {
  Buffer& out = state.to_target;
  out.clear();
  body_.reset();
  normalised_.release();
  http::write_head(out, request.head, request.framing);
  if (request.framing.framing != http::Framing::Chunked) {
    out.append(request.body);
    return flush_first(out, idle);
  }
  if (!request.body.empty()) {
    char chunk_head[18];
    out.append({chunk_head, http::write_chunk_head(chunk_head, request.body.size())});
    out.append(request.body);
    out.append(Bytes("\r\n"));
  }
  if (request.body_is_whole) {
    out.append(Bytes("0\r\n"));
    out.append(request.trailers);
    out.append(Bytes("\r\n"));
  }
  return flush_first(out, idle);
}

io::Task<Result<>> Http1Upstream::flush_first(Buffer& out, io::Duration idle) {
  const std::size_t size = out.size();
  Result<> sent = co_await http::flush(out, stream(), idle);
  // The kernel took nothing: the target cannot have seen this request, whatever its method.
  if (!sent)
    co_return fail(std::move(sent.error()).safe_to_retry(out.size() == size ? Retry::Always : Retry::IfReused));
  co_return sent;
}

io::Task<http::RelayResult> Http1Upstream::upload(Buffer& out, http::Body& body, http::Framing framing,
                                                  http::RelayLimits limits) {
  return http::relay(out, body, framing, stream(), limits);
}

HeadStep Http1Upstream::try_head(ExchangeState& state, const http::HeadLimits& limits) {
  const http::ResponseParser::Question question{.to_head = state.request.is_head, .to_connect = false};
  limits_ = limits;
  while (true) {
    if (reader().has_held()) {
      const http::Outcome outcome = http::ResponseParser::parse(reader().held(), limits, question, state.response);
      if (outcome.progress == http::Progress::Complete) {
        head_bytes_ = state.response.size;
        return {.kind = HeadStep::Kind::Complete};
      }
      if (outcome.progress == http::Progress::Failed) {
        const HeadStep step = judge(outcome, limits, question, state.response);
        if (step.kind != HeadStep::Kind::Waiting) return step;
      }
    }
    const io::Transfer got = stream().may_read() ? reader().receive() : io::Transfer{};
    switch (got.state) {
      case io::TransferState::Done:
        continue;
      case io::TransferState::WouldBlock:
        reader().keep();
        return {};
      case io::TransferState::End:
        return {.kind = HeadStep::Kind::Lost, .code = Code::Closed, .began = reader().has_held()};
      case io::TransferState::Failed:
        return {.kind = HeadStep::Kind::Lost, .code = got.code, .began = reader().has_held()};
    }
  }
}

// Waiting: there is more to come before it can be put in order.
HeadStep Http1Upstream::judge(const http::Outcome& refusal, const http::HeadLimits& limits,
                              http::ResponseParser::Question question, http::ResponseHead& head) {
  if (limits.strictness == http::Strictness::Monitor) {
    const http::Normalised normal = http::normalise(reader().held(), refusal, limits, question, normalised_, head);
    head_bytes_ = normal.size;
    if (normal.progress == http::Progress::Complete) return {.kind = HeadStep::Kind::Complete};
    if (normal.progress == http::Progress::NeedMore) return {};
  }
  return {.kind = HeadStep::Kind::Malformed, .defect = refusal.defect, .offset = refusal.offset};
}

void Http1Upstream::skip_head(const ExchangeState& /*state*/) {
  reader().consume(head_bytes_);
  reader().keep();
}

http::Body& Http1Upstream::body(const ExchangeState& state) {
  const http::ResponseHead& response = state.response;
  if (response.keep_alive_seconds.has_value())
    pool().told_idle_time(std::chrono::seconds(*response.keep_alive_seconds));
  reader().consume(head_bytes_);
  body_.emplace(reader());
  body_->begin(response.framing, response.content_length, {.strictness = limits_.strictness});
  return *body_;
}

io::Stream& Http1Upstream::begin_tunnel(const ExchangeState& /*state*/, Buffer& received) {
  reader().consume(head_bytes_);
  received.append(reader().held());
  return stream();
}

}  // namespace ballast::traffic
