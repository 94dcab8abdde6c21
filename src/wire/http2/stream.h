// Stream: one stream of an HTTP/2 connection, in either role: the head it brought, and its data as bytes both ways, so
// that relay() and tunnel() move them like those of any connection.
//
// It is shared by the Session, until the stream is closed on the wire, and by whoever serves or asks on it. When the
// connection is gone its calls fail. What is received and not yet read is bounded by the stream's window, what is
// written and not yet sent by `out_bytes_max`. The loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/buffer.h"
#include "io/stream.h"
#include "wire/http/body.h"
#include "wire/http/outgoing.h"
#include "wire/http2/head_text.h"

namespace ballast::http2 {

class Session;

// Told when the peer has called a stream off, or its connection is gone.
class StreamListener {
 public:
  virtual void on_cut() = 0;

 protected:
  ~StreamListener() = default;
};

class Stream final : public io::Stream, public std::enable_shared_from_this<Stream> {
 public:
  // Enough to fill a round trip's window between two rounds of the loop; a peer that does not read holds this much.
  static constexpr std::size_t out_bytes_max = 64 * kib;
  // The same where the streams of the connection together hold Session::queued_bytes_max already.
  // A small body that goes out with its head finds room in any case.
  static constexpr std::size_t out_bytes_min = 16 * kib;

  Stream(Session& session, std::size_t head_bytes_max);
  ~Stream() override;

  // What the peer opened it with, or answered: an HTTP/1.1 head, or the defect. Of a response the next one after
  // skip_head().
  bool has_head() const { return head_done_; }
  Bytes head() const { return head_.view(); }
  http::Defect head_defect() const { return head_defect_; }
  bool is_upgrade() const { return upgrade_; }
  void skip_head();

  // Sends a response's head, a final or an interim one. `lines` are copied. With BodyFollows::No a final one ends the
  // stream.
  enum class BodyFollows : std::uint8_t { Yes, No };
  struct ResponseHead {
    int status = 200;
    std::span<const http::FieldLine> lines;
    std::optional<std::uint64_t> length;  // of the body, or of the one that a GET would get
  };
  void respond(const ResponseHead& response, BodyFollows body_follows);
  // Waits until everything up to the end has been given to the connection; false where nothing moved for `idle`, or the
  // stream is lost.
  io::Task<bool> until_sent(io::Duration idle);
  // The trailer fields of end(), as lines.
  void trailers_at_end(Bytes lines) { out_trailers_.append(lines); }
  Bytes received_trailers() const { return in_trailers_ == nullptr ? Bytes() : in_trailers_->lines(); }

  // What is there, in place; dead after consume().
  Bytes received() const { return in_.view(); }
  void consume(std::size_t count);
  bool peer_ended() const { return in_ended_; }
  // No byte will come any more, or be taken: `code()` says why.
  bool is_lost() const { return lost_; }
  Code code() const { return code_; }
  // The peer has said that it has not looked at the request (REFUSED_STREAM, GOAWAY): it may be sent again.
  bool was_refused() const { return refused_; }
  http::Defect trailer_defect() const { return in_trailers_ == nullptr ? http::Defect::None : in_trailers_->defect(); }
  void listen(StreamListener* listener) { listener_ = listener; }
  // The response is whole: what the peer still sends is not wanted.
  void discard_rest();

  io::Transfer try_read(char* into, std::size_t size) override;
  using io::Stream::try_write;
  io::Transfer try_write(std::span<const Bytes> parts) override;
  io::Ready until_readable(io::Deadline deadline) override { return ready_.readable(deadline); }
  io::Ready until_writable(io::Deadline deadline) override { return ready_.writable(deadline); }
  bool may_read() const override { return ready_.may_read(); }
  void look() override {}
  bool end() override;
  void close() override;
  // What was closed and could not be sent to its end is cut, too.
  void reset() override;
  // Server: the request has not been looked at, and may be sent again.
  void refuse();
  bool is_open() const override { return !lost_ && !closed_; }
  io::Loop& loop() const override { return loop_; }
  bool is_plain() const override { return false; }
  io::Descriptor& descriptor() override;

 private:
  friend class Session;
  friend struct Callbacks;
  // No more from the peer, and no more to it.
  void lose(Code code);
  void left_wire(std::uint32_t error_code);
  bool is_on_wire() const { return self_ != nullptr; }
  void cut_wire(std::uint32_t error_code);
  void wake();

  Session* session_;  // nullptr: the connection is gone
  io::Loop& loop_;
  std::shared_ptr<Stream> self_;  // while it is open on the wire
  Stream* previous_ = nullptr;    // the session's list
  Stream* next_ = nullptr;
  std::int32_t id_ = 0;

  std::size_t head_bytes_max_;
  std::unique_ptr<RequestText> request_;  // while it is being received
  std::unique_ptr<ResponseText> response_;
  Buffer head_;
  http::Defect head_defect_ = http::Defect::None;
  bool head_done_ = false;
  bool upgrade_ = false;
  bool final_ = false;  // the response's head is no interim one

  Buffer in_;
  std::unique_ptr<TrailerText> in_trailers_;
  Buffer out_;
  Buffer out_trailers_;
  io::Readiness ready_;
  StreamListener* listener_ = nullptr;
  Code code_ = Code::Closed;
  bool in_ended_ = false;
  bool end_wanted_ = false;
  bool out_ended_ = false;  // our END_STREAM is sent
  bool deferred_ = false;   // the session waits for data of ours
  bool discarding_ = false;
  bool refused_ = false;
  bool lost_ = false;
  bool closed_ = false;
};

// What is received on a stream, as a message's body.
class StreamBody final : public http::Body {
 public:
  StreamBody(Stream& stream, http::Framing framing, std::uint64_t length)
      : stream_(stream), framing_(framing), length_(length) {}

  http::Pulled try_pull() override;
  io::Ready until_ready(io::Deadline deadline) override { return stream_.until_readable(deadline); }
  http::Framing framing() const override { return framing_; }
  std::optional<std::uint64_t> left() const override;
  bool ended() const override;
  Bytes trailers() const override { return stream_.received_trailers(); }

 private:
  Stream& stream_;
  http::Framing framing_;
  std::uint64_t length_;  // as stated
  std::uint64_t pulled_ = 0;
  std::size_t handed_out_ = 0;  // of received(), to be consumed by the next pull
};

}  // namespace ballast::http2
