#include "config/network_file.h"

#include <gtest/gtest.h>

namespace ballast::config {
namespace {

TEST(NetworkFile, HoldsOneNetworkALine) {
  const auto networks = parse_network_file(
      "# ours\n\n10.0.0.0/8\r\n  192.0.2.7 ; SBL1\n\t2001:db8::/32\t# theirs\n; nothing\n198.51.100.0/24");
  ASSERT_TRUE(networks) << networks.error().text();
  std::string all;
  for (const Network& network : *networks) all += network.to_string() + " ";
  EXPECT_EQ(all, "10.0.0.0/8 192.0.2.7/32 2001:db8::/32 198.51.100.0/24 ");
}

TEST(NetworkFile, NamesTheLineOfWhatIsNoNetwork) {
  struct Case {
    std::string text;
    std::string error;
  };
  const Case cases[] = {
      {"10.0.0.0/8\nexample.com\n", "line 2: \"example.com\" is not a network; write 10.0.0.0/8 or fd00::/8"},
      {"\n\n10.0.0.1/8", "line 3: \"10.0.0.1/8\" has bits set beyond its prefix; write 10.0.0.0/8"},
      {"10.0.0.0/8 192.0.2.0/24",
       "line 1: \"10.0.0.0/8 192.0.2.0/24\": \"8 192.0.2.0/24\" is not a prefix from 0 to 32"},
  };
  for (const Case& each : cases) {
    const auto networks = parse_network_file(each.text);
    ASSERT_FALSE(networks) << each.text;
    EXPECT_EQ(networks.error().text(), each.error);
  }
}

TEST(NetworkFile, MayBeEmpty) {
  const auto networks = parse_network_file("# nobody\n");
  ASSERT_TRUE(networks);
  EXPECT_TRUE(networks->empty());
}

TEST(NetworkFile, AnyCutOfItIsReadOrRefused) {
  const std::string text = "10.0.0.0/8 # a\n2001:db8::/32\n";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const auto networks = parse_network_file(std::string_view(text).substr(0, size));
    if (networks) EXPECT_LE(networks->size(), 2U) << size;
  }
}

}  // namespace
}  // namespace ballast::config
