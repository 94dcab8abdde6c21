// OwnedFd: an open file descriptor that nobody waits on, closed with its owner. A value that moves; any one thread.
#pragma once

#include <utility>

namespace ballast::io {

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = other.release();
    }
    return *this;
  }
  ~OwnedFd() { close(); }

  bool is_open() const { return fd_ >= 0; }
  int get() const { return fd_; }
  // The caller's from here on.
  int release() { return std::exchange(fd_, -1); }
  void close();

 private:
  int fd_ = -1;
};

}  // namespace ballast::io
