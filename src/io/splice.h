// Mover: moves bytes from one plain stream to another through a pipe, until so many have passed or the source has
// ended, with the limits of waiting of a relay.
//
// For bodies of worth_bytes and more: below, copying is cheaper. It lives in the frame of the coroutine that runs it;
// both streams outlive it, and nobody else reads the one or writes the other meanwhile. A pipe is lent from the Loop
// only while bytes move: a transfer that waits for its source holds none. On every end but those of the sink and
// Cancelled all that was taken has been delivered; held() tells what was not, and is lost. After Done the source's
// may_read() is false when nothing has come behind the last byte, so that it can be kept for its next message.
//
// A source of much is waited for until 64 KiB have come (SO_RCVLOWAT), not for each segment; one that is slow over them
// is waited for in the ordinary way from then on, so that nothing is kept back. The mark is back at 1 when run() ends.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "io/pipe.h"
#include "io/stream.h"
#include "io/task.h"

namespace ballast::io {

enum class MoveEnd : std::uint8_t {
  Done,          // `count` bytes have been delivered
  SourceEnded,   // before that, in order
  SourceFailed,  // code(); TimedOut: nothing came for source_idle
  SinkFailed,    // code(); TimedOut: nothing was taken for sink_idle
  Cancelled,
  Paused,  // the time asked for has come and the source has nothing: run() goes on
  NoPipe,  // there is none to be had: copy what is left
};

struct MoveOptions {
  std::uint64_t count;  // Mover::until_end: as many as come
  Duration source_idle;
  Duration sink_idle;
  // A source that takes longer over 64 KiB is slow.
  Duration gathering_max = std::chrono::milliseconds(10);
};

class Mover {
 public:
  static constexpr std::uint64_t until_end = UINT64_MAX;
  // Fewer are copied at less cost.
  static constexpr std::uint64_t worth_bytes = 64 * kib;

  Mover(Stream& from, Stream& to, MoveOptions options);
  Mover(const Mover&) = delete;

  // `pause`: when to come back while the source has nothing, for who has something to look at then.
  Task<MoveEnd> run(Deadline pause);

  Code code() const { return code_; }
  std::uint64_t taken() const { return taken_; }
  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t held() const { return taken_ - delivered_; }
  // All the time that the sink took nothing.
  Duration waited_for_sink() const { return waited_for_sink_; }

 private:
  Transfer fill(Pipe& pipe);
  MoveEnd failed(MoveEnd end, Code code);
  MoveEnd ended_by(Wake wake, MoveEnd end);
  int low_water_wanted();
  std::uint64_t left() const { return options_.count - taken_; }

  Stream& from_;
  Stream& to_;
  MoveOptions options_;
  Loop& loop_;
  Deadline source_deadline_;
  Code code_ = Code::Closed;
  enum class Gathering : std::uint8_t { NotYet, On, Never } gathering_ = Gathering::NotYet;
  std::uint64_t taken_ = 0;
  std::uint64_t delivered_ = 0;
  Duration waited_for_sink_{};
};

}  // namespace ballast::io
