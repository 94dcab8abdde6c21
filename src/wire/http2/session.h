// Session: an HTTP/2 connection (RFC 9113) over a Stream of bytes, in either role; nghttp2 keeps its state, this moves
// its frames.
//
// run() reads until the connection has ended, on the strand of its owner; what is to be sent is gathered and sent once
// at the end of each round of the loop, for all streams together. Data is given back to the peer's window when it is
// consumed, so a body that is not read holds back its sender. Floods (flood_guard.h) and broken frames end the
// connection with GOAWAY and are told to the owner by name. One thread: the loop's. Held by shared_ptr.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/stream.h"
#include "io/task.h"
#include "wire/http/outgoing.h"
#include "wire/http2/flood_guard.h"
#include "wire/http2/frame_walk.h"
#include "wire/http2/rest_memory.h"
#include "wire/http2/session_defect.h"
#include "wire/http2/stream.h"

struct nghttp2_session;

namespace ballast::http2 {

struct SessionLimits {
  std::uint32_t streams = 128;  // at once, opened by the peer
  std::uint32_t stream_window = 64 * kib;
  std::uint32_t window = 1 * mib;  // of all streams together
  std::size_t head_bytes = 64 * kib;
  io::Duration header = std::chrono::seconds(30);  // a head that was begun
  io::Duration rest = std::chrono::seconds(60);    // without a stream
  io::Duration sink_idle = std::chrono::seconds(60);
  // After so long without a stream its memory is given back: a page or two to be taken again cost a microsecond.
  io::Duration memory_rest = std::chrono::seconds(1);
};

class SessionOwner {
 public:
  // Server: a request's head is there, or its defect. Called outside of the session's own work.
  virtual void on_request(const std::shared_ptr<Stream>& stream) = 0;
  // The limits are asked anew at each rest: the configuration may have changed.
  virtual io::Duration rest_max() = 0;

 protected:
  ~SessionOwner() = default;
};

class Session final : public std::enable_shared_from_this<Session>, private RestMemory::Owner {
 public:
  enum class Role : std::uint8_t { Server, Client };
  // `owner` lives until run() has ended. Requests made before run() wait in it.
  static std::shared_ptr<Session> make(Role role, io::Loop& loop, SessionOwner& owner, const SessionLimits& limits);
  ~Session();
  Session(const Session&) = delete;

  // Over `transport`, which lives until it ends. `received`: bytes read from it already. Ends when the connection has;
  // the transport is closed or reset then, and every stream is lost.
  io::Task<void> run(io::Stream& transport, Bytes received);
  // No more streams; ends when the last is done.
  void drain();
  // Instead of run(), where there is no connection to be had: the requests are lost, and nobody has looked at them.
  void abandon(Code code);

  // Client: opens a stream with a request's head; nullptr where no more can be opened here.
  // The head's lines begin with Host.
  std::shared_ptr<Stream> request(const http::OutgoingRequest& head, Bytes scheme, std::optional<std::uint64_t> length,
                                  Stream::BodyFollows body_follows);
  bool may_request() const;

  std::size_t stream_count() const { return stream_count_; }
  // Whether a byte of the peer has come. A server's first are its SETTINGS (RFC 9113 3.4).
  bool has_heard() const { return heard_; }
  // Why it was ended by us.
  SessionDefect defect() const { return defect_; }
  // What the peer was told of it: "PROTOCOL_ERROR", and in words where the library had some.
  std::string_view error_name() const;
  const std::string& error_text() const { return error_text_; }
  // Whether the memory that only work needs has been given back since the last of it.
  bool holds_least() const { return memory_.is_released(); }
  io::Loop& loop() const { return loop_; }

 private:
  friend class Stream;
  friend struct Callbacks;
  Session(Role role, io::Loop& loop, SessionOwner& owner, const SessionLimits& limits);
  bool start();
  // False: the connection has to end.
  bool take(Bytes bytes);
  void serve_arrived();
  void settle_left();
  void flush_soon();
  void flush();
  // Gathers frames into out_; false where there is nothing to send.
  bool fill();
  io::Task<void> write_out();
  // Ends the connection with GOAWAY.
  void fail(SessionDefect defect, std::uint32_t error_code);
  // One that we have sent.
  void note_goaway(std::uint32_t error_code, std::string_view text);
  // The transport has failed.
  void cut(Code code);
  // nghttp2's code for what a callback gives: not 0 where it was a flood.
  int spend(std::int64_t cost);
  void refuse_new();
  void lose_streams(Code code);
  void add(Stream& stream);
  void remove(Stream& stream);
  bool has_work() const;
  // Ends run()'s wait: it is to look around.
  void nudge();
  bool rests() const;
  bool is_at_rest() const override;
  io::Deadline next_deadline();
  // False: the connection has nothing left to wait for.
  bool take_deadline();
  std::string websocket_key();

  // A stream that has been closed on the wire, to be told when nghttp2 is done with its own work.
  struct Left {
    std::shared_ptr<Stream> stream;
    std::uint32_t error_code;
  };
  // An answer to the PING of drain() may take this long.
  static constexpr auto drain_round_trip_max = std::chrono::seconds(1);
  // A peer that has done wrong may take so long to read what for.
  static constexpr auto last_words_max = std::chrono::seconds(1);
  // Then the others have their turn, however much more has come.
  static constexpr std::size_t turn_bytes_max = 256 * kib;

  const Role role_;
  io::Stream* transport_ = nullptr;  // while it runs
  SessionOwner& owner_;
  const SessionLimits limits_;
  io::Loop& loop_;
  RestMemory memory_;
  nghttp2_session* native_ = nullptr;
  FloodGuard guard_;
  FrameWalk walk_;
  std::int64_t idle_frames_ = 0;  // received and not paid for; below zero where they turned out to bring something
  Stream* streams_ = nullptr;
  std::size_t stream_count_ = 0;
  std::vector<std::shared_ptr<Stream>> arrived_;  // requests to be served; bounded by limits_.streams
  std::vector<Left> left_;                        // streams to be told; bounded by the streams
  Buffer out_;                                    // frames not yet taken by the transport; filled up to `out_bytes_max`
  std::size_t queued_bytes_ = 0;                  // in the streams' buffers
  io::Instant rests_since_;
  io::Instant head_began_{};
  bool head_open_ = false;
  bool flush_wanted_ = false;
  io::Instant drain_began_{};
  bool draining_ = false;
  bool refusing_ = false;  // the last stream has been named
  bool heard_ = false;
  bool peer_leaves_ = false;  // GOAWAY was received
  bool gone_ = false;         // the transport carries nothing any more
  SessionDefect defect_ = SessionDefect::None;
  std::uint32_t error_code_ = 0;
  std::string error_text_;        // at most error_text_max
  io::Strand* runner_ = nullptr;  // run()'s
  bool nudged_ = false;
  io::Scope writer_;

  static constexpr std::size_t error_text_max = 120;
  static constexpr std::size_t out_bytes_max = 64 * kib;
  // Of what streams hold that is not sent yet. A peer that does not read holds this, and a little for each stream.
  static constexpr std::size_t queued_bytes_max = 1 * mib;
};

}  // namespace ballast::http2
