// Loop: one thread's door to the kernel: readiness of descriptors, timers, the clock, and post().
//
// Everything of a Loop belongs to the thread that calls run(); only post() and stop() may be called from others.
// Nothing here shows how waiting is done (edge-triggered epoll in loop.cc), so that a simulated world can stand behind
// the same calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/result.h"
#include "io/deadline.h"
#include "io/descriptor.h"
#include "io/suspension.h"
#include "io/timer_wheel.h"

namespace ballast::io {

class PipePool;

class Loop {
 public:
  // The one receive buffer of the thread: read, handle, write at once; its bytes are dead after the next suspension.
  static constexpr std::size_t receive_buffer_bytes = 64 * 1024;
  // Room for a receive buffer's bytes with what encryption puts around them.
  static constexpr std::size_t send_buffer_bytes = 66 * 1024;

  static Result<std::unique_ptr<Loop>> make();
  ~Loop();
  Loop(const Loop&) = delete;

  // Runs until stop().
  void run();
  // From any thread: `work` runs on the loop's thread, in the order of posting. Dropped if the loop never runs again.
  void post(std::move_only_function<void()> work);
  void stop() {
    post([this] { stopping_ = true; });
  }

  // The time at which the current round of events began, or later: cheap, and at most some milliseconds old.
  Instant now() const { return now_; }
  // Asks the clock.
  Instant fresh_now() { return now_ = Clock::now(); }
  Deadline after(Duration duration) const { return Deadline::at(now_ + duration); }

  std::span<char> receive_buffer() { return {receive_buffer_.get(), receive_buffer_bytes}; }
  // For what is gathered to go out in one call; its bytes are dead after the next suspension too. Made when it is first
  // asked for.
  std::span<char> send_buffer() {
    if (send_buffer_ == nullptr) send_buffer_ = std::make_unique_for_overwrite<char[]>(send_buffer_bytes);
    return {send_buffer_.get(), send_buffer_bytes};
  }
  // For moving bytes from one plain stream to another (see pipe.h).
  PipePool& pipes() { return *pipes_; }
  TimerWheel& timers() { return timers_; }

  // Runs `work` once at the end of the current round of events, before the next wait for the kernel.
  void at_round_end(std::move_only_function<void()> work) { round_end_.push_back(std::move(work)); }

 private:
  friend class Descriptor;
  friend class Suspension;
  friend class Watcher;
  explicit Loop(int epoll, int wakeup);
  void wake_soon(Suspension& suspension);
  void take_event(detail::Watch& watch, std::uint32_t what);
  void run_soon();
  void run_posted();

  static constexpr int events_max = 256;  // more in one round would delay the first ones' answers

  int epoll_ = -1;
  int wakeup_ = -1;
  Instant now_;
  TimerWheel timers_;
  std::unique_ptr<char[]> receive_buffer_;
  std::unique_ptr<char[]> send_buffer_;
  std::unique_ptr<PipePool> pipes_;
  Suspension* soon_first_ = nullptr;
  Suspension* soon_last_ = nullptr;
  detail::Watch* retired_ = nullptr;  // watches freed at the end of the round: events of the round may still name them
  std::vector<std::move_only_function<void()>> round_end_;
  bool stopping_ = false;

  std::mutex posted_mutex_;
  std::vector<std::move_only_function<void()>> posted_;
  std::atomic<bool> wakeup_pending_ = false;
};

// Waits until the deadline; false when the strand was cancelled before.
class [[nodiscard]] Sleep : private Suspension {
 public:
  explicit Sleep(Deadline deadline) : deadline_(deadline) {}
  bool await_ready() const noexcept { return false; }
  template <typename P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return suspend(handle, *handle.promise().strand(), deadline_);
  }
  bool await_resume() const noexcept { return why() != Wake::Cancelled; }

 private:
  void detach() override {}
  Deadline deadline_;
};

}  // namespace ballast::io
