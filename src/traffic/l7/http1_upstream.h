// Http1Upstream: a connection to a target over which HTTP/1.1 is spoken.
#pragma once

#include "traffic/l7/upstream_pool.h"

namespace ballast::traffic {

class Http1Upstream final : public UpstreamConnection {
 public:
  using UpstreamConnection::UpstreamConnection;

  io::Task<Result<>> send(ExchangeState& state, const UpstreamRequest& request, io::Duration idle) override;
  io::Task<http::RelayResult> upload(Buffer& out, http::Body& body, http::Framing framing,
                                     http::RelayLimits limits) override;
  HeadStep try_head(ExchangeState& state, const http::HeadLimits& limits) override;
  void skip_head(const ExchangeState& state) override;
  http::Body& body(const ExchangeState& state) override;
  io::Stream& begin_tunnel(const ExchangeState& state, Buffer& received) override;

 private:
  io::Task<Result<>> flush_first(Buffer& out, io::Duration idle);
  HeadStep judge(const http::Outcome& refusal, const http::HeadLimits& limits, http::ResponseParser::Question question,
                 http::ResponseHead& head);

  Buffer normalised_;           // a head that was put in order; what the response views then
  std::size_t head_bytes_ = 0;  // of the head found last, as it came
  http::HeadLimits limits_;
  std::optional<http::ConnectionBody> body_;  // while a response is relayed
};

}  // namespace ballast::traffic
