#include "handover/restarts.h"

#include <gtest/gtest.h>

namespace ballast::handover {
namespace {

using namespace std::chrono_literals;

TEST(Restarts, WaitLongerEachTimeInARow) {
  Restarts restarts;
  EXPECT_EQ(restarts.after(1h), 0ms);
  EXPECT_EQ(restarts.after(1ms), 100ms);
  EXPECT_EQ(restarts.after(9s), 200ms);
  EXPECT_EQ(restarts.after(1ms), 400ms);
  for (int i = 0; i < 1000; ++i) EXPECT_LE(restarts.after(1ms), restart_delay_max);
  EXPECT_EQ(restarts.after(1ms), 5s);
  EXPECT_EQ(restarts.after(10s), 0ms) << "it had settled";
  EXPECT_EQ(restarts.after(0s), 100ms);
}

}  // namespace
}  // namespace ballast::handover
