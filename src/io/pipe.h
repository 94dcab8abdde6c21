// Pipe: carries bytes from one plain stream to another inside the kernel, by splice(2), without this process touching
// them. PipePool: the pipes of one Loop (Loop::pipes()), made when first needed and used again.
//
// A Pipe is a lease: destroying it, or assigning an empty one, gives it back; one that still holds bytes is closed and
// its bytes are lost, so look at held() first. It must not outlive its Loop. One thread: the Loop's.
//
// The process must ignore SIGPIPE (ignore_broken_pipes() in signals.h): splicing to a connection that has been cut
// raises it, and unlike send() the call has no flag against it. Where it is not ignored the pool lends nothing. That,
// and every other reason for having no pipe, is no error: the bytes are copied then.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "io/deadline.h"
#include "io/stream.h"

namespace ballast::io {

class Loop;
class PipePool;

class Pipe {
 public:
  Pipe() = default;
  Pipe(Pipe&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), ends_(other.ends_), held_(std::exchange(other.held_, 0)) {}
  Pipe& operator=(Pipe&& other) noexcept;
  ~Pipe() { give_back(); }

  // False: none was to be had.
  bool is_open() const { return pool_ != nullptr; }
  // How many bytes have been taken in and not yet let out.
  std::size_t held() const { return held_; }

  // Takes in what has come, at most `bytes_max`, as far as the pipe has room. Only for one that holds nothing: with
  // bytes inside the kernel could not tell that the pipe is full from that the stream is empty.
  Transfer fill(Stream& from, std::size_t bytes_max);
  // Lets out as much as the stream takes. Only for one that holds something.
  Transfer drain(Stream& to);
  // The lease ends.
  void give_back();

 private:
  friend class PipePool;
  struct Ends {
    int out = -1;
    int in = -1;
  };
  Pipe(PipePool& pool, Ends ends) : pool_(&pool), ends_(ends) {}

  PipePool* pool_ = nullptr;
  Ends ends_;
  std::size_t held_ = 0;
};

class PipePool {
 public:
  // What one pipe holds. Below 256 KiB the number of calls shows; above, nothing was gained.
  static constexpr std::size_t pipe_bytes = 256 * kib;
  // Kept for use again: more transfers than this are not in the middle of a burst at once.
  static constexpr std::size_t idle_max = 64;
  // Lent at a time: 64 MiB of the kernel's memory behind sinks that do not take it.
  static constexpr std::size_t lent_max = 256;

  explicit PipePool(Loop& loop) : loop_(loop) {}
  ~PipePool();
  PipePool(const PipePool&) = delete;

  // Not open where there is none to be had at the moment; then copy. A system that refuses is asked again after a
  // second.
  Pipe take();
  std::size_t idle() const { return idle_.size(); }
  std::size_t lent() const { return lent_; }

 private:
  friend class Pipe;
  Pipe make();
  void give(Pipe::Ends ends, std::size_t held);

  Loop& loop_;
  std::vector<Pipe::Ends> idle_;
  std::size_t lent_ = 0;
  Instant ask_again_ = Instant::min();
};

}  // namespace ballast::io
