#include "io/descriptor.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "base/check.h"
#include "io/frame_pool.h"
#include "io/loop.h"
#include "io/scope.h"

namespace ballast::io {

void* detail::Watch::operator new(std::size_t size) {
  return take_frame(size);
}
void detail::Watch::operator delete(void* memory, std::size_t size) noexcept {
  give_frame(memory, size);
}

Descriptor::Descriptor(Loop& loop, int fd) : loop_(&loop), watch_(new detail::Watch), fd_(fd) {
  CHECK(fd >= 0);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    loop_ = other.loop_;
    watch_ = std::exchange(other.watch_, nullptr);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Descriptor::close() {
  if (fd_ >= 0) ::close(release());
}

int Descriptor::release() {
  const int fd = std::exchange(fd_, -1);
  if (fd < 0) return fd;
  detail::Watch* watch = std::exchange(watch_, nullptr);
  // Not left to close(): while a child that is being started holds a copy, the kernel would go on reporting on a Watch
  // that is gone.
  if (watch->registered) epoll_ctl(loop_->epoll_, EPOLL_CTL_DEL, fd, nullptr);
  if (watch->reader != nullptr) watch->reader->wake_soon(Wake::Cancelled);
  if (watch->writer != nullptr) watch->writer->wake_soon(Wake::Cancelled);
  watch->retired = true;
  if (!watch->registered) {
    delete watch;
    return fd;
  }
  watch->next_retired = loop_->retired_;
  loop_->retired_ = watch;
  return fd;
}

bool Descriptor::watch_now() {
  if (watch_->registered) return true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = watch_;
  if (epoll_ctl(loop_->epoll_, EPOLL_CTL_ADD, fd_, &event) != 0) return false;
  watch_->registered = true;
  return true;
}

Ready::Ready(Descriptor& descriptor, Direction direction, Deadline deadline)
    : descriptor_(&descriptor), watch_(*descriptor.watch_), deadline_(deadline), direction_(direction) {}

Ready::Ready(Readiness& readiness, Direction direction, Deadline deadline)
    : watch_(readiness.watch_), deadline_(deadline), direction_(direction) {}

bool Ready::begin(std::coroutine_handle<> handle, Strand& strand) {
  CHECK(place() == nullptr);
  // A kernel without room for one more watch is treated as cancellation: the connection ends, the others go on.
  if (descriptor_ != nullptr && !descriptor_->watch_now()) {
    refuse();
    return false;
  }
  if (!suspend(handle, strand, deadline_)) return false;
  place() = this;
  return true;
}

void Ready::detach() {
  place() = nullptr;
}

Readiness::~Readiness() {
  if (watch_.reader != nullptr) watch_.reader->wake_soon(Wake::Cancelled);
  if (watch_.writer != nullptr) watch_.writer->wake_soon(Wake::Cancelled);
}

void Readiness::set_readable() {
  watch_.readable = true;
  if (watch_.reader != nullptr) watch_.reader->wake_soon(Wake::Event);
}

void Readiness::set_writable() {
  watch_.writable = true;
  if (watch_.writer != nullptr) watch_.writer->wake_soon(Wake::Event);
}

}  // namespace ballast::io
