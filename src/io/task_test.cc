#include "io/task.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "io/run_in_loop.h"

namespace ballast::io {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// How deep the stack has been seen.
struct StackSpan {
  std::uintptr_t low = std::numeric_limits<std::uintptr_t>::max();
  std::uintptr_t high = 0;
  [[gnu::noinline]] void look() {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    low = std::min(low, here);
    high = std::max(high, here);
  }
  std::uintptr_t bytes() const { return high - low; }
};

Task<int> plain_child(StackSpan& stack, int value) {
  stack.look();
  co_return value;
}
Task<Result<int>> result_child(StackSpan& stack, int value) {
  stack.look();
  co_return value;
}
Task<void> void_child(StackSpan& stack) {
  stack.look();
  co_return;
}

Task<void> await_many(StackSpan& stack, std::int64_t& sum) {
  for (int i = 0; i < 2'000'000; ++i) sum += co_await plain_child(stack, i & 1);
}
TEST(Task, TwoMillionImmediateCompletionsUseNoStack) {
  auto loop = make_loop();
  StackSpan stack;
  std::int64_t sum = 0;
  run_in(*loop, await_many(stack, sum));
  EXPECT_EQ(sum, 1'000'000);
  EXPECT_LT(stack.bytes(), 4096U);
}

Task<Result<std::int64_t>> need_many(StackSpan& stack) {
  std::int64_t sum = 0;
  for (int i = 0; i < 2'000'000; ++i) {
    sum += co_await need(result_child(stack, i & 1));
    if ((i & 7) == 0) co_await void_child(stack);
  }
  co_return sum;
}
Task<void> take_need_many(StackSpan& stack) {
  Result<std::int64_t> sum = co_await need_many(stack);
  CO_ASSERT(sum.has_value());
  EXPECT_EQ(*sum, 1'000'000);
}
TEST(Task, TwoMillionImmediateNeedsUseNoStack) {
  auto loop = make_loop();
  StackSpan stack;
  run_in(*loop, take_need_many(stack));
  EXPECT_LT(stack.bytes(), 4096U);
}

enum class When { AtOnce, Later };

Task<int> nested(StackSpan& stack, Loop& loop, int depth) {
  if (depth == 0) {
    co_await Sleep(loop.after(1ms));
    stack.look();
    co_return 0;
  }
  const int below = co_await nested(stack, loop, depth - 1);
  stack.look();
  co_return below + 1;
}
Task<void> take_nested(StackSpan& stack, Loop& loop) {
  EXPECT_EQ(co_await nested(stack, loop, 1000), 1000);
}
TEST(Task, SettlingLaterResumesAChainOfParentsWithoutStack) {
  auto loop = make_loop();
  StackSpan stack;
  run_in(*loop, take_nested(stack, *loop));
  EXPECT_LT(stack.bytes(), 4096U);
}

using Log = std::vector<std::string>;

struct Trace {
  Trace(Log& to, std::string name) : log(to), text(std::move(name)) {}
  Trace(const Trace&) = delete;
  ~Trace() { log.push_back("~" + text); }
  Log& log;
  std::string text;
};

struct Walk {
  Loop& loop;
  Log& log;
  When when = When::AtOnce;
  bool fails = true;
};

Task<Result<int>> leaf(Walk& walk) {
  const Trace trace(walk.log, "leaf");
  if (walk.when == When::Later) co_await Sleep(walk.loop.after(1ms));
  if (walk.fails) co_return fail(Code::Malformed, "from the leaf");
  co_return 42;
}
Task<Result<int>> low(Walk& walk) {
  const Trace trace(walk.log, "low 1");
  const Trace second(walk.log, "low 2");
  const int value = co_await need(leaf(walk));
  walk.log.push_back("low resumed");
  co_return value;
}
Task<Result<std::string>> middle(Walk& walk) {
  const Trace trace(walk.log, "middle");
  const int value = co_await need(low(walk));
  walk.log.push_back("middle resumed");
  co_return std::to_string(value);
}
Task<Result<>> high(Walk& walk) {
  const Trace trace(walk.log, "high");
  const std::string value = co_await need(middle(walk));
  walk.log.push_back("high resumed with " + value);
  co_return Result<>();
}
Task<void> taker(Walk& walk) {
  Result<> result = co_await high(walk);
  walk.log.push_back(result ? "taken" : result.error().text());
}

TEST(Task, NeedPassesAnErrorThroughThreeLevelsAndResumesOnlyTheTaker) {
  for (const When when : {When::AtOnce, When::Later}) {
    auto loop = make_loop();
    Log log;
    Walk walk{.loop = *loop, .log = log, .when = when, .fails = true};
    run_in(*loop, taker(walk));
    EXPECT_THAT(log, ElementsAre("~leaf", "~low 2", "~low 1", "~middle", "~high", "from the leaf"));
  }
}

TEST(Task, NeedGivesTheValueThroughThreeLevels) {
  for (const When when : {When::AtOnce, When::Later}) {
    auto loop = make_loop();
    Log log;
    Walk walk{.loop = *loop, .log = log, .when = when, .fails = false};
    run_in(*loop, taker(walk));
    EXPECT_THAT(log, ElementsAre("~leaf", "low resumed", "~low 2", "~low 1", "middle resumed", "~middle",
                                 "high resumed with 42", "~high", "taken"));
  }
}

// The first need() settles at once, the second one fails later: the frame has been running inline and then not.
Task<Result<int>> twice(Walk& walk) {
  const Trace trace(walk.log, "twice");
  walk.fails = false;
  int sum = co_await need(leaf(walk));
  walk.fails = true;
  walk.when = walk.when == When::AtOnce ? When::Later : When::AtOnce;
  sum += co_await need(leaf(walk));
  walk.log.push_back("twice resumed");
  co_return sum;
}
Task<Result<int>> above_twice(Walk& walk) {
  co_return co_await need(twice(walk));
}
Task<void> take_twice(Walk& walk) {
  const Result<int> result = co_await above_twice(walk);
  walk.log.push_back(result ? "taken" : result.error().text());
}
TEST(Task, NeedMixesInlineAndLaterSettling) {
  for (const When when : {When::AtOnce, When::Later}) {
    auto loop = make_loop();
    Log log;
    Walk walk{.loop = *loop, .log = log, .when = when};
    run_in(*loop, take_twice(walk));
    EXPECT_THAT(log, ElementsAre("~leaf", "~leaf", "~twice", "from the leaf"));
  }
}

// The shape that gcc 12 gets wrong: a body without locals that branches on an awaited condition.
Task<bool> yes() {
  co_return true;
}
Task<int> branch() {
  if (co_await yes()) co_return 1;
  co_return 0;
}

struct Counted {
  explicit Counted(int& to) : copies(&to) {}
  Counted(const Counted& other) : copies(other.copies) { ++*copies; }
  Counted(Counted&& other) noexcept = default;
  Counted& operator=(const Counted&) = delete;
  int* copies;
};
Task<std::unique_ptr<int>> make_pointer() {
  co_return std::make_unique<int>(5);
}
Task<Result<std::unique_ptr<int>>> make_pointer_result() {
  co_return std::make_unique<int>(6);
}
Task<Counted> make_counted(int& copies) {
  co_return Counted(copies);
}
Task<Result<>> use_values() {
  const std::unique_ptr<int> pointer = co_await make_pointer();
  EXPECT_EQ(*pointer, 5);
  const std::unique_ptr<int> needed = co_await need(make_pointer_result());
  EXPECT_EQ(*needed, 6);
  int copies = 0;
  [[maybe_unused]] const Counted counted = co_await make_counted(copies);
  EXPECT_EQ(copies, 0);
  EXPECT_EQ(co_await branch(), 1);
  co_return Result<>();
}
Task<void> take_values() {
  EXPECT_TRUE((co_await use_values()).has_value());
}
TEST(Task, ValuesAreMovedNotCopied) {
  auto loop = make_loop();
  run_in(*loop, take_values());
}

TEST(Task, ATaskThatIsNeverAwaitedDoesNothing) {
  StackSpan stack;
  {
    const Task<void> task = void_child(stack);
  }
  EXPECT_EQ(stack.high, 0U);
}

TEST(Task, AssigningATaskDestroysTheOldOne) {
  const auto shared = std::make_shared<int>(0);
  struct Holder {
    static Task<void> hold(std::shared_ptr<int>) { co_return; }
  };
  Task<void> task = Holder::hold(shared);
  EXPECT_EQ(shared.use_count(), 2);
  task = Holder::hold(nullptr);
  EXPECT_EQ(shared.use_count(), 1);
}

}  // namespace
}  // namespace ballast::io
