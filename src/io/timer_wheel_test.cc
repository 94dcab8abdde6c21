#include "io/timer_wheel.h"

#include <algorithm>
#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace ballast::io {
namespace {

using namespace std::chrono_literals;

class TestTimer final : public Timer {
 public:
  ~TestTimer() override { disarm(); }
  std::function<void()> on_expired;
  Instant when{};

 private:
  void expired() override {
    if (on_expired) on_expired();
  }
};

// The wheel beside a sorted list of what it should hold.
class Model {
 public:
  explicit Model(std::uint32_t seed, Instant start) : random_(seed), now_(start), wheel_(start) {
    for (int i = 0; i < 400; ++i) {
      TestTimer& timer = timers_.emplace_back();
      timer.on_expired = [this, &timer] { expired(timer); };
    }
  }

  void step() {
    for (int i = 0; i < 20; ++i) disturb();
    check_next();
    switch (below(3)) {
      case 0:  // as the loop does
        if (wheel_.next() != Instant::max()) advance(wheel_.next());
        break;
      case 1:  // late, on no tick's edge
        advance(now_ + some_distance());
        break;
      default:
        advance(now_ + Duration(below(3'000'000)));
    }
    check_next();
  }
  // To the end by next() alone; each call must bring it on.
  void drain() {
    quiet_ = true;
    int calls = 0;
    while (!held_.empty()) {
      const Instant next = wheel_.next();
      ASSERT_GT(next, now_) << "no progress";
      advance(next);
      ASSERT_LT(++calls, 100'000);
    }
    EXPECT_EQ(wheel_.next(), Instant::max());
  }
  std::size_t fired() const { return fired_; }

 private:
  std::uint64_t below(std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random_);
  }
  // From nothing to 11 days: every level.
  Duration some_distance() { return Duration(below(std::uint64_t{1} << (10 + below(40)))); }
  TestTimer& any() { return timers_[below(timers_.size())]; }

  void disturb() {
    TestTimer& timer = any();
    forget(timer);
    if (below(3) == 0) {
      timer.disarm();
      EXPECT_FALSE(timer.is_armed());
      return;
    }
    timer.when = below(20) == 0 ? now_ - 5ms : now_ + some_distance();
    wheel_.arm(timer, timer.when);
    EXPECT_TRUE(timer.is_armed());
    held_.emplace(timer.when, &timer);
  }
  void forget(TestTimer& timer) {
    if (!timer.is_armed()) return;
    auto [first, last] = held_.equal_range(timer.when);
    held_.erase(std::find_if(first, last, [&](const auto& entry) { return entry.second == &timer; }));
  }
  void expired(TestTimer& timer) {
    ++fired_;
    EXPECT_FALSE(timer.is_armed());
    EXPECT_LE(timer.when, now_) << "fired early";
    auto [first, last] = held_.equal_range(timer.when);
    const auto entry = std::find_if(first, last, [&](const auto& each) { return each.second == &timer; });
    ASSERT_NE(entry, last) << "fired though it was disarmed";
    held_.erase(entry);
    if (!quiet_) {
      disturb();
      disturb();
    }
  }
  void advance(Instant to) {
    now_ = to;
    wheel_.advance(now_);
    // What callbacks armed for the past is allowed one more tick.
    if (!held_.empty()) {
      EXPECT_GT(held_.begin()->first + 10ms, now_) << "forgotten";
    }
    if (quiet_ && !held_.empty()) {
      EXPECT_GT(held_.begin()->first + 1ms, now_) << "more than a tick late";
    }
  }
  void check_next() const {
    const Instant next = wheel_.next();
    if (held_.empty()) {
      return;  // it may still wake for slots that disarmed timers left
    }
    EXPECT_LE(next, std::max(held_.begin()->first, now_) + 1ms) << "would sleep past the first timer";
  }

