#include "wire/http2/flood_guard.h"

#include <gtest/gtest.h>

namespace ballast::http2 {
namespace {

using namespace std::chrono_literals;

class FloodGuardTest : public testing::Test {
 protected:
  // How many in a row are taken, at one instant.
  int taken(std::int64_t cost) {
    int count = 0;
    while (count < 100'000 && guard.spend(cost, now)) ++count;
    return count;
  }

  io::Instant now{1h};
  FloodGuard guard{now};
};

TEST_F(FloodGuardTest, TakesABurstAndNoMore) {
  EXPECT_EQ(taken(FloodGuard::frame_cost), 2000);
  EXPECT_FALSE(guard.spend(FloodGuard::frame_cost, now));
}

TEST_F(FloodGuardTest, AResetCostsMore) {
  EXPECT_EQ(taken(FloodGuard::frame_cost + FloodGuard::reset_cost), 200);
}

TEST_F(FloodGuardTest, TimeEarnsSlowly) {
  taken(1);
  now += 1s;
  EXPECT_EQ(taken(1), 99);  // one is owed
  now += 5ms;
  EXPECT_EQ(taken(1), 0) << "half a frame's time";
}

TEST_F(FloodGuardTest, NoTimeEarnsMoreThanABurst) {
  now += 24h;
  EXPECT_EQ(taken(1), 2000);
}

TEST_F(FloodGuardTest, ManyShortWhilesAreALongOne) {
  taken(1);
  for (int i = 0; i < 1000; ++i) {
    now += 1ms;
    guard.spend(0, now);
  }
  EXPECT_NEAR(taken(1), 99, 1);
}

TEST_F(FloodGuardTest, WorkPaysForFrames) {
  for (int request = 0; request < 10'000; ++request) {
    ASSERT_TRUE(guard.spend(FloodGuard::frame_cost + FloodGuard::reset_cost, now)) << request;
    ASSERT_TRUE(guard.spend(FloodGuard::frame_cost + FloodGuard::reset_cost, now)) << request;
    guard.earn_by_request();
  }
  for (int piece = 0; piece < 10'000; ++piece) {
    ASSERT_TRUE(guard.spend(2 * FloodGuard::frame_cost, now)) << piece;
    guard.earn_by_data();
  }
}

}  // namespace
}  // namespace ballast::http2
