// Thread: a thread with a name, joined when it is destroyed. Whoever owns it tells its function to end before that.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <utility>

#include <pthread.h>

namespace ballast::io {

class Thread {
 public:
  Thread() = default;
  // The kernel keeps 15 bytes of the name; it is what top -H and a debugger show.
  Thread(std::string name, std::move_only_function<void()> function)
      : thread_([name = name.substr(0, 15), function = std::move(function)]() mutable {
          pthread_setname_np(pthread_self(), name.c_str());
          function();
        }) {}
  Thread(Thread&&) noexcept = default;
  Thread& operator=(Thread&& other) noexcept {
    join();
    thread_ = std::move(other.thread_);
    return *this;
  }
  ~Thread() { join(); }

  bool is_running() const { return thread_.joinable(); }
  // Returns when its function has.
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::thread thread_;
};

}  // namespace ballast::io
