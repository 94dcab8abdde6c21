// Upstream: one request being asked of a target, whatever is spoken to it. A pooled HTTP/1.1 connection is one
// (http1_upstream.h); so is one over AJP, or a stream of an HTTP/2 connection.
//
// The calls come in the order of an attempt: send; upload for a body that did not come whole with its head, on a strand
// of its own beside all that follows; try_head and until_head until the final head is there; then the body, or a
// tunnel; finish at last. One that is destroyed unfinished cuts its connection, so that the target can tell. Worker's
// thread; owned by the attempt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/buffer.h"
#include "config/settings.h"
#include "io/stream.h"
#include "io/task.h"
#include "wire/ajp/forward_request.h"
#include "wire/http/body.h"
#include "wire/http/outgoing.h"
#include "wire/http/parse.h"
#include "wire/http/relay.h"

namespace ballast::traffic {

struct Connecting;
struct ExchangeState;

// What a container is told of the client beside the request's head.
struct AjpRequest {
  const config::Ajp* settings = nullptr;
  Bytes client_address;
  std::uint16_t client_port = 0;  // 0: not known, behind a proxy
  Bytes local_address;            // where the client connected to; empty: not known
  std::uint16_t local_port = 0;
  std::optional<ajp::TlsFacts> tls;
  Bytes user;   // whom the door let in; empty: nobody was asked
  Bytes route;  // the target's
};

// A request as it goes out. Views, which live until send() has ended.
struct UpstreamRequest {
  http::OutgoingRequest head;  // its lines carry Host
  http::OutgoingFraming framing;
  Bytes body;  // what has come of it
  bool body_is_whole = true;
  Bytes trailers;                 // of a whole chunked body, as lines
  std::optional<AjpRequest> ajp;  // to targets of an ajp group
};

// What a look for the response's head found.
struct HeadStep {
  enum class Kind : std::uint8_t {
    Complete,   // state.response is filled; an interim one, or the final one
    Waiting,    // until_head() tells when to look again
    Malformed,  // `defect`
    Lost,       // the connection has ended or failed with `code`
  };
  Kind kind = Kind::Waiting;
  Code code = Code::Closed;
  http::Defect defect = http::Defect::None;
  std::optional<std::uint64_t> offset = std::nullopt;  // Malformed: of the offending byte, where it is known
  bool began = false;                                  // Lost: part of a response had come
  bool refused = false;                                // Lost: the target says that it has not looked at the request
  bool unconnected = false;                            // Lost: no connection could be made
  // Lost: all that was seen of the target is what its kernel does alone, if anything.
  bool unattended = false;
};

class Upstream {
 public:
  virtual ~Upstream() = default;

  // Whether it stands on a connection that has answered before: then the target may have closed it just as it was
  // reused.
  virtual bool is_reused() const = 0;
  // How the connection was made, where that went on while the request waited in it; nullptr: it was there.
  virtual const Connecting* connecting() const { return nullptr; }
  // The Error's retry() tells whether the target can have seen the request.
  virtual io::Task<Result<>> send(ExchangeState& state, const UpstreamRequest& request, io::Duration idle) = 0;
  // Sends the rest of the body. `out` is its buffer.
  virtual io::Task<http::RelayResult> upload(Buffer& out, http::Body& body, http::Framing framing,
                                             http::RelayLimits limits) = 0;

  virtual HeadStep try_head(ExchangeState& state, const http::HeadLimits& limits) = 0;
  virtual io::Ready until_head(io::Deadline deadline) = 0;
  // Done with an interim head; the next may be looked for.
  virtual void skip_head(const ExchangeState& state) = 0;
  // Of the final head; it lives as long as this.
  virtual http::Body& body(const ExchangeState& state) = 0;
  // The stream that a 101 goes on with; `received` is what has come of it already.
  virtual io::Stream& begin_tunnel(const ExchangeState& state, Buffer& received) = 0;

  // The exchange has ended in order. Reuse: request and response are whole, and the connection may serve again where it
  // is willing; Close: in order, but never again.
  enum class Use : std::uint8_t { Reuse, Close };
  virtual void finish(std::unique_ptr<Upstream> self, Use use, const config::Pool& pool) = 0;
};

}  // namespace ballast::traffic
