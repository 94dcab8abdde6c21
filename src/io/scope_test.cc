#include "io/scope.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "io/run_in_loop.h"
#include "io/suspension.h"

namespace ballast::io {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

using Log = std::vector<std::string>;

const char* words(Wake wake) {
  switch (wake) {
    case Wake::Event:
      return "event";
    case Wake::Deadline:
      return "deadline";
    case Wake::Cancelled:
      return "cancelled";
  }
  return "?";
}

// A wait whose event is fired by hand.
class Pause : private Suspension {
 public:
  explicit Pause(Pause*& slot, Deadline deadline = Deadline::never()) : slot_(slot), deadline_(deadline) {}
  bool await_ready() const noexcept { return false; }
  template <typename P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    if (!suspend(handle, *handle.promise().strand(), deadline_)) return false;
    slot_ = this;
    return true;
  }
  Wake await_resume() const noexcept { return why(); }
  void fire() { wake_soon(Wake::Event); }

 private:
  void detach() override { slot_ = nullptr; }
  Pause*& slot_;
  Deadline deadline_;
};

struct World {
  Loop& loop;
  Log log{};
  Pause* pause = nullptr;
  Strand* strand = nullptr;
};

Task<void> waits_twice(World& world) {
  world.strand = &co_await this_strand();
  const Wake first = co_await Pause(world.pause);
  world.log.emplace_back(words(first));
  const Wake second = co_await Pause(world.pause, world.loop.after(1ms));
  world.log.emplace_back(words(second));
  world.strand = nullptr;
}

Task<void> cancel_while_soon(World& world) {
  Scope scope(world.loop);
  scope.spawn(waits_twice(world));
  CO_ASSERT(world.pause != nullptr);
  world.pause->fire();
  EXPECT_EQ(world.pause, nullptr);  // its event has happened; it only runs later
  world.strand->cancel();
  EXPECT_TRUE(world.log.empty()) << "a coroutine was resumed from within another";
  EXPECT_TRUE(co_await scope.closed(world.loop.after(5s)));
  EXPECT_THAT(world.log, ElementsAre("event", "cancelled"));
}
TEST(Scope, CancellingAWaitThatIsQueuedToRunWakesItOnceAndEndsTheNext) {
  auto loop = make_loop();
  World world{.loop = *loop};
  run_in(*loop, cancel_while_soon(world));
}

Task<void> interrupt_once(World& world) {
  Scope scope(world.loop);
  scope.spawn(waits_twice(world));
  world.strand->interrupt();
  world.strand->interrupt();  // in no wait now: nothing to end
  EXPECT_TRUE(world.log.empty());
  EXPECT_TRUE(co_await scope.closed(world.loop.after(5s)));
  EXPECT_THAT(world.log, ElementsAre("cancelled", "deadline"));
}
TEST(Scope, InterruptEndsOneWaitAndLaterOnesWaitAgain) {
  auto loop = make_loop();
  World world{.loop = *loop};
  run_in(*loop, interrupt_once(world));
}

Task<void> cancel_all(World& world) {
  Scope scope(world.loop);
  World others[3] = {{world.loop}, {world.loop}, {world.loop}};
  for (World& other : others) scope.spawn(waits_twice(other));
  EXPECT_EQ(scope.size(), 3U);
  EXPECT_FALSE(co_await scope.closed(world.loop.after(2ms)));
  scope.cancel();
  EXPECT_EQ(scope.size(), 3U);
  EXPECT_TRUE(co_await scope.closed(world.loop.after(5s)));
  EXPECT_TRUE(scope.empty());
  for (World& other : others) EXPECT_THAT(other.log, ElementsAre("cancelled", "cancelled"));

  World late{world.loop};
  scope.spawn(waits_twice(late));  // starts cancelled: both waits end at once
  EXPECT_TRUE(scope.empty());
  EXPECT_THAT(late.log, ElementsAre("cancelled", "cancelled"));
  EXPECT_TRUE(co_await scope.closed(world.loop.after(5s)));
}
TEST(Scope, CancelEndsAllTasksAndThoseSpawnedLater) {
  auto loop = make_loop();
  World world{.loop = *loop};
  run_in(*loop, cancel_all(world));
}

Task<void> close_and_report(Scope& scope, Loop& loop, bool& closed) {
  closed = co_await scope.closed(loop.after(5s));
}
Task<void> closer_cancelled(World& world) {
  Scope scope(world.loop);
  scope.spawn(waits_twice(world));
  bool closed = true;
  Scope closers(world.loop);
  closers.spawn(close_and_report(scope, world.loop, closed));
  closers.cancel();
  EXPECT_TRUE(co_await closers.closed(world.loop.after(5s)));
  EXPECT_FALSE(closed);
  EXPECT_EQ(scope.size(), 1U);
  scope.cancel();
  EXPECT_TRUE(co_await scope.closed(world.loop.after(5s)));
}
TEST(Scope, ClosedReturnsFalseWhenItsOwnCallerIsCancelled) {
  auto loop = make_loop();
  World world{.loop = *loop};
  run_in(*loop, closer_cancelled(world));
}

Task<void> append(Log& log, const char* text) {
  log.emplace_back(text);
  co_return;
}
Task<void> sleep_then_append(World& world, Duration wait, const char* text) {
  co_await Sleep(world.loop.after(wait));
  world.log.emplace_back(text);
}
Task<void> tasks_of_all_lengths(World& world) {
  Scope scope(world.loop);
  scope.spawn(sleep_then_append(world, 20ms, "last"));
  scope.spawn(append(world.log, "at once"));
  scope.spawn(sleep_then_append(world, 2ms, "later"));
  EXPECT_EQ(scope.size(), 2U);
  EXPECT_TRUE(co_await scope.closed(world.loop.after(5s)));
  EXPECT_THAT(world.log, ElementsAre("at once", "later", "last"));
}
TEST(Scope, ClosedWaitsForTheLastTask) {
  auto loop = make_loop();
  World world{.loop = *loop};
  run_in(*loop, tasks_of_all_lengths(world));
}

Task<void> spawn_more(World& world, Scope& scope, int depth) {
  co_await Sleep(world.loop.after(1ms));
  if (depth > 0) scope.spawn(spawn_more(world, scope, depth - 1));
  world.log.emplace_back("ended");
}
Task<void> tasks_spawn_tasks(World& world) {
  Scope scope(world.loop);
  scope.spawn(spawn_more(world, scope, 4));
  EXPECT_TRUE(co_await scope.closed(world.loop.after(5s)));
  EXPECT_EQ(world.log.size(), 5U);
}
TEST(Scope, TasksMaySpawnIntoTheirOwnScope) {
  auto loop = make_loop();
  World world{.loop = *loop};
  run_in(*loop, tasks_spawn_tasks(world));
}

TEST(ScopeDeathTest, DestroyingOneWithATaskInItIsABrokenInvariant) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto loop = make_loop();
        World world{.loop = *loop};
        const Scope scope(*loop);
        const_cast<Scope&>(scope).spawn(waits_twice(world));
      },
      "empty\\(\\)");
}

}  // namespace
}  // namespace ballast::io
