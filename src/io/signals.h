// Signals as events of a loop, by signalfd. Made before any thread starts, since it blocks the signals for all of them.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "base/result.h"

namespace ballast::io {

class Loop;
class Watcher;

class Signals {
 public:
  // `arrived` is called on the loop's thread with the signal's number.
  static Result<std::unique_ptr<Signals>> make(Loop& loop, std::initializer_list<int> numbers,
                                               std::function<void(int)> arrived);
  ~Signals();
  Signals(const Signals&) = delete;

 private:
  Signals(Loop& loop, int fd, std::function<void(int)> arrived);
  void ready();

  int fd_;
  std::function<void(int)> arrived_;
  std::unique_ptr<Watcher> watcher_;
};

}  // namespace ballast::io
