// Signals as events of a loop, by signalfd. Made before any thread starts, since it blocks the signals for all of them.
// And the one signal that a program with connections must not die of.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "base/result.h"

namespace ballast::io {

class Loop;
class Watcher;

// SIGPIPE, by which a process is ended that writes where nobody reads, is ignored from now on: the write says so too.
// Programs started later are not affected (process.h). At the start of main.
void ignore_broken_pipes();
bool ignores_broken_pipes();

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
