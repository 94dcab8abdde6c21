// For tests: runs tasks on a loop to their end, with a watchdog that fails the test instead of hanging it.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "io/loop.h"
#include "io/scope.h"
#include "io/task.h"

// ASSERT_TRUE for a coroutine, which cannot `return`.
#define CO_ASSERT(expression)              \
  do {                                     \
    if (!(expression)) {                   \
      ADD_FAILURE() << "not " #expression; \
      co_return;                           \
    }                                      \
  } while (false)

namespace ballast::io {

inline std::unique_ptr<Loop> make_loop() {
  Result<std::unique_ptr<Loop>> loop = Loop::make();
  if (!loop) {
    ADD_FAILURE() << loop.error().text();
    std::abort();
  }
  return std::move(*loop);
}

namespace detail {

inline Task<void> run_then_stop(Loop& loop, Scope& others, Task<void> task) {
  co_await std::move(task);
  others.cancel();
  co_await others.closed(Deadline::never());
  loop.stop();
}

inline Task<void> watchdog(Loop& loop, Scope& watched) {
  if (co_await Sleep(loop.after(std::chrono::seconds(30)))) {
    ADD_FAILURE() << "the task did not end within 30 s and was cancelled";
    watched.cancel();
  }
}

}  // namespace detail

// Runs `task` to its end; what it spawned in scopes of its own must have ended by then.
inline void run_in(Loop& loop, Task<void> task) {
  loop.fresh_now();
  Scope watchdogs(loop);
  Scope scope(loop);
  watchdogs.spawn(detail::watchdog(loop, scope));
  scope.spawn(detail::run_then_stop(loop, watchdogs, std::move(task)));
  loop.run();
}

}  // namespace ballast::io
