// Http2Upstream: one stream of an HTTP/2 connection to a target.
//
// An upgrade is not passed on: the request goes as an ordinary one, as RFC 9110 7.8 lets a target take it too.
#pragma once

#include <memory>
#include <optional>

#include "traffic/l7/http2_pool.h"
#include "traffic/l7/upstream.h"

namespace ballast::traffic {

class Http2Upstream final : public Upstream {
 public:
  explicit Http2Upstream(std::shared_ptr<Http2Pool::Connection> connection) : connection_(std::move(connection)) {}
  ~Http2Upstream() override;

  bool is_reused() const override { return connection_->has_answered(); }
  const Connecting* connecting() const override { return &connection_->connecting(); }
  io::Task<Result<>> send(ExchangeState& state, const UpstreamRequest& request, io::Duration idle) override;
  io::Task<http::RelayResult> upload(Buffer& out, http::Body& body, http::Framing framing,
                                     http::RelayLimits limits) override;
  HeadStep try_head(ExchangeState& state, const http::HeadLimits& limits) override;
  io::Ready until_head(io::Deadline deadline) override { return stream_->until_readable(deadline); }
  void skip_head(const ExchangeState&) override { stream_->skip_head(); }
  http::Body& body(const ExchangeState& state) override;
  io::Stream& begin_tunnel(const ExchangeState& state, Buffer& received) override;
  void finish(std::unique_ptr<Upstream> self, Use use, const config::Pool& pool) override;

 private:
  io::Task<Result<>> settled(Result<> result);

  std::shared_ptr<Http2Pool::Connection> connection_;
  std::shared_ptr<http2::Stream> stream_;
  std::optional<http2::StreamBody> body_;
};

}  // namespace ballast::traffic
