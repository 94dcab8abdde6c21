// AjpUpstream: a connection to a servlet container over which AJP13 is spoken.
#pragma once

#include "traffic/l7/upstream_pool.h"
#include "wire/ajp/session.h"

namespace ballast::traffic {

class AjpUpstream final : public UpstreamConnection {
 public:
  AjpUpstream(UpstreamPool& pool, tls::EitherStream stream)
      : UpstreamConnection(pool, std::move(stream)), session_(reader()) {}

  io::Task<Result<>> send(ExchangeState& state, const UpstreamRequest& request, io::Duration idle) override;
  io::Task<http::RelayResult> upload(Buffer& out, http::Body& body, http::Framing framing,
                                     http::RelayLimits limits) override;
  HeadStep try_head(ExchangeState& state, const http::HeadLimits& limits) override;
  void skip_head(const ExchangeState& /*state*/) override { session_.keep(); }
  http::Body& body(const ExchangeState& /*state*/) override { return session_.body(); }
  io::Stream& begin_tunnel(const ExchangeState& state, Buffer& received) override;

 private:
  bool may_serve_again() const override { return session_.may_serve_again(); }
  io::Task<Result<>> make_sure(const config::Ajp& ajp);

  ajp::Session session_;
};

}  // namespace ballast::traffic
