// ClientConnection: a client's HTTP/1.1 connection, from accept to close; what is kept of it between two requests, and
// therefore small. It stands in its worker's list of connections, so that a drain can find those at rest. Worker's
// thread; lives in the frame of serve_http().
#pragma once

#include <cstdint>
#include <memory>

#include "traffic/connection_count.h"
#include "traffic/l7/client.h"
#include "traffic/open_connection.h"
#include "traffic/protect/address_count.h"
#include "wire/http/connection.h"
#include "wire/tls/either_stream.h"

namespace ballast::traffic {

class ClientConnection final : public Client, public OpenConnection, public io::IdleListener {
 public:
  ClientConnection(Worker& worker, std::shared_ptr<ListenerShare> listener, tls::EitherStream stream,
                   const io::Peer& peer, std::shared_ptr<const Told> told, io::Strand& strand);
  ~ClientConnection() override;

  io::Stream& stream() { return stream_.get(); }
  ClientOrigin& origin() { return origin_; }
  http::Connection& reader() { return reader_; }
  const tls::Stream* secure() const override { return stream_.secure(); }

  io::Task<HeadRead> read_head(ExchangeState& state, const config::Listener& listener) override;
  std::size_t body_bytes_waiting() const override { return reader_.held().size(); }
  io::Task<Result<>> interim(ExchangeState& state, io::Duration idle) override;
  io::Task<http::RelayResult> respond(ExchangeState& state, const http::OutgoingResponse& response,
                                      const http::OutgoingFraming& framing, http::Body& body,
                                      const http::RelayLimits& limits) override;
  io::Stream& begin_tunnel(ExchangeState& state, Buffer& to_client, Buffer& to_target) override;
  int major_version() const override { return 1; }
  bool may_stay(const ExchangeState& state) const override;
  bool has_said_all() const override { return !reader_.has_held() && !stream_.get().may_read(); }
  bool watch() override { return stream_.descriptor().watch_now(); }
  bool is_watched() const override { return stream_.descriptor().is_registered(); }

  // Between requests: a drain may end it.
  bool at_rest = true;
  const ListenerShare& of_listener() const override { return listener(); }
  void end_soon() override {
    if (at_rest) strand().interrupt();
  }
  void end_with_next_request() override {}  // may_stay() sees to it

 private:
  // The head has come, and is this long; what follows it is its body.
  void take_head(ExchangeState& state, const http::HeadLimits& limits, std::size_t head_bytes);

  void on_idle_event(News news) override;

  ClientOrigin origin_;
  ConnectionCount count_;
  tls::EitherStream stream_;
  http::Connection reader_;
};

// Serves one client until either side ends it.
io::Task<void> serve_http(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer,
                          std::shared_ptr<const Told> told, AddressHold hold);
// The same behind a TLS handshake.
io::Task<void> serve_http(Worker& worker, std::shared_ptr<ListenerShare> listener, std::unique_ptr<tls::Stream> stream,
                          io::Peer peer, std::shared_ptr<const Told> told, AddressHold hold);

}  // namespace ballast::traffic
