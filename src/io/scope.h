// Scope: owns running tasks. cancel() calls them off; closed() waits until the last is gone. Destroying one that is not
// empty is a broken invariant.
//
// A Strand is one running task of a Scope with all that it awaits: the unit of cancellation. When it is cancelled the
// wait it stands in ends with Code::Cancelled, and so does every later wait, until it returns. Cleanup is destructors.
// One thread: the Loop's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "io/deadline.h"
#include "io/task.h"

namespace ballast::io {

class Loop;
class Scope;
class Suspension;

class Strand {
 public:
  Strand(Scope& scope, Loop& loop) : scope_(scope), loop_(loop) {}
  Strand(const Strand&) = delete;

  static void* operator new(std::size_t size) { return take_frame(size); }
  static void operator delete(void* strand, std::size_t size) noexcept { give_frame(strand, size); }

  Loop& loop() const { return loop_; }
  bool cancelled() const { return cancelled_; }
  // Ends the wait it stands in, and every later one, with Code::Cancelled.
  void cancel();
  // Ends the wait it stands in, if any, with Code::Cancelled; later ones wait again. Used to tell a task of an event
  // elsewhere.
  void interrupt();

 private:
  friend class Scope;
  friend class Suspension;
  friend class detail::Promise;
  void begin(Task<void> task);
  void finished();

  Scope& scope_;
  Loop& loop_;
  Strand* previous_ = nullptr;
  Strand* next_ = nullptr;
  Suspension* suspension_ = nullptr;  // where it stands now
  std::coroutine_handle<> top_;
  bool cancelled_ = false;
};

class Scope {
 public:
  explicit Scope(Loop& loop) : loop_(loop) {}
  Scope(const Scope&) = delete;
  ~Scope();

  // Runs the task until its first suspension, then owns it. After cancel() a new task starts cancelled.
  void spawn(Task<void> task);
  // Calls off every task; those spawned later too.
  void cancel();
  // Returns true when the last task is gone, false at the deadline or when the caller itself was cancelled.
  Task<bool> closed(Deadline deadline);

  // cancel(), then waits for the last task, whatever befalls the caller: for a scope that lives in its caller's frame.
  Task<void> close();

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Loop& loop() const { return loop_; }

 private:
  friend class Strand;
  void add(Strand& strand);
  void remove(Strand& strand);

  Loop& loop_;
  Strand* first_ = nullptr;
  std::size_t size_ = 0;
  bool cancelled_ = false;
  Suspension* closer_ = nullptr;
};

// The strand that the awaiting coroutine runs on: `Strand& strand = co_await this_strand();`
struct ThisStrand {
  bool await_ready() const noexcept { return false; }
  template <typename P>
  bool await_suspend(std::coroutine_handle<P> handle) noexcept {
    strand = handle.promise().strand();
    return false;
  }
  Strand& await_resume() const noexcept { return *strand; }
  Strand* strand = nullptr;
};
inline ThisStrand this_strand() {
  return {};
}

}  // namespace ballast::io
