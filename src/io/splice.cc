#include "io/splice.h"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>

#include "io/loop.h"
#include "io/scope.h"

namespace ballast::io {
namespace {

// With fewer left the calls that set the mark cost more than they save.
constexpr std::uint64_t gathering_from_bytes = 512 * kib;
constexpr int gathered_bytes = 64 * kib;

// How many bytes make the stream readable. Lowering it raises the event for what is there already.
class LowWater {
 public:
  explicit LowWater(Stream& stream) : stream_(stream) {}
  ~LowWater() { set(1); }
  LowWater(const LowWater&) = delete;

  bool is_raised() const { return bytes_ != 1; }
  void set(int bytes) {
    if (bytes == bytes_ || !stream_.is_open()) return;
    // Where the kernel refuses, the stream is readable from the first byte: more wake-ups, nothing worse.
    setsockopt(stream_.descriptor().fd(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
    bytes_ = bytes;
  }

 private:
  Stream& stream_;
  int bytes_ = 1;
};

}  // namespace

Mover::Mover(Stream& from, Stream& to, MoveOptions options)
    : from_(from),
      to_(to),
      options_(options),
      loop_(from.loop()),
      source_deadline_(loop_.after(options.source_idle)) {}

MoveEnd Mover::failed(MoveEnd end, Code code) {
  code_ = code;
  return end;
}

MoveEnd Mover::ended_by(Wake wake, MoveEnd end) {
  return wake == Wake::Deadline ? failed(end, Code::TimedOut) : failed(MoveEnd::Cancelled, Code::Cancelled);
}

Transfer Mover::fill(Pipe& pipe) {
  const Transfer got =
      pipe.fill(from_, static_cast<std::size_t>(std::min<std::uint64_t>(left(), PipePool::pipe_bytes)));
  if (got.state == TransferState::Done) taken_ += got.count;
  return got;
}

int Mover::low_water_wanted() {
  if (gathering_ == Gathering::NotYet && options_.count != until_end && left() > gathering_from_bytes) {
    gathering_ = Gathering::On;
  }
  if (gathering_ != Gathering::On) return 1;
  return static_cast<int>(std::min<std::uint64_t>(left(), gathered_bytes));
}

Task<MoveEnd> Mover::run(Deadline pause) {
  LowWater low_water(from_);
  Pipe pipe;
  // Asked at first, and after a wait that brought no event: bytes below the mark raise none.
  bool ask = true;
  while (true) {
    while (pipe.held() != 0) {
      const Transfer put = pipe.drain(to_);
      if (put.state == TransferState::Done) {
        delivered_ += put.count;
        source_deadline_ = loop_.after(options_.source_idle);  // counted from when it was asked for more
        continue;
      }
      if (put.state != TransferState::WouldBlock) co_return failed(MoveEnd::SinkFailed, put.code);
      const Instant began = loop_.now();
      const Wake wake = co_await to_.until_writable(loop_.after(options_.sink_idle));
      waited_for_sink_ += loop_.now() - began;
      if (wake != Wake::Event) co_return ended_by(wake, MoveEnd::SinkFailed);
    }
    if (left() == 0) {
      from_.look();  // who keeps the stream has to know whether it is at rest
      co_return MoveEnd::Done;
    }

    if (ask || from_.may_read()) {
      if (!pipe.is_open()) pipe = loop_.pipes().take();
      if (!pipe.is_open()) co_return MoveEnd::NoPipe;
      ask = false;
      const Transfer got = fill(pipe);
      if (got.state == TransferState::Done) continue;
      if (got.state == TransferState::End) co_return MoveEnd::SourceEnded;
      if (got.state == TransferState::Failed) co_return failed(MoveEnd::SourceFailed, got.code);
    }
    pipe.give_back();
    if (source_deadline_.passed(loop_.now())) co_return failed(MoveEnd::SourceFailed, Code::TimedOut);
    if (pause.passed(loop_.now())) co_return MoveEnd::Paused;

    low_water.set(low_water_wanted());
    const Deadline look = earlier(source_deadline_, pause);
    const Wake wake = co_await from_.until_readable(
        low_water.is_raised() ? earlier(look, loop_.after(options_.gathering_max)) : look);
    if (wake == Wake::Cancelled) co_return ended_by(wake, MoveEnd::SourceFailed);
    if (wake == Wake::Event) continue;
    ask = true;
    if (low_water.is_raised()) gathering_ = Gathering::Never;
  }
}

}  // namespace ballast::io
