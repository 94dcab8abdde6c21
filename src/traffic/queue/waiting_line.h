// WaitingLine: requests of one worker that wait for a place at a target, the one that is served next in front: by
// priority, then in the order of their coming.
//
// A group has a line for each worker, for those that any of its targets will do; a target has one for each, for those
// that belong to it alone. A line is its worker's; first_key() alone may be read by any thread, so that a place that
// has become free goes to who has waited longest, wherever that is.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "config/queue.h"
#include "io/deadline.h"
#include "io/scope.h"

namespace ballast::traffic {

struct TargetShare;
class WaitingLine;

// One request that waits; in its own frame. Goes out of its line by itself.
class Waiter {
 public:
  // `strand` is interrupted when it is called.
  Waiter(io::Strand& strand, config::Priority priority, io::Instant since);
  ~Waiter() { leave(); }
  Waiter(const Waiter&) = delete;

  // Goes into the line, out of the one it stood in. It keeps the place that it had by its coming.
  void stand_in(WaitingLine& line);
  void leave();

  // A place at the target is its own now; the caller has taken it for it. It has left the line.
  void give(std::shared_ptr<TargetShare> target);
  // Something has changed: it looks again, and keeps its place in the line.
  void call();

  bool is_called() const { return called_ || given_ != nullptr; }
  void look() { called_ = false; }
  std::shared_ptr<TargetShare> take() { return std::move(given_); }
  std::uint64_t key() const { return key_; }

 private:
  friend class WaitingLine;
  io::Strand& strand_;
  const config::Priority priority_;
  const std::uint64_t key_;  // of priority and time: the least is served first
  WaitingLine* line_ = nullptr;
  Waiter* previous_ = nullptr;
  Waiter* next_ = nullptr;
  bool called_ = false;
  std::shared_ptr<TargetShare> given_;
};

class alignas(64) WaitingLine {
 public:
  static constexpr std::uint64_t nobody = UINT64_MAX;

  WaitingLine() = default;
  WaitingLine(const WaitingLine&) = delete;

  // Any thread.
  std::uint64_t first_key() const { return first_key_.load(); }

  Waiter* first() const;
  void call_all();

 private:
  friend class Waiter;
  struct Row {
    Waiter* first = nullptr;
    Waiter* last = nullptr;
  };
  void add(Waiter& waiter);
  void remove(Waiter& waiter);
  Row& row_of(const Waiter& waiter) { return rows_[static_cast<std::size_t>(waiter.priority_)]; }
  void publish();

  std::array<Row, config::priority_count> rows_;
  std::atomic<std::uint64_t> first_key_ = nobody;
};

}  // namespace ballast::traffic
