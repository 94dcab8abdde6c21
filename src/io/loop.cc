#include "io/loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "io/pipe.h"
#include "io/scope.h"

namespace ballast::io {

Result<std::unique_ptr<Loop>> Loop::make() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return fail(Error::from_errno(errno, "epoll_create1"));
  const int wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wakeup < 0) {
    const int error = errno;
    ::close(epoll);
    return fail(Error::from_errno(error, "eventfd"));
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event) == 0);
  return std::unique_ptr<Loop>(new Loop(epoll, wakeup));
}

Loop::Loop(int epoll, int wakeup)
    : epoll_(epoll),
      wakeup_(wakeup),
      now_(Clock::now()),
      timers_(now_),
      receive_buffer_(std::make_unique_for_overwrite<char[]>(receive_buffer_bytes)),
      pipes_(std::make_unique<PipePool>(*this)) {}

Loop::~Loop() {
  while (retired_ != nullptr) delete std::exchange(retired_, retired_->next_retired);
  ::close(wakeup_);
  ::close(epoll_);
}

void Loop::post(std::move_only_function<void()> work) {
  {
    const std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(work));
  }
  if (wakeup_pending_.exchange(true)) return;
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the loop is awake anyway.
  [[maybe_unused]] const ssize_t written = ::write(wakeup_, &one, sizeof one);
}

void Loop::wake_soon(Suspension& suspension) {
  suspension.next_soon_ = nullptr;
  (soon_last_ != nullptr ? soon_last_->next_soon_ : soon_first_) = &suspension;
  soon_last_ = &suspension;
}

void Loop::run_soon() {
  while (soon_first_ != nullptr) {
    Suspension* suspension = soon_first_;
    soon_first_ = suspension->next_soon_;
    if (soon_first_ == nullptr) soon_last_ = nullptr;
    suspension->soon_ = false;
    std::exchange(suspension->handle_, nullptr).resume();
  }
}

void Loop::run_posted() {
  if (!wakeup_pending_.load(std::memory_order_acquire)) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wakeup_, &count, sizeof count);
  wakeup_pending_.store(false);
  std::vector<std::move_only_function<void()>> work;
  {
    const std::lock_guard lock(posted_mutex_);
    work.swap(posted_);
  }
  for (auto& each : work) each();
}

void Loop::take_event(detail::Watch& watch, std::uint32_t what) {
  const bool dead = (what & (EPOLLHUP | EPOLLERR)) != 0;
  const bool readable = (what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (dead) watch.hung_up = true;
  if ((what & EPOLLRDHUP) != 0) watch.peer_ended = true;
  if (readable) watch.readable = true;
  if ((what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) watch.writable = true;
  if (watch.reader != nullptr && watch.readable) {
    watch.reader->wake_now(Wake::Event);
  } else if (watch.idle_listener != nullptr && readable) {
    using News = IdleListener::News;
    watch.idle_listener->on_idle_event(dead ? News::Cut : (watch.peer_ended ? News::Ended : News::Bytes));
  }
  if (!watch.retired && watch.writer != nullptr && watch.writable) watch.writer->wake_now(Wake::Event);
}

void Loop::run() {
  std::array<epoll_event, events_max> events;
  stopping_ = false;
  now_ = Clock::now();
  while (true) {
    run_posted();
    run_soon();
    while (!round_end_.empty()) {
      auto work = std::exchange(round_end_, {});
      for (auto& each : work) each();
      run_soon();
    }
    while (retired_ != nullptr) delete std::exchange(retired_, retired_->next_retired);
    if (stopping_) return;

    int timeout_ms = -1;
    if (const Instant next = timers_.next(); next != Instant::max()) {
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - now_).count();
      timeout_ms = wait <= 0 ? 0 : static_cast<int>(std::min<std::int64_t>(wait, 60'000));
    }
    const int count = epoll_wait(epoll_, events.data(), events_max, timeout_ms);
    now_ = Clock::now();
    CHECK(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; ++i) {
      auto* watch = static_cast<detail::Watch*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (watch == nullptr || watch->retired) continue;
      if (watch->callback != nullptr) {
        (*watch->callback)();
        continue;
      }
      take_event(*watch, events[static_cast<std::size_t>(i)].events);
    }
    run_soon();
    timers_.advance(now_);
  }
}

}  // namespace ballast::io
