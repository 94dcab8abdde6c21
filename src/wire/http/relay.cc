#include "wire/http/relay.h"

#include <algorithm>
#include <array>

#include "io/loop.h"
#include "io/scope.h"
#include "io/signals.h"
#include "io/splice.h"
#include "wire/http/parse.h"

namespace ballast::http {
namespace {

// Body pieces up to here are copied behind the head: cheaper than a call with several parts.
constexpr std::size_t copied_max = 4 * kib;

// Measures a source that may trickle on purpose.
class RateGuard {
 public:
  RateGuard(const RelayLimits& limits, io::Instant now)
      : rate_min_(limits.rate_min), window_(limits.rate_window), window_began_(now) {}

  void took(std::uint64_t bytes) { window_bytes_ += bytes; }
  void waited_for_sink(io::Duration took) { window_began_ += took; }
  bool too_slow(io::Instant now) {
    if (rate_min_ == 0 || now - window_began_ < window_) return false;
    const auto seconds = std::chrono::duration<double>(now - window_began_).count();
    const bool slow = !first_ && static_cast<double>(window_bytes_) < static_cast<double>(rate_min_) * seconds;
    first_ = false;
    window_began_ = now;
    window_bytes_ = 0;
    return slow;
  }
  // When to look again while nothing comes.
  io::Deadline next_look() const {
    return rate_min_ == 0 ? io::Deadline::never() : io::Deadline::at(window_began_ + window_);
  }

 private:
  std::uint64_t rate_min_;
  io::Duration window_;
  io::Instant window_began_;
  std::uint64_t window_bytes_ = 0;
  bool first_ = true;  // the grace
};

// Chunk framing around one piece of data. The CRLF that ends a chunk is sent with what follows it.
class ChunkFrames {
 public:
  Bytes before(std::size_t size) {
    std::size_t length = 0;
    if (open_) {
      text_[0] = '\r';
      text_[1] = '\n';
      length = 2;
    }
    length += write_chunk_head(text_.data() + length, size);
    open_ = true;
    return {text_.data(), length};
  }
  void end(Buffer& out, Bytes trailers) {
    if (open_) out.append(Bytes("\r\n"));
    out.append(Bytes("0\r\n"));
    out.append(trailers);
    out.append(Bytes("\r\n"));
  }

