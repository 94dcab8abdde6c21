// RestMemory: what nghttp2 allocates for one connection, given back to the kernel while the connection rests.
//
// Most of what an idle connection costs is two blocks that nghttp2 keeps to its end: the buffer for the frame being
// sent (16 KiB, of which an answer has touched some pages) and the table of its streams (4 KiB). They are taken as
// whole pages. When no stream has been open for `after`, the buffer's content is forgotten, which nobody reads any
// more, and the table's where it is all zeros, which reads the same afterwards. Both are found by how they are asked
// for while the session is made; a version of nghttp2 that asks otherwise costs the memory and nothing else.
//
// Owned by a Session, before its nghttp2_session. The loop's thread.
#pragma once

#include <cstddef>

#include "io/deadline.h"
#include "io/timer_wheel.h"

namespace ballast::io {
class Loop;
}

namespace ballast::http2 {

class RestMemory final : private io::Timer {
 public:
  class Owner {
   public:
    // No stream is open, and nothing waits to be sent.
    virtual bool is_at_rest() const = 0;

   protected:
    ~Owner() = default;
  };

  RestMemory(io::Loop& loop, const Owner& owner, io::Duration after) : loop_(loop), owner_(owner), after_(after) {}

  // The session is made: what is asked for from here on is left alone.
  void made() { watching_ = false; }
  // Something has been received or sent, and no stream is open any more.
  void touched();
  // Whether what can be given back has been since then.
  bool is_released() const { return released_; }

  // nghttp2's hooks, with this as their user data.
  static void* allocate(std::size_t size, void* self);
  static void release(void* at, void* self);
  static void* allocate_zeros(std::size_t count, std::size_t size, void* self);
  static void* reallocate(void* at, std::size_t size, void* self);

 private:
  struct Block {
    void* at = nullptr;
    std::size_t size = 0;
  };
  // Smaller ones share their pages with others.
  static constexpr std::size_t worth_bytes = 4096;

  void expired() override;
  void give_back();
  void forget(const void* at);

  io::Loop& loop_;
  const Owner& owner_;
  const io::Duration after_;
  io::Instant since_{};
  Block frames_;
  Block streams_;
  bool watching_ = true;
  bool released_ = false;
};

}  // namespace ballast::http2
