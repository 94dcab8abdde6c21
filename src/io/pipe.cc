#include "io/pipe.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/check.h"
#include "io/loop.h"
#include "io/signals.h"

namespace ballast::io {
namespace {

constexpr unsigned splice_flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

}  // namespace

Pipe& Pipe::operator=(Pipe&& other) noexcept {
  if (this != &other) {
    give_back();
    pool_ = std::exchange(other.pool_, nullptr);
    ends_ = other.ends_;
    held_ = std::exchange(other.held_, 0);
  }
  return *this;
}

void Pipe::give_back() {
  if (pool_ == nullptr) return;
  std::exchange(pool_, nullptr)->give(ends_, std::exchange(held_, 0));
}

Transfer Pipe::fill(Stream& from, std::size_t bytes_max) {
  CHECK(is_open() && held_ == 0 && bytes_max > 0);
  CHECK(from.is_plain());
  Descriptor& descriptor = from.descriptor();
  while (true) {
    const ssize_t got =
        ::splice(descriptor.fd(), nullptr, ends_.in, nullptr, std::min(bytes_max, PipePool::pipe_bytes), splice_flags);
    if (got > 0) {
      // Fewer than asked for tells nothing: the pipe counts pieces, not bytes, and may be full of small ones.
      held_ = static_cast<std::size_t>(got);
      return {TransferState::Done, Code::Closed, held_};
    }
    if (got == 0) return {TransferState::End, Code::Closed, 0};
    if (errno == EAGAIN) {
      descriptor.not_readable();
      return {TransferState::WouldBlock, Code::Closed, 0};
    }
    if (errno != EINTR) return {TransferState::Failed, Error::code_of_errno(errno), 0};
  }
}

Transfer Pipe::drain(Stream& to) {
  CHECK(is_open() && held_ != 0);
  CHECK(to.takes_moved(0));
  Descriptor& descriptor = to.descriptor();
  while (true) {
    const ssize_t put = ::splice(ends_.out, nullptr, descriptor.fd(), nullptr, held_, splice_flags);
    if (put > 0) {
      held_ -= static_cast<std::size_t>(put);
      return {TransferState::Done, Code::Closed, static_cast<std::size_t>(put)};
    }
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) {
      descriptor.not_writable();
      return {TransferState::WouldBlock, Code::Closed, 0};
    }
    // Nothing, from a pipe that holds something and whose other end is ours, is not to be waited for either.
    return {TransferState::Failed, put < 0 ? Error::code_of_errno(errno) : Code::System, 0};
  }
}

PipePool::~PipePool() {
  CHECK(lent_ == 0);
  for (const Pipe::Ends& ends : idle_) {
    ::close(ends.out);
    ::close(ends.in);
  }
}

Pipe PipePool::take() {
  if (!idle_.empty()) {
    const Pipe::Ends ends = idle_.back();  // the last one given: its memory is in the cache
    idle_.pop_back();
    ++lent_;
    return Pipe(*this, ends);
  }
  if (lent_ >= lent_max || loop_.now() < ask_again_) return {};
  Pipe pipe = make();
  if (!pipe.is_open()) ask_again_ = loop_.now() + std::chrono::seconds(1);
  return pipe;
}

Pipe PipePool::make() {
  if (!ignores_broken_pipes()) return {};
  int fds[2];
  if (::pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) return {};
  // Refused beyond the user's share (pipe-user-pages-soft); a small pipe is slower than copying.
  if (::fcntl(fds[1], F_SETPIPE_SZ, static_cast<int>(pipe_bytes)) < static_cast<int>(pipe_bytes)) {
    ::close(fds[0]);
    ::close(fds[1]);
    return {};
  }
  ++lent_;
  return Pipe(*this, {.out = fds[0], .in = fds[1]});
}

void PipePool::give(Pipe::Ends ends, std::size_t held) {
  --lent_;
  if (held == 0 && idle_.size() < idle_max) {
    idle_.push_back(ends);
    return;
  }
  ::close(ends.out);
  ::close(ends.in);
}

}  // namespace ballast::io
