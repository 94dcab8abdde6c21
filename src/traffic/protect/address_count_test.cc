#include "traffic/protect/address_count.h"

#include <latch>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "io/address.h"
#include "traffic/protect/client_group.h"

namespace ballast::traffic {
namespace {

AddressBytes address(const std::string& text) {
  return io::SocketAddress::numeric(text, 0)->bytes();
}

TEST(ClientGroup, IsAnAddressOfIpv4OrANetworkOfIpv6) {
  struct Case {
    const char* address;
    int prefix;
    const char* group;
  };
  const Case cases[] = {
      {"192.0.2.7", 16, "192.0.2.7"},
      {"2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::"},
      {"2001:db8:1:2:3:4:5:6", 56, "2001:db8:1::"},
      {"2001:db8:1:2fff:3:4:5:6", 52, "2001:db8:1:2000::"},
      {"2001:db8:1:2:3:4:5:6", 127, "2001:db8:1:2:3:4:5:6"},
      {"2001:db8:1:2:3:4:5:7", 127, "2001:db8:1:2:3:4:5:6"},
      {"2001:db8:1:2:3:4:5:7", 128, "2001:db8:1:2:3:4:5:7"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(io::Peer{client_group(address(each.address), each.prefix)}.host(), each.group) << each.address;
  }
}

TEST(AddressCounts, AdmitsUpToTheLimitAndAgainWhenOneHasGone) {
  const auto counts = std::make_shared<AddressCounts>(100);
  const AddressBytes one = address("192.0.2.1");
  std::vector<AddressHold> holds(4);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(counts->enter(one, 3, holds[static_cast<std::size_t>(i)]));
  EXPECT_FALSE(counts->enter(one, 3, holds[3]));
  EXPECT_EQ(counts->count(one), 3U);
  EXPECT_TRUE(counts->enter(address("192.0.2.2"), 3, holds[3])) << "another address";
  holds[1] = {};
  EXPECT_EQ(counts->count(one), 2U);
  AddressHold next;
  EXPECT_TRUE(counts->enter(one, 3, next));
  EXPECT_FALSE(counts->enter(one, 3, holds[1]));
  EXPECT_TRUE(counts->enter(one, 4, holds[1])) << "the limit is asked for each time";
}

TEST(AddressCounts, MovingAHoldCountsOnce) {
  const auto counts = std::make_shared<AddressCounts>(100);
  const AddressBytes one = address("2001:db8::1");
  AddressHold first;
  ASSERT_TRUE(counts->enter(one, 1, first));
  AddressHold second = std::move(first);
  first = {};
  EXPECT_EQ(counts->count(address("2001:db8::ffff")), 1U) << "the same /64";
  second = {};
  EXPECT_EQ(counts->count(one), 0U);
}

TEST(AddressCounts, AHoldKeepsTheTable) {
  auto counts = std::make_shared<AddressCounts>(100);
  AddressHold hold;
  ASSERT_TRUE(counts->enter(address("192.0.2.1"), 1, hold));
  const std::weak_ptr<AddressCounts> watched = counts;
  counts.reset();
  EXPECT_FALSE(watched.expired());
  hold = {};
  EXPECT_TRUE(watched.expired());
}

TEST(AddressCounts, WithoutRoomItAdmitsAndSaysSo) {
  const auto counts = std::make_shared<AddressCounts>(1);  // the least there is: 64 words
  std::vector<AddressHold> holds(1000);
  for (std::size_t i = 0; i < holds.size(); ++i) {
    EXPECT_TRUE(counts->enter(address("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)), 1, holds[i]));
  }
  EXPECT_GE(counts->uncounted(), 1000U - 64U);
  holds.clear();
  AddressHold hold;
  EXPECT_TRUE(counts->enter(address("192.0.2.1"), 1, hold));
  EXPECT_EQ(counts->count(address("192.0.2.1")), 1U) << "all places are free again";
}

TEST(AddressCounts, SeveralThreadsLeaveNothingBehind) {
  constexpr int threads = 4;
  constexpr std::uint32_t limit = 5;
  const auto counts = std::make_shared<AddressCounts>(1);
  std::vector<AddressBytes> addresses;
  for (int i = 0; i < 24; ++i) addresses.push_back(address("192.0.2." + std::to_string(i)));
  std::atomic<std::uint32_t> most = 0;
  std::latch ready(threads);
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      ready.arrive_and_wait();
      std::vector<AddressHold> holds(30);
      for (std::size_t i = 0; i < 100'000; ++i) {
        const AddressBytes& one = addresses[(i * 7 + static_cast<std::size_t>(t)) % addresses.size()];
        AddressHold& hold = holds[i % holds.size()];
        hold = {};
        counts->enter(one, limit, hold);
        const std::uint32_t now = counts->count(one);
        std::uint32_t seen = most.load();
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
      }
    });
  }
  for (std::thread& each : all) each.join();
  EXPECT_LE(most.load(), limit + threads - 1);
  for (const AddressBytes& each : addresses) EXPECT_EQ(counts->count(each), 0U);
}

}  // namespace
}  // namespace ballast::traffic
