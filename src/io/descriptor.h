// Descriptor: an open file descriptor and the readiness of it, as the Loop sees it.
//
// Owner: whoever holds it; closing or destroying it ends its waits with Code::Cancelled (there should be none). It is
// registered with the kernel on the first wait only, once, edge-triggered for both directions: a connection that never
// has to wait costs no registration. Callers read or write until the kernel says "would block", or a read comes back
// short, and then say so (not_readable, not_writable); the waits return at once while readiness is not disproved. One
// thread: the Loop's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "io/deadline.h"
#include "io/suspension.h"

namespace ballast::io {

class Descriptor;
class Loop;
class Readiness;
class Ready;
class Strand;

// Told of events on a descriptor that nobody waits for: the peer of an idle connection ended or cut it, or sent what
// was not asked for. It may close the descriptor.
class IdleListener {
 public:
  enum class News : std::uint8_t { Bytes, Ended, Cut };
  virtual void on_idle_event(News news) = 0;

 protected:
  ~IdleListener() = default;
};

namespace detail {

// What the kernel's event points at. Freed only at the end of a round of events.
struct Watch {
  Ready* reader = nullptr;
  Ready* writer = nullptr;
  IdleListener* idle_listener = nullptr;
  Watch* next_retired = nullptr;
  std::unique_ptr<std::move_only_function<void()>> callback;  // of a Watcher; then there are no waits
  bool registered = false;
  bool readable = true;  // not yet disproved
  bool writable = true;
  bool hung_up = false;     // EPOLLHUP or EPOLLERR was seen: the connection is dead both ways
  bool peer_ended = false;  // EPOLLRDHUP: the peer will send no more
  bool retired = false;
  static void* operator new(std::size_t size);
  static void operator delete(void* memory, std::size_t size) noexcept;
};

}  // namespace detail

enum class Direction : std::uint8_t { Read, Write };

// Waits for readiness; gives Wake::Event, Wake::Deadline or Wake::Cancelled. One waiter a direction.
class [[nodiscard]] Ready : private Suspension {
 public:
  Ready(Descriptor& descriptor, Direction direction, Deadline deadline);
  Ready(Readiness& readiness, Direction direction, Deadline deadline);
  bool await_ready() const noexcept { return direction_ == Direction::Read ? watch_.readable : watch_.writable; }
  template <typename P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    return begin(handle, *handle.promise().strand());
  }
  Wake await_resume() const noexcept { return why(); }

 private:
  friend class Loop;
  friend class Descriptor;
  friend class Readiness;
  bool begin(std::coroutine_handle<> handle, Strand& strand);
  void detach() override;
  Ready*& place() { return direction_ == Direction::Read ? watch_.reader : watch_.writer; }

  Descriptor* descriptor_ = nullptr;  // to be registered with the kernel first; none where no kernel stands behind it
  detail::Watch& watch_;
  Deadline deadline_;
  Direction direction_;
};

class Descriptor {
 public:
  Descriptor() = default;
  // Takes the descriptor over; it must be non-blocking.
  Descriptor(Loop& loop, int fd);
  Descriptor(Descriptor&& other) noexcept
      : loop_(other.loop_), watch_(std::exchange(other.watch_, nullptr)), fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { close(); }

  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  Loop& loop() const { return *loop_; }
  void close();
  // Gives the open descriptor up, watched no more; the caller's from here on.
  int release();

  // By reference to this Descriptor, which must not move during the wait.
  Ready readable(Deadline deadline) { return Ready(*this, Direction::Read, deadline); }
  Ready writable(Deadline deadline) { return Ready(*this, Direction::Write, deadline); }
  void not_readable() { watch_->readable = false; }
  void not_writable() { watch_->writable = false; }
  // Bytes have been read from the kernel that nobody has been given yet: a wait to read returns at once.
  void still_readable() { watch_->readable = true; }
  bool may_read() const { return watch_->readable; }
  // What events have told so far; exact only once registered.
  bool hung_up() const { return watch_->hung_up; }
  bool peer_ended() const { return watch_->peer_ended; }
  bool is_registered() const { return watch_->registered; }

  // While set, told of what happens while nobody waits to read. nullptr takes it back.
  void on_idle_event(IdleListener* listener) { watch_->idle_listener = listener; }
  // Registers now rather than at the first wait. False where the kernel refuses (no memory, no watches left).
  bool watch_now();

 private:
  friend class Ready;
  Loop* loop_ = nullptr;
  detail::Watch* watch_ = nullptr;
  int fd_ = -1;
};

// The same waits where no descriptor of its own stands behind a stream: whoever moves its bytes says when it is ready
// (one of many streams in an HTTP/2 connection). Not ready at first. One thread; its destruction ends the waits with
// Wake::Cancelled. Those who wait are resumed from the loop, never inside set_*().
class Readiness {
 public:
  Readiness() { watch_.readable = watch_.writable = false; }
  ~Readiness();
  Readiness(const Readiness&) = delete;

  Ready readable(Deadline deadline) { return Ready(*this, Direction::Read, deadline); }
  Ready writable(Deadline deadline) { return Ready(*this, Direction::Write, deadline); }
  void set_readable();
  void set_writable();
  void not_readable() { watch_.readable = false; }
  void not_writable() { watch_.writable = false; }
  bool may_read() const { return watch_.readable; }
  bool may_write() const { return watch_.writable; }

 private:
  friend class Ready;
  detail::Watch watch_;
};

}  // namespace ballast::io
