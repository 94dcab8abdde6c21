// Watcher: calls back while a descriptor is ready (level-triggered); for descriptors that are not streams: listening
// sockets, signalfd, pidfd, and the sockets of libraries.
//
// The descriptor stays the caller's, who destroys the Watcher before closing it. It may be destroyed from within its
// callback. One thread: the Loop's.
#pragma once

#include <functional>

namespace ballast::io {

class Loop;
namespace detail {
struct Watch;
}

struct Interest {
  bool read = false;
  bool write = false;
  bool exclusive = false;  // of several loops that watch the same descriptor, wake one
};

class Watcher {
 public:
  Watcher(Loop& loop, int fd, Interest interest, std::move_only_function<void()> ready);
  ~Watcher();
  Watcher(const Watcher&) = delete;

 private:
  Loop& loop_;
  int fd_;
  detail::Watch* watch_;
};

}  // namespace ballast::io