 private:
  std::array<char, 24> text_;
  bool open_ = false;
};

// Writes `out`, `frame` and `data`; what is not taken stands in `out` afterwards. False: the sink has failed with
// `code`.
bool write_now(Buffer& out, Bytes frame, Bytes data, io::Stream& sink, Code& code) {
  if (data.size() <= copied_max) {
    out.append(frame);
    out.append(data);
    frame = data = {};
  }
  std::array<Bytes, 3> parts{out.view(), frame, data};
  const io::Transfer put = sink.try_write(parts);
  if (put.state == io::TransferState::Failed || put.state == io::TransferState::End) {
    code = put.code;
    return false;
  }
  std::size_t taken = put.state == io::TransferState::Done ? put.count : 0;
  const std::size_t from_out = std::min(taken, out.size());
  out.consume(from_out);
  taken -= from_out;
  const std::size_t from_frame = std::min(taken, frame.size());
  taken -= from_frame;
  out.append(frame.substr(from_frame));
  out.append(data.substr(taken));
  return true;
}

// How many of the next bytes can be moved past this process; 0: they are pulled.
// `sent`: of this body, so far.
std::uint64_t spliceable(Body& body, Framing framing, io::Stream& sink, std::uint64_t allowed, std::uint64_t sent) {
  if (framing != body.framing() || body.bypass() == nullptr) return 0;
  const std::optional<std::uint64_t> left = body.left();
  const bool has_no_end = !left.has_value() && allowed == UINT64_MAX;
  const std::uint64_t count = has_no_end ? io::Mover::until_end : std::min(left.value_or(UINT64_MAX), allowed);
  return count >= io::Mover::worth_bytes && sink.takes_moved(has_no_end ? sent : count) ? count : 0;
}

// Moves the next `count` bytes of the body, and says in `result` where that failed. False: there is no pipe to be had.
io::Task<bool> splice(Body& body, io::Stream& sink, std::uint64_t count, const RelayLimits& limits, RateGuard& rate,
                      RelayResult& result) {
  io::Loop& loop = sink.loop();
  io::Mover mover(*body.bypass(), sink,
                  {.count = count, .source_idle = limits.source_idle, .sink_idle = limits.sink_idle});
  std::uint64_t taken = 0;
  io::Duration waited_for_sink{};
  io::MoveEnd end = io::MoveEnd::Paused;
  while (end == io::MoveEnd::Paused) {
    end = co_await mover.run(rate.next_look());
    rate.took(mover.taken() - std::exchange(taken, mover.taken()));
    rate.waited_for_sink(mover.waited_for_sink() - std::exchange(waited_for_sink, mover.waited_for_sink()));
    if (end == io::MoveEnd::Paused && rate.too_slow(loop.now())) {
      result.end = RelayEnd::SourceTooSlow;
      break;
    }
  }
  result.body_bytes += taken;
  body.bypassed(taken);
  switch (end) {
    case io::MoveEnd::Paused:
    case io::MoveEnd::Done:
      break;
    case io::MoveEnd::NoPipe:
      co_return false;
    case io::MoveEnd::SourceEnded:
      body.bypass_ended();
      if (!body.ended()) result.end = RelayEnd::SourceFailed;
      break;
    case io::MoveEnd::SourceFailed:
      result.end = RelayEnd::SourceFailed;
      break;
    case io::MoveEnd::SinkFailed:
      result.end = RelayEnd::SinkFailed;
      break;
    case io::MoveEnd::Cancelled:
      result.end = RelayEnd::Cancelled;
      break;
  }
  result.code = mover.code();
  co_return true;
}

// How much of a file can be given to the sink as it is; 0: it is pulled.
std::uint64_t sendable(Body& body, Framing framing, io::Stream& sink, std::uint64_t allowed) {
  const FilePiece piece = body.file_piece();
  if (piece.file == nullptr || framing != body.framing()) return 0;
  const std::uint64_t count = std::min(piece.size, allowed);
  return count >= FilePiece::worth_bytes && io::ignores_broken_pipes() && sink.takes_moved(count) ? count : 0;
}

// Sends the next `count` bytes of the body from its file, and says in `result` where that failed.
io::Task<void> send_file(Body& body, io::Stream& sink, std::uint64_t count, const RelayLimits& limits,
                         RelayResult& result) {
  // A client that takes everything at once must not keep the others of its worker waiting.
  constexpr std::uint64_t turn_bytes = 2 * mib;
  constexpr auto pause = std::chrono::milliseconds(1);
  io::Loop& loop = sink.loop();
  std::uint64_t turn = 0;
  while (count != 0) {
    const FilePiece piece = body.file_piece();
    const io::Transfer put =
        piece.file->send_to(sink, piece.offset, static_cast<std::size_t>(std::min(count, turn_bytes)));
    io::Wake wake = io::Wake::Event;
    switch (put.state) {
      case io::TransferState::Done:
        body.bypassed(put.count);
        result.body_bytes += put.count;
        count -= put.count;
        turn += put.count;
        if (turn < turn_bytes || count == 0) continue;
        turn = 0;
        if (!co_await io::Sleep(io::Deadline::at(loop.fresh_now() + pause))) wake = io::Wake::Cancelled;
        break;
      case io::TransferState::End:
        result.end = RelayEnd::SourceFailed;
        result.code = Code::Closed;
        co_return;
      case io::TransferState::Failed:
        result.end = RelayEnd::SinkFailed;
        result.code = put.code;
        co_return;
      case io::TransferState::WouldBlock:
        turn = 0;
        wake = co_await sink.until_writable(loop.after(limits.sink_idle));
        break;
    }
    if (wake == io::Wake::Event) continue;
    result.end = wake == io::Wake::Cancelled ? RelayEnd::Cancelled : RelayEnd::SinkFailed;
    result.code = wake == io::Wake::Cancelled ? Code::Cancelled : Code::TimedOut;
    co_return;
  }
}

}  // namespace

io::Task<Result<>> flush(Buffer& out, io::Stream& sink, io::Duration idle) {
  io::Loop& loop = sink.loop();
  while (!out.empty()) {
    const io::Transfer put = sink.try_write(out.view());
    switch (put.state) {
      case io::TransferState::Done:
        out.consume(put.count);
        continue;
      case io::TransferState::End:
      case io::TransferState::Failed:
        co_return fail(put.code);
      case io::TransferState::WouldBlock:
        break;
    }
    const io::Wake wake = co_await sink.until_writable(loop.after(idle));
    if (wake != io::Wake::Event) co_return fail(io::error_of(wake));
  }
  co_return Result<>();
}

namespace {

// Writes the head that a file follows. False: the sink has failed with `code`.
bool write_before_file(Buffer& out, io::Stream& sink, Code& code) {
  const io::Transfer put = sink.try_write_more(out.view());
  if (put.state == io::TransferState::Failed || put.state == io::TransferState::End) {
    code = put.code;
    return false;
  }
  if (put.state == io::TransferState::Done) out.consume(put.count);
  return true;
}

}  // namespace

io::Task<RelayResult> relay(Buffer& out, Body& body, Framing framing, io::Stream& sink, RelayLimits limits) {
  io::Loop& loop = sink.loop();
  RelayResult result;
  ChunkFrames frames;
  RateGuard rate(limits, loop.now());
  const bool chunked = framing == Framing::Chunked;
  io::Deadline source_deadline = loop.after(limits.source_idle);
  bool may_splice = true;

  if (const std::uint64_t count = sendable(body, framing, sink, limits.bytes_max); count != 0) {
    result.head_sent = true;
    if (!out.empty() && !write_before_file(out, sink, result.code)) {
      result.end = RelayEnd::SinkFailed;
      co_return result;
    }
    if (out.empty()) {
      co_await send_file(body, sink, count, limits, result);
      if (result.end != RelayEnd::Done || body.ended()) co_return result;
    }
  }

  while (true) {
    const Pulled pulled = body.try_pull();
    if (pulled.state == PullState::Failed) {
      result.end = RelayEnd::SourceFailed;
      result.code = pulled.code;
      result.defect = pulled.defect;
      co_return result;
    }
    if (pulled.state == PullState::Data) {
      result.body_bytes += pulled.data.size();
      rate.took(pulled.data.size());
      if (result.body_bytes > limits.bytes_max) {
        result.end = RelayEnd::SourceTooLarge;
        co_return result;
      }
      const Bytes frame = chunked ? frames.before(pulled.data.size()) : Bytes();
      if (chunked && body.ended() && pulled.data.size() <= copied_max) {
        // A small body that came whole: head, chunk and end in one call.
        out.append(frame);
        out.append(pulled.data);
        frames.end(out, body.trailers());
        result.head_sent = true;
        if (Result<> sent = co_await flush(out, sink, limits.sink_idle); !sent) {
          result.end = sent.error().code() == Code::Cancelled ? RelayEnd::Cancelled : RelayEnd::SinkFailed;
          result.code = sent.error().code();
        }
        co_return result;
      }
      result.head_sent = true;
      if (!write_now(out, frame, pulled.data, sink, result.code)) {
        result.end = RelayEnd::SinkFailed;
        co_return result;
      }
    }
    const bool ended = pulled.state == PullState::End || (pulled.state == PullState::Data && body.ended());
    if (ended && chunked) frames.end(out, body.trailers());
    if (!out.empty()) {
      const io::Instant began = loop.now();
      result.head_sent = true;
      if (Result<> sent = co_await flush(out, sink, limits.sink_idle); !sent) {
        result.end = sent.error().code() == Code::Cancelled ? RelayEnd::Cancelled : RelayEnd::SinkFailed;
        result.code = sent.error().code();
        co_return result;
      }
      rate.waited_for_sink(loop.now() - began);
    }
    if (ended) co_return result;
    if (const std::uint64_t count = sendable(body, framing, sink, limits.bytes_max - result.body_bytes); count != 0) {
      co_await send_file(body, sink, count, limits, result);
      if (result.end != RelayEnd::Done || body.ended()) co_return result;
      continue;
    }
    if (const std::uint64_t count =
            may_splice ? spliceable(body, framing, sink, limits.bytes_max - result.body_bytes, result.body_bytes) : 0;
        count != 0) {
      may_splice = co_await splice(body, sink, count, limits, rate, result);
      if (result.end != RelayEnd::Done || body.ended()) co_return result;
      source_deadline = loop.after(limits.source_idle);
      continue;
    }
    if (pulled.state == PullState::Data) {
      source_deadline = loop.after(limits.source_idle);
      continue;
    }
    if (rate.too_slow(loop.now())) {
      result.end = RelayEnd::SourceTooSlow;
      co_return result;
    }
    const io::Wake wake = co_await body.until_ready(earlier(source_deadline, rate.next_look()));
    if (wake == io::Wake::Cancelled) {
      result.end = RelayEnd::Cancelled;
      result.code = Code::Cancelled;
      co_return result;
    }
    if (wake == io::Wake::Deadline && source_deadline.passed(loop.now())) {
      result.end = RelayEnd::SourceFailed;
      result.code = Code::TimedOut;
      co_return result;
    }
  }
}

}  // namespace ballast::http
