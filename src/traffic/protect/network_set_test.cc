#include "traffic/protect/network_set.h"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "config/units.h"
#include "io/address.h"
#include "traffic/route/conditions.h"

namespace ballast::traffic {
namespace {

AddressBytes address(const char* text) {
  return io::SocketAddress::numeric(text, 0)->bytes();
}

NetworkSet set_of(std::initializer_list<const char*> texts) {
  std::vector<config::Network> networks;
  for (const char* text : texts) networks.push_back(*config::parse_network(text));
  return NetworkSet(networks);
}

TEST(NetworkSet, KnowsItsEdges) {
  const NetworkSet set = set_of({"10.0.0.0/8", "192.0.2.7", "2001:db8::/32"});
  struct Case {
    const char* address;
    bool is_in;
  };
  const Case cases[] = {
      {"9.255.255.255", false},
      {"10.0.0.0", true},
      {"10.255.255.255", true},
      {"11.0.0.0", false},
      {"192.0.2.6", false},
      {"192.0.2.7", true},
      {"192.0.2.8", false},
      {"2001:db7:ffff::1", false},
      {"2001:db8::", true},
      {"2001:db9::", false},
      {"::a00:1", false},
      {"::ffff:10.1.2.3", true},
      {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true},
  };
  for (const Case& each : cases) EXPECT_EQ(set.contains(address(each.address)), each.is_in) << each.address;
}

TEST(NetworkSet, JoinsWhatOverlapsOrTouches) {
  EXPECT_EQ(set_of({"10.0.0.0/9", "10.128.0.0/9", "10.1.2.0/24", "10.1.2.0/24"}).ranges(), 1U);
  EXPECT_EQ(set_of({"10.0.0.0/24", "10.0.2.0/24"}).ranges(), 2U);
  EXPECT_TRUE(set_of({"0.0.0.0/0"}).contains(address("255.255.255.255")));
  EXPECT_FALSE(set_of({"0.0.0.0/0"}).contains(address("::1")));
  const NetworkSet all = set_of({"::/0", "ffff::/16"});
  EXPECT_EQ(all.ranges(), 1U);
  EXPECT_TRUE(all.contains(address("::")));
  EXPECT_TRUE(all.contains(address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")));
  EXPECT_FALSE(NetworkSet().contains(address("::")));
}

TEST(NetworkSet, SaysWhatTryingEachSays) {
  std::mt19937 random(7);
  std::vector<config::Network> networks;
  for (int i = 0; i < 2000; ++i) {
    const unsigned bits = 8 + random() % 25;
    const std::uint32_t host = random() & (~0U << (32 - bits));
    networks.push_back(*config::parse_network(std::to_string(host >> 24) + "." + std::to_string(host >> 16 & 255U) +
                                              "." + std::to_string(host >> 8 & 255U) + "." +
                                              std::to_string(host & 255U) + "/" + std::to_string(bits)));
    if (bits < 14) networks.pop_back();  // so that not nearly everything is in
  }
  const NetworkSet set(networks);
  int in = 0;
  for (int i = 0; i < 5000; ++i) {
    AddressBytes bytes = networks[random() % networks.size()].bytes;
    bytes[15] = static_cast<std::uint8_t>(random());
    bytes[14] = static_cast<std::uint8_t>(bytes[14] + random() % 3);
    const bool wanted =
        std::ranges::any_of(networks, [&](const config::Network& network) { return contains(network, bytes); });
    ASSERT_EQ(set.contains(bytes), wanted) << io::Peer{bytes}.host();
    in += wanted ? 1 : 0;
  }
  EXPECT_GT(in, 500);
  EXPECT_LT(in, 4500);
}

}  // namespace
}  // namespace ballast::traffic
