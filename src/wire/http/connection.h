// Connection: the HTTP/1.1 reading side of a stream: heads and bodies in order, for both roles. What was received and
// not yet consumed (the beginning of a head, a pipelined request) is kept here; an idle connection keeps nothing.
//
// Bytes are received into the loop's shared buffer and used in place; only what must outlive a suspension is copied to
// `kept_`. One thread: the loop's. Owned by a server session or an upstream connection, for as long as the stream is.
#pragma once

#include <optional>

#include "base/buffer.h"
#include "io/loop.h"
#include "io/stream.h"
#include "wire/http/body.h"
#include "wire/http/parse.h"

namespace ballast::http {

class Connection;

// The body of the message whose head was read last from a Connection.
class ConnectionBody final : public Body {
 public:
  explicit ConnectionBody(Connection& connection) : connection_(&connection) {}
  // `trailer_limits` bound a chunked body's trailer.
  void begin(Framing framing, std::uint64_t length, const HeadLimits& trailer_limits);

  Pulled try_pull() override;
  io::Ready until_ready(io::Deadline deadline) override;
  Framing framing() const override { return framing_; }
  std::optional<std::uint64_t> left() const override;
  bool ended() const override { return ended_; }
  Bytes trailers() const override { return decoder_.has_value() ? decoder_->trailers() : Bytes(); }
  Flaw oddity() const override { return decoder_.has_value() ? decoder_->oddity() : Flaw{}; }
  std::optional<std::uint64_t> broken_at() const override {
    return broken_.has_value() ? std::optional(decoder_->taken()) : std::nullopt;
  }

  // A plain stream's, while nothing is held and no framing lies between the bytes.
  io::Stream* bypass() override;
  void bypassed(std::uint64_t count) override;
  void bypass_ended() override;

 private:
  Pulled take(char* data, std::size_t size);
  Pulled take_chunked(char* data, std::size_t size);

  Connection* connection_;
  Framing framing_ = Framing::None;
  bool ended_ = true;
  std::optional<Defect> broken_;  // a chunked body that was; it stays so
  std::uint64_t left_ = 0;
  std::optional<ChunkedDecoder> decoder_;
};

class Connection {
 public:
  Connection(io::Loop& loop, io::Stream& stream) : loop_(loop), stream_(stream) {}

  // The bytes received and not yet consumed; a view into the shared buffer or into kept_.
  Bytes held() const { return fresh_.empty() ? kept_.view() : fresh_; }
  void consume(std::size_t size);
  // Copies what lies in the shared buffer: to be called before any suspension while held() is not empty.
  void keep();
  // Receives once. With bytes held, the new ones come behind them.
  io::Transfer receive();
  // Bytes kept from before, or the shared buffer not yet consumed.
  bool has_held() const { return !fresh_.empty() || !kept_.empty(); }
  // Gives back the memory of what was kept.
  void release() {
    if (kept_.empty()) kept_.release();
  }

  io::Stream& stream() { return stream_; }
  io::Loop& loop() { return loop_; }

 private:
  friend class ConnectionBody;
  io::Loop& loop_;
  io::Stream& stream_;
  Bytes fresh_;  // in the loop's shared buffer; dead after a suspension
  Buffer kept_;  // bounded by the head limit plus one receive buffer
};

}  // namespace ballast::http
