#include "traffic/l4/flow_table.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

struct TestFlow final : FlowEntry {
  explicit TestFlow(const FlowKey& key) : FlowEntry(key) {}
};

FlowKey key(std::uint8_t client, std::uint16_t port, std::uint8_t near = 0) {
  FlowKey made{.client = {.port = port}, .port = 53};
  made.client.bytes[15] = client;
  made.near[15] = near;
  return made;
}

class FlowTableTest : public testing::Test {
 protected:
  TestFlow& add(const FlowKey& of) {
    flows.push_back(std::make_unique<TestFlow>(of));
    table.add(*flows.back());
    return *flows.back();
  }
  FlowTable table{42};
  std::vector<std::unique_ptr<TestFlow>> flows;
  static constexpr FlowBounds bounds{.flows = 4, .per_client = 3};
};

TEST_F(FlowTableTest, IsFoundByEveryPartOfItsKey) {
  TestFlow& flow = add(key(1, 1000, 7));
  EXPECT_EQ(table.find(key(1, 1000, 7)), &flow);
  EXPECT_EQ(table.find(key(2, 1000, 7)), nullptr);
  EXPECT_EQ(table.find(key(1, 1001, 7)), nullptr);
  EXPECT_EQ(table.find(key(1, 1000, 8)), nullptr);
  FlowKey other_port = key(1, 1000, 7);
  other_port.port = 54;
  EXPECT_EQ(table.find(other_port), nullptr);
  table.remove(flow);
  EXPECT_EQ(table.find(key(1, 1000, 7)), nullptr);
  EXPECT_EQ(table.any(), nullptr);
}

TEST_F(FlowTableTest, AClientAtItsBoundLosesItsOwnLongestResting) {
  TestFlow& first = add(key(1, 1));
  TestFlow& second = add(key(1, 2));
  add(key(1, 3));
  EXPECT_EQ(table.size_of({.bytes = key(1, 1).client.bytes}), 3U);
  table.touch(first);
  const auto room = table.room_for(key(1, 4), bounds);
  EXPECT_TRUE(room.is_there);
  EXPECT_EQ(room.leaves, &second);
  // Another client has room without anybody leaving.
  EXPECT_TRUE(table.room_for(key(2, 1), bounds).is_there);
  EXPECT_EQ(table.room_for(key(2, 1), bounds).leaves, nullptr);
  // Age does not save it.
  table.grow_old(second);
  EXPECT_EQ(table.room_for(key(1, 4), bounds).leaves, &second);
}

TEST_F(FlowTableTest, AFullTableDropsTheYoungFlowThatHasRestedLongest) {
  TestFlow& first = add(key(1, 1));
  TestFlow& second = add(key(2, 1));
  TestFlow& third = add(key(3, 1));
  TestFlow& fourth = add(key(4, 1));
  table.grow_old(first);
  table.touch(second);
  EXPECT_EQ(table.room_for(key(5, 1), bounds).leaves, &third);
  table.grow_old(third);
  EXPECT_EQ(table.room_for(key(5, 1), bounds).leaves, &fourth);
  table.grow_old(fourth);
  EXPECT_EQ(table.room_for(key(5, 1), bounds).leaves, &second);
}

TEST_F(FlowTableTest, AFullTableOfOldFlowsRefuses) {
  for (std::uint8_t i = 1; i <= 4; ++i) table.grow_old(add(key(i, 1)));
  EXPECT_FALSE(table.room_for(key(5, 1), bounds).is_there);
  EXPECT_FALSE(table.room_for(key(1, 2), bounds).is_there);
  table.remove(*flows[0]);
  EXPECT_TRUE(table.room_for(key(5, 1), bounds).is_there);
}

// A flood from invented addresses goes round in the young part and leaves the old alone.
TEST_F(FlowTableTest, AFloodLeavesOldFlowsAlone) {
  TestFlow& old = add(key(1, 1));
  table.grow_old(old);
  for (int i = 0; i < 1000; ++i) {
    const FlowKey invented = key(static_cast<std::uint8_t>(2 + i % 250), static_cast<std::uint16_t>(1000 + i));
    const auto room = table.room_for(invented, bounds);
    ASSERT_TRUE(room.is_there);
    if (room.leaves != nullptr) table.remove(*room.leaves);
    add(invented);
    ASSERT_LE(table.size(), bounds.flows);
  }
  EXPECT_EQ(table.find(key(1, 1)), &old);
}

TEST_F(FlowTableTest, TenThousandComeAndGo) {
  for (int i = 0; i < 10'000; ++i) add(key(static_cast<std::uint8_t>(i % 200), static_cast<std::uint16_t>(i)));
  EXPECT_EQ(table.size(), 10'000U);
  for (int i = 0; i < 10'000; i += 2) table.grow_old(*flows[static_cast<std::size_t>(i)]);
  for (const auto& flow : flows) table.touch(*flow);
  std::size_t seen = 0;
  table.for_each([&](FlowEntry&) { ++seen; });
  EXPECT_EQ(seen, 10'000U);
  while (FlowEntry* flow = table.any()) table.remove(*flow);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.room_for(key(1, 1), {.flows = 1, .per_client = 1}).leaves, nullptr);
}

}  // namespace
}  // namespace ballast::traffic