  std::mt19937 random_;
  Instant now_;
  TimerWheel wheel_;
  std::deque<TestTimer> timers_;
  std::multimap<Instant, TestTimer*> held_;
  std::size_t fired_ = 0;
  bool quiet_ = false;
};

TEST(TimerWheel, AgreesWithASortedListUnderRandomUse) {
  std::size_t fired = 0;
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Model model(seed, Instant(Duration(std::int64_t{seed} * 1'234'567'890'123)));
    for (int i = 0; i < 150 && !testing::Test::HasFailure(); ++i) model.step();
    model.drain();
    fired += model.fired();
    if (HasFailure()) return;
  }
  EXPECT_GT(fired, 100'000U);
}

TEST(TimerWheel, FiresAtTheFirstTickNotBeforeTheDeadline) {
  // Each distance, from each of several positions, lands in another slot and level.
  for (const std::int64_t offset_ms : {0, 1, 254, 255, 256, 257, 65'535, 65'536, 16'777'215, 16'777'216}) {
    for (const std::int64_t distance_ms :
         {1, 2, 255, 256, 257, 511, 512, 65'535, 65'536, 65'537, 16'777'215, 16'777'216, 16'777'300}) {
      TimerWheel wheel{Instant{}};
      const Instant from = Instant{} + std::chrono::milliseconds(offset_ms);
      wheel.advance(from);
      int fired = 0;
      TestTimer timer;
      timer.on_expired = [&] { ++fired; };
      const Instant when = from + std::chrono::milliseconds(distance_ms);
      wheel.arm(timer, when);
      EXPECT_LE(wheel.next(), when);
      wheel.advance(when - Duration(1));
      EXPECT_EQ(fired, 0) << offset_ms << " + " << distance_ms;
      EXPECT_LE(wheel.next(), when);
      wheel.advance(when);
      EXPECT_EQ(fired, 1) << offset_ms << " + " << distance_ms;
      EXPECT_EQ(wheel.next(), Instant::max());
    }
  }
}

TEST(TimerWheel, ADeadlineInsideATickFiresAtItsEnd) {
  TimerWheel wheel{Instant{}};
  int fired = 0;
  TestTimer timer;
  timer.on_expired = [&] { ++fired; };
  wheel.arm(timer, Instant{} + 1500us);
  wheel.advance(Instant{} + 1999us);
  EXPECT_EQ(fired, 0);
  wheel.advance(Instant{} + 2ms);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, BeyondTheHorizonTimersArePutAgain) {
  const Instant start{7h};
  TimerWheel wheel{start};
  wheel.advance(start + 123456ms);
  std::vector<int> fired;
  std::deque<TestTimer> timers(4);
  const std::chrono::hours at[] = {24h * 40, 24h * 50, 24h * 51, 24h * 120};
  for (std::size_t i = 0; i < timers.size(); ++i) {
    timers[i].on_expired = [&fired, i] { fired.push_back(static_cast<int>(i)); };
    wheel.arm(timers[i], start + at[i]);
  }
  TestTimer never;
  wheel.arm(never, Instant::max());
  for (std::size_t i = 0; i < timers.size(); ++i) {
    while (wheel.next() < start + at[i]) {
      wheel.advance(wheel.next());
      ASSERT_EQ(fired.size(), i) << "early";
    }
    wheel.advance(start + at[i]);
    ASSERT_EQ(fired.size(), i + 1) << "late";
    EXPECT_EQ(fired.back(), static_cast<int>(i));
  }
  EXPECT_TRUE(never.is_armed());
}

TEST(TimerWheel, TheLargestInstantIsADeadlineLikeAnyOther) {
  TimerWheel wheel{Instant{}};
  TestTimer timer;
  wheel.arm(timer, Instant::max());
  wheel.advance(Instant{} + 24h);
  EXPECT_TRUE(timer.is_armed());
}

TEST(TimerWheel, ATimerThatIsDestroyedLeavesTheWheel) {
  TimerWheel wheel{Instant{}};
  {
    TestTimer first;
    TestTimer second;
    wheel.arm(first, Instant{} + 5ms);
    wheel.arm(second, Instant{} + 5ms);
  }
  EXPECT_EQ(wheel.next(), Instant::max());
  wheel.advance(Instant{} + 10ms);
}

TEST(TimerWheel, CostOfAHundredThousandTimers) {
  std::mt19937 random(1);
  std::uniform_int_distribution<std::int64_t> distance(1, 60'000);
  TimerWheel wheel{Instant{}};
  std::deque<TestTimer> timers(100'000);
  std::size_t fired = 0;
  for (TestTimer& timer : timers) timer.on_expired = [&fired] { ++fired; };
  const auto began = Clock::now();
  // Each deadline is moved once, as a busy connection does.
  for (TestTimer& timer : timers) wheel.arm(timer, Instant{} + 60s);
  for (TestTimer& timer : timers) wheel.arm(timer, Instant{} + std::chrono::milliseconds(distance(random)));
  const auto armed = Clock::now();
  for (std::int64_t ms = 1; ms <= 60'000; ++ms) wheel.advance(Instant{} + std::chrono::milliseconds(ms));
  const auto done = Clock::now();
  EXPECT_EQ(fired, timers.size());
  const auto ns = [](Duration duration, std::size_t count) {
    return static_cast<double>(duration.count()) / static_cast<double>(count);
  };
  std::printf("100000 timers: arm %.0f ns each, fire %.0f ns each; %zu bytes a timer, %zu a wheel\n",
              ns(armed - began, 200'000), ns(done - armed, 100'000), sizeof(Timer), sizeof(TimerWheel));
}

}  // namespace
}  // namespace ballast::io
