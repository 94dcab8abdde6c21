#include "io/watcher.h"

#include <memory>
#include <utility>

#include <sys/epoll.h>

#include "base/check.h"
#include "io/loop.h"

namespace ballast::io {

Watcher::Watcher(Loop& loop, int fd, Interest interest, std::move_only_function<void()> ready)
    : loop_(loop), fd_(fd), watch_(new detail::Watch) {
  watch_->callback = std::make_unique<std::move_only_function<void()>>(std::move(ready));
  watch_->registered = true;
  epoll_event event{};
  if (interest.read) event.events |= EPOLLIN;
  if (interest.write) event.events |= EPOLLOUT;
  if (interest.exclusive) event.events |= EPOLLEXCLUSIVE;
  event.data.ptr = watch_;
  CHECK(epoll_ctl(loop_.epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
}

Watcher::~Watcher() {
  epoll_ctl(loop_.epoll_, EPOLL_CTL_DEL, fd_, nullptr);
  watch_->retired = true;
  watch_->next_retired = loop_.retired_;
  loop_.retired_ = watch_;
}

}  // namespace ballast::io
