// Client: whom an Exchange answers, whatever it speaks. ClientConnection is its form for HTTP/1.1, where one connection
// is one client; each stream of an HTTP/2 connection is another.
//
// The calls come in the order of an exchange: read_head, the body as it is wanted, interim responses, then exactly one
// of respond and begin_tunnel. Worker's thread; outlives the Exchange.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "io/scope.h"
#include "io/stream.h"
#include "io/task.h"
#include "traffic/connect.h"
#include "traffic/l7/own_pool.h"
#include "traffic/listen/told.h"
#include "traffic/plan.h"
#include "wire/http/body.h"
#include "wire/http/outgoing.h"
#include "wire/http/parse.h"
#include "wire/http/relay.h"
#include "wire/tls/stream.h"

namespace ballast::traffic {

class Worker;
struct ExchangeState;

// What becomes of the client's connection; of an HTTP/2 stream only Reset means anything.
enum class After : std::uint8_t {
  KeepAlive,
  Close,   // at once: the client asked for it and has said all
  Linger,  // in order; what the client still sends is read away for a moment, so that it gets its answer
  Reset,   // the answer is incomplete, and the client must see that
  Done,    // closed already: it was a tunnel
};

// What is known of a client's connection; the streams of an HTTP/2 connection share it.
struct ClientOrigin {
  std::shared_ptr<const Told> told;
  const io::Descriptor* socket = nullptr;  // of the connection, for the address it was made to
  OwnPool own_pool;
};

class Client {
 public:
  Client(Worker& worker, std::shared_ptr<ListenerShare> listener, const io::Peer& peer, ClientOrigin& origin,
         io::Strand& strand)
      : worker_(worker), listener_(std::move(listener)), strand_(strand), peer_(peer), origin_(origin) {}
  virtual ~Client() = default;
  Client(const Client&) = delete;

  Worker& worker() const { return worker_; }
  ListenerShare& listener() const { return *listener_; }
  const std::shared_ptr<ListenerShare>& listener_share() const { return listener_; }
  const io::Peer& peer() const { return peer_; }
  // What a balancer in front has said of it; nullptr: nothing.
  const Told* told() const { return origin_.told.get(); }
  // The port and the protocol that the client used, behind a balancer that has said so: that balancer's.
  std::uint16_t port() const;
  bool is_over_tls() const { return secure() != nullptr || (told() != nullptr && told()->over_tls); }
  Bytes protocol() const { return is_over_tls() ? "https" : "http"; }
  // Who it is, as targets are told, and the connections to targets that were told so.
  Introduction introduction() const;
  OwnPool& own_pool() { return origin_.own_pool; }
  // "10.0.0.7"; made once.
  const std::string& peer_text();
  // "10.0.0.1", where it connected to, as port(); made once. Empty: not known.
  const std::string& local_text();
  // nullptr: it came without TLS.
  virtual const tls::Stream* secure() const { return nullptr; }
  // Its connection was cut, or its stream called off, while its request was being answered.
  bool was_cut() const { return cut_; }
  // Its time is over: the drain's, or the target's it was using.
  bool called_off() const { return strand_.cancelled(); }

  // Fills state.request, state.request_bytes and state.body, or the facts of why not.
  enum class HeadRead : std::uint8_t { Complete, Refused, Gone };
  virtual io::Task<HeadRead> read_head(ExchangeState& state, const config::Listener& listener) = 0;
  // How many bytes of the body, with their framing, have come already.
  virtual std::size_t body_bytes_waiting() const = 0;

  // What is sent may lie in the loop's receive buffer: interim() and respond() have taken the head when they return,
  // and their tasks send it.
  //
  // Sends state.response's status with state.lines ahead of the final response.
  virtual io::Task<Result<>> interim(ExchangeState& state, io::Duration idle) = 0;
  // `framing.use` is for HTTP/1.1 alone. References live until the task ends; state.to_client is its buffer.
  virtual io::Task<http::RelayResult> respond(ExchangeState& state, const http::OutgoingResponse& response,
                                              const http::OutgoingFraming& framing, http::Body& body,
                                              const http::RelayLimits& limits) = 0;
  // The stream a tunnel goes on with, and the status it begins with in state.facts. `to_client` is to be sent first,
  // `to_target` has been received already.
  virtual io::Stream& begin_tunnel(ExchangeState& state, Buffer& to_client, Buffer& to_target) = 0;

  // 1, or 2 where it speaks HTTP/2.
  virtual int major_version() const = 0;
  // Whether another request may follow this one as far as the client's side goes.
  virtual bool may_stay(const ExchangeState& state) const = 0;
  // Whether all that has come has been read.
  virtual bool has_said_all() const = 0;
  // Makes sure that a cut will be noticed. False where the kernel refuses.
  virtual bool watch() = 0;
  virtual bool is_watched() const = 0;

 protected:
  void cut() {
    cut_ = true;
    strand_.interrupt();
  }
  io::Strand& strand() const { return strand_; }

 private:
  Worker& worker_;
  std::shared_ptr<ListenerShare> listener_;
  io::Strand& strand_;
  io::Peer peer_;
  ClientOrigin& origin_;
  bool cut_ = false;
  std::string peer_text_;
  std::optional<std::string> local_text_;
};

// How heads and trailers are read: a client's, and a target's.
http::HeadLimits head_limits(const config::Listener& listener);
http::HeadLimits head_limits(const config::TargetGroup& group);
// How long a connection may rest before its next request; zero when it is to end.
io::Duration rest_of(const Worker& worker, const ListenerShare& listener);

}  // namespace ballast::traffic
