#include "traffic/protect/sip_hash.h"

#include <string>

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

// Key 00 01 .. 0f, input 00 01 .. of each length: the vectors of the reference implementation.
TEST(SipHash, GivesTheVectorsOfItsAuthors) {
  const SipKey key{.low = 0x0706050403020100u, .high = 0x0f0e0d0c0b0a0908u};
  struct Case {
    std::size_t size;
    std::uint64_t hash;
  };
  const Case cases[] = {{0, 0x726fdb47dd0e0e31u},
                        {1, 0x74f839c593dc67fdu},
                        {7, 0xab0200f58b01d137u},
                        {8, 0x93f5f5799a932462u},
                        {15, 0xa129ca6149be45e5u}};
  std::string input;
  for (int i = 0; i < 16; ++i) input += static_cast<char>(i);
  for (const Case& each : cases) EXPECT_EQ(sip_hash(key, Bytes(input).substr(0, each.size)), each.hash) << each.size;
}

TEST(SipHash, EveryProcessHasKeysOfItsOwn) {
  const SipKey one = SipKey::random();
  const SipKey other = SipKey::random();
  EXPECT_NE(sip_hash(one, "10.0.0.1"), sip_hash(other, "10.0.0.1"));
}

}  // namespace
}  // namespace ballast::traffic
