// Acceptor: takes connections from a listening socket on one loop.
//
// Several loops may each have an Acceptor on the same socket: the kernel wakes one of them. Out of descriptors it rests
// for 100 ms and says so through `exhausted`, once a rest; the connections wait in the kernel's queue meanwhile.
#pragma once

#include <functional>
#include <memory>

#include "io/address.h"
#include "io/timer_wheel.h"
#include "io/watcher.h"

namespace ballast::io {

class Loop;

class Acceptor final : private Timer {
 public:
  // The descriptor is non-blocking and the callee's to own.
  using Accepted = std::function<void(int fd, const Peer& peer)>;
  using Exhausted = std::function<void(const Error& error)>;
  // At most this many in a row before other events, and other loops, have their turn.
  static constexpr int batch_max = 4;

  Acceptor(Loop& loop, int listening_fd, Accepted accepted, Exhausted exhausted);
  ~Acceptor() override = default;

  // Takes what stands in the socket's queue, before nobody watches it any more.
  void take_waiting();

 private:
  // False: nothing is waiting, or nothing can be taken now.
  bool take_one();
  void ready();
  void watch();
  void expired() override { watch(); }

  Loop& loop_;
  int fd_;
  Accepted accepted_;
  Exhausted exhausted_;
  std::unique_ptr<Watcher> watcher_;
};

}  // namespace ballast::io
