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
  HeadStep try_head(ExchangeState& state, std::size_t head_bytes_max) override;
  void skip_head(const ExchangeState& state) override;
  http::Body& body(const ExchangeState& state) override;
  io::Stream& begin_tunnel(const ExchangeState& state, Buffer& received) override;

 private:
  io::Task<Result<>> flush_first(Buffer& out, io::Duration idle);
  std::optional<http::ConnectionBody> body_;  // while a response is relayed
};

}  // namespace ballast::traffic
