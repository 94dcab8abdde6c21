// Session: requests and their responses over one connection to a container, one at a time.
//
//   co_await session.send(request, begun, ...);             the head, and what has come of the body
//   co_await session.upload(body, limits);                  the rest, on a strand of its own beside what follows
//   session.try_head(...) until Complete; session.body();   the response
//   session.may_serve_again()                               after the body's end
//
// The container decides when it takes the request's body (see body_sink.h) and when it answers; whoever reads here
// serves its asking too. Worker's thread; owned with its stream and reader, which outlive it.
#pragma once

#include <optional>

#include "wire/ajp/body_sink.h"
#include "wire/ajp/container_packet.h"
#include "wire/ajp/forward_request.h"
#include "wire/http/body.h"
#include "wire/http/connection.h"
#include "wire/http/relay.h"

namespace ballast::ajp {

class Session;

// The body of the response whose head was read last. It ends with the container's own word that it has ended, also
// where its length was stated before.
class ResponseBody final : public http::Body {
 public:
  explicit ResponseBody(Session& session) : session_(session) {}
  void begin(http::Framing framing, std::uint64_t length);

  http::Pulled try_pull() override;
  io::Ready until_ready(io::Deadline deadline) override;
  http::Framing framing() const override { return framing_; }
  std::optional<std::uint64_t> left() const override;
  bool ended() const override { return ended_; }
  Bytes trailers() const override { return {}; }

 private:
  friend class Session;
  http::Pulled fail(Code code);
  http::Pulled take_chunks(Packet packet);
  bool take_end(const Packet& packet);

  Session& session_;
  http::Framing framing_ = http::Framing::None;
  std::uint64_t left_ = 0;
  bool ended_ = true;
  std::optional<Code> broken_;  // it stays so
};

class Session {
 public:
  explicit Session(http::Connection& reader) : reader_(reader), sink_(reader.stream()), body_(*this) {}
  Session(const Session&) = delete;

  // What has come of the request's body: copied.
  struct BodyBegun {
    Bytes bytes;
    bool is_whole = true;
  };
  // Errors: TooLarge and Invalid, of the head, with nothing sent; else the stream's, and its retry() is Always where
  // the kernel took nothing, IfReused otherwise.
  io::Task<Result<>> send(const ForwardRequest& request, BodyBegun body, std::size_t packet_bytes, io::Duration idle);
  // References live until the task ends; `out` is a buffer for it.
  io::Task<http::RelayResult> upload(Buffer& out, http::Body& body, http::RelayLimits limits);

  struct HeadStep {
    enum class Kind : std::uint8_t { Complete, Waiting, Malformed, Lost };
    Kind kind = Kind::Waiting;
    Code code = Code::Closed;                  // of a loss
    http::Defect defect = http::Defect::None;  // of what is malformed
    bool began = false;                        // Lost: part of a response had come
  };
  // Reads what has come until `head` is filled with an interim or the final head. It views bytes that live here until
  // the next call or the next request. A response without a body is Complete when the container has ended it.
  HeadStep try_head(http::ResponseParser::Question question, const http::HeadLimits& limits, http::ResponseHead& head);
  // After Waiting.
  io::Ready until_head(io::Deadline deadline) { return reader_.stream().until_readable(deadline); }
  http::Body& body() { return body_; }
  // Before any suspension between a Complete head and what is read next.
  void keep() { reader_.keep(); }

  // The response has ended, the container will take another request, and owes and is owed nothing.
  bool may_serve_again() const { return reusable_ && body_.ended() && sink_.is_idle(); }

 private:
  friend class ResponseBody;
  // The next packet that is not an ask, not yet consumed.
  struct Look {
    enum class Kind : std::uint8_t { Packet, Waiting, Malformed, Lost };
    Kind kind = Kind::Waiting;
    Code code = Code::Closed;
    Packet packet;
  };
  Look next_packet();

  http::Connection& reader_;
  BodySink sink_;
  std::size_t packet_bytes_ = packet_bytes_default;
  Buffer head_bytes_;  // bounded by the packet
  ResponseBody body_;
  bool in_body_ = false;  // the final head has been read
  bool reusable_ = false;
};

// Asks whether the container is there, on a connection that serves no request. Errors: Malformed where the answer is
// something else than "yes", with what it was in words; the stream's.
io::Task<Result<>> ping(http::Connection& reader, io::Deadline deadline);

}  // namespace ballast::ajp
