#include "traffic/l4/tunnel.h"

#include <optional>
#include <utility>

#include "io/loop.h"
#include "io/pipe.h"
#include "io/scope.h"

namespace ballast::traffic {
namespace {

enum class PumpEnd : std::uint8_t { Ended, SourceCut, SinkCut, Idle, Cancelled };

// Below this a wake-up's bytes are copied at less cost.
constexpr std::size_t bulk_bytes_min = 16 * kib;

struct Pump {
  io::Stream& from;
  io::Stream& to;
  Buffer& pending;  // bounded by one receive buffer
  // Much is passing: it is moved through a pipe, since one read filled the receive buffer and until a wait brings
  // little.
  bool in_bulk = false;
  bool has_waited = false;
  io::Pipe pipe = {};  // only while it holds bytes or is about to
  std::uint64_t bytes = 0;
  std::optional<PumpEnd> end = {};
};

class Tunnel {
 public:
  Tunnel(TunnelSides& sides, io::Loop& loop, io::Duration idle)
      : up{.from = sides.client, .to = sides.target, .pending = sides.to_target},
        down{.from = sides.target, .to = sides.client, .pending = sides.to_client},
        loop_(loop),
        idle_(idle),
        moved_(loop.now()) {}

  // Runs until this direction has ended; the last act of a failed one is to call off the other.
  io::Task<void> run(Pump& pump, io::Scope* other_scope, io::Strand* other_strand) {
    pump.end = co_await move_all(pump);
    if (*pump.end == PumpEnd::Ended) co_return;
    if (other_scope != nullptr) other_scope->cancel();
    if (other_strand != nullptr) other_strand->interrupt();
  }

  Pump up;
  Pump down;

 private:
  io::Task<PumpEnd> move_all(Pump& pump) {
    while (true) {
      if (const Pump& other = &pump == &up ? down : up; other.end.has_value() && *other.end != PumpEnd::Ended) {
        co_return PumpEnd::Cancelled;
      }
      if (!pump.pending.empty() || pump.pipe.held() != 0) {
        const io::Transfer put = deliver(pump);
        if (put.state == io::TransferState::Done) continue;
        if (put.state != io::TransferState::WouldBlock) co_return PumpEnd::SinkCut;
        const io::Wake wake = co_await pump.to.until_writable(io::Deadline::at(moved_ + idle_));
        if (wake == io::Wake::Event || (wake == io::Wake::Deadline && !is_idle())) continue;
        co_return wake == io::Wake::Deadline ? PumpEnd::Idle : PumpEnd::Cancelled;
      }
      const io::Transfer got = pump.from.may_read() ? take(pump) : io::Transfer{};
      if (got.state == io::TransferState::Done) {
        moved_ = loop_.now();
        continue;
      }
      pump.pipe.give_back();
      if (got.state == io::TransferState::End) {
        while (!pump.to.end()) {
          const io::Wake wake = co_await pump.to.until_writable(loop_.after(idle_));
          if (wake != io::Wake::Event) co_return wake == io::Wake::Deadline ? PumpEnd::Idle : PumpEnd::Cancelled;
        }
        co_return PumpEnd::Ended;
      }
      if (got.state == io::TransferState::Failed) co_return PumpEnd::SourceCut;
      const io::Wake wake = co_await pump.from.until_readable(io::Deadline::at(moved_ + idle_));
      pump.has_waited = true;
      if (wake == io::Wake::Event || (wake == io::Wake::Deadline && !is_idle())) continue;
      co_return wake == io::Wake::Deadline ? PumpEnd::Idle : PumpEnd::Cancelled;
    }
  }

  // Sends what has been taken and not yet sent.
  io::Transfer deliver(Pump& pump) {
    const bool copied = !pump.pending.empty();
    const io::Transfer put = copied ? pump.to.try_write(pump.pending.view()) : pump.pipe.drain(pump.to);
    if (put.state != io::TransferState::Done) return put;
    pump.bytes += put.count;
    moved_ = loop_.now();
    if (copied) pump.pending.consume(put.count);
    if (copied && pump.pending.empty()) pump.pending.release();
    return put;
  }

  // Takes what has come. That the sink has failed is seen when the rest is delivered.
  io::Transfer take(Pump& pump) {
    if (pump.in_bulk && !pump.pipe.is_open()) pump.pipe = loop_.pipes().take();
    if (!pump.in_bulk || !pump.pipe.is_open()) return copy(pump);
    const io::Transfer got = pump.pipe.fill(pump.from, io::PipePool::pipe_bytes);
    if (std::exchange(pump.has_waited, false) && got.count < bulk_bytes_min) pump.in_bulk = false;
    return got;
  }

  io::Transfer copy(Pump& pump) {
    const auto buffer = loop_.receive_buffer();
    const io::Transfer got = pump.from.try_read(buffer.data(), buffer.size());
    pump.in_bulk = got.count == buffer.size() && pump.from.is_plain() && pump.to.takes_moved(io::PipePool::pipe_bytes);
    pump.has_waited = false;
    if (got.state != io::TransferState::Done) return got;
    const Bytes bytes(buffer.data(), got.count);
    const io::Transfer put = pump.to.try_write(bytes);
    const std::size_t taken = put.state == io::TransferState::Done ? put.count : 0;
    pump.bytes += taken;
    pump.pending.append(bytes.substr(taken));
    return got;
  }

  bool is_idle() const { return loop_.now() - moved_ >= idle_; }

  io::Loop& loop_;
  io::Duration idle_;
  io::Instant moved_;  // when a byte last passed, either way
};

TunnelEnd end_of(const Pump& up, const Pump& down) {
  const auto either = [&](PumpEnd end) { return up.end == end || down.end == end; };
  if (up.end == PumpEnd::SourceCut || down.end == PumpEnd::SinkCut) return TunnelEnd::ClientCut;
  if (down.end == PumpEnd::SourceCut || up.end == PumpEnd::SinkCut) return TunnelEnd::TargetCut;
  if (either(PumpEnd::Idle)) return TunnelEnd::Idle;
  if (either(PumpEnd::Cancelled)) return TunnelEnd::Cancelled;
  return TunnelEnd::Finished;
}

}  // namespace

io::Task<TunnelResult> tunnel(TunnelSides& sides, io::Duration idle) {
  io::Strand& strand = co_await io::this_strand();
  Tunnel both(sides, strand.loop(), idle);
  io::Scope scope(strand.loop());
  scope.spawn(both.run(both.up, nullptr, &strand));
  co_await both.run(both.down, &scope, nullptr);
  if (both.down.end == PumpEnd::Ended)
    co_await scope.closed(io::Deadline::never());  // each wait inside has its own deadline
  co_await scope.close();

  const TunnelEnd end = end_of(both.up, both.down);
  if (end == TunnelEnd::Finished || end == TunnelEnd::Idle) {
    sides.client.close();
    sides.target.close();
  } else {
    sides.client.reset();
    sides.target.reset();
  }
  co_return TunnelResult{end, both.up.bytes, both.down.bytes};
}

}  // namespace ballast::traffic
