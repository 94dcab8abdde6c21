#include "traffic/queue/waiting_line.h"

#include <vector>

#include <gtest/gtest.h>

#include "io/loop.h"
#include "io/scope.h"

namespace ballast::traffic {
namespace {

using config::Priority;
using namespace std::chrono_literals;

class Line : public testing::Test {
 protected:
  io::Instant at(int ms) const { return io::Instant(std::chrono::milliseconds(1'000'000 + ms)); }

  std::unique_ptr<io::Loop> loop = *io::Loop::make();
  io::Scope scope{*loop};
  io::Strand strand{scope, *loop};
  WaitingLine line;
  WaitingLine other;
};

TEST_F(Line, ServesByPriorityThenAsTheyCame) {
  Waiter late(strand, Priority::Normal, at(3));
  Waiter low(strand, Priority::Low, at(1));
  Waiter early(strand, Priority::Normal, at(2));
  Waiter high(strand, Priority::High, at(4));
  EXPECT_EQ(line.first(), nullptr);
  EXPECT_EQ(line.first_key(), WaitingLine::nobody);
  for (Waiter* each : {&low, &early, &late, &high}) each->stand_in(line);
  for (Waiter* each : {&high, &early, &late, &low}) {
    ASSERT_EQ(line.first(), each);
    EXPECT_EQ(line.first_key(), each->key());
    each->leave();
  }
  EXPECT_EQ(line.first(), nullptr);
  EXPECT_EQ(line.first_key(), WaitingLine::nobody);
}

TEST_F(Line, KeepsThePlaceOfItsComing) {
  Waiter first(strand, Priority::Normal, at(1));
  Waiter second(strand, Priority::Normal, at(2));
  Waiter third(strand, Priority::Normal, at(3));
  second.stand_in(line);
  third.stand_in(line);
  first.stand_in(other);
  first.stand_in(line);  // from another line: in front, where it would have been
  EXPECT_EQ(other.first(), nullptr);
  EXPECT_EQ(other.first_key(), WaitingLine::nobody);
  EXPECT_EQ(line.first(), &first);
  second.leave();  // from the middle
  first.leave();
  EXPECT_EQ(line.first(), &third);
}

TEST_F(Line, CallsAllAndLeavesThemInTheirPlaces) {
  Waiter one(strand, Priority::Normal, at(1));
  Waiter two(strand, Priority::Low, at(2));
  one.stand_in(line);
  two.stand_in(line);
  EXPECT_FALSE(one.is_called());
  line.call_all();
  EXPECT_TRUE(one.is_called());
  EXPECT_TRUE(two.is_called());
  one.look();
  EXPECT_FALSE(one.is_called());
  EXPECT_EQ(line.first(), &one);
}

TEST_F(Line, ForgetsWhoGoesOutOfScope) {
  Waiter stays(strand, Priority::Normal, at(2));
  stays.stand_in(line);
  {
    Waiter goes(strand, Priority::Normal, at(1));
    goes.stand_in(line);
    EXPECT_EQ(line.first(), &goes);
  }
  EXPECT_EQ(line.first(), &stays);
}

}  // namespace
}  // namespace ballast::traffic
