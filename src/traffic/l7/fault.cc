// What fails on purpose: requests held up, and answered with a status, by the rule's faults.
#include <algorithm>

#include "io/loop.h"
#include "traffic/l7/exchange.h"
#include "traffic/route/shaping.h"

namespace ballast::traffic {
namespace {

// Of one worker at once: a test of failures must not become one by the memory of all who wait.
constexpr int held_up_max = 1'000;
// How soon a drain is noticed.
constexpr auto look = std::chrono::milliseconds(100);

}  // namespace

// None: it goes on, because the time is over, or because the process is going.
io::Task<Reason> Exchange::hold_up(io::Duration time) {
  // Counted down wherever it ends, also with the coroutine.
  struct Held {
    explicit Held(int& count) : count_(++count) {}
    Held(const Held&) = delete;
    ~Held() { --count_; }
    int& count_;
  };
  const Held held(worker_.held_up());
  client_.watch();  // a client that goes away ends the waiting
  const io::Instant until = loop_.now() + time;
  while (loop_.now() < until && !worker_.is_draining()) {
    co_await io::Sleep(io::Deadline::at(std::min<io::Instant>(until, loop_.now() + look)));
    if (client_.was_cut()) co_return Reason::ClientGone;
    if (client_.called_off()) co_return Reason::Stopped;
  }
  co_return Reason::None;
}

io::Task<std::optional<After>> Exchange::inject(const Shaping& shaping) {
  auto& counters = worker_.cell_of(client_.listener()).faults;
  const auto count = [&counters](FaultDone done) { counters[static_cast<std::size_t>(done)].add(); };
  for (const config::Fault& fault : shaping.faults) {
    if (!is_drawn(fault.percent, worker_.random())) continue;
    if (fault.delay.count() > 0 && worker_.held_up() >= held_up_max) {
      count(FaultDone::OverLimit);
    } else if (fault.delay.count() > 0) {
      count(FaultDone::Delayed);
      state_->fault = "delay";
      const Reason reason = co_await hold_up(fault.delay);
      if (reason != Reason::None) co_return co_await refuse(reason);
    }
    if (fault.status == 0) continue;
    count(FaultDone::Answered);
    state_->fault = state_->fault.empty() ? Bytes("status") : Bytes("delay,status");
    state_->refusal_status = fault.status;
    co_return co_await refuse(Reason::FaultInjected);
  }
  co_return std::nullopt;
}

}  // namespace ballast::traffic
