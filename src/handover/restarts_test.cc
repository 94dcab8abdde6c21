#include "handover/restarts.h"

#include <gtest/gtest.h>

namespace ballast::handover {
namespace {

using namespace std::chrono_literals;

TEST(Restarts, OfWhatDoesNotServeWaitLongerEachTimeInARow) {
  Restarts restarts;
  EXPECT_EQ(restarts.after({.lived = 1h, .served = true}), 0ms);
  EXPECT_EQ(restarts.after({.lived = 1ms}), 100ms);
  EXPECT_EQ(restarts.after({.lived = 90s}), 200ms) << "it took long, and came to nothing";
  EXPECT_EQ(restarts.after({.lived = 1ms}), 400ms);
  for (int i = 0; i < 1000; ++i) EXPECT_LE(restarts.after({.lived = 1ms}), Restarts::delay_max);
  EXPECT_EQ(restarts.after({.lived = 1ms}), 5s);
  EXPECT_EQ(restarts.after({.lived = 1s, .served = true}), 0ms) << "it had settled";
  EXPECT_EQ(restarts.after({.lived = 0s}), 100ms);
}

TEST(Restarts, OfWhatHasServedAreAtOnce) {
  Restarts restarts;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(restarts.after({.lived = 1s, .served = true}), 0ms);
}

TEST(Restarts, OfWhatDiesAsItBeginsToServeWaitASecondAtMost) {
  Restarts restarts;
  EXPECT_EQ(restarts.after({.lived = 10ms, .served = true}), 0ms);
  EXPECT_EQ(restarts.after({.lived = 10ms, .served = true}), 100ms);
  for (int i = 0; i < 100; ++i) EXPECT_LE(restarts.after({.lived = 10ms, .served = true}), 1s);
}

}  // namespace
}  // namespace ballast::handover
