#include "traffic/balance/hash.h"

#include <bit>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

// Changing these numbers moves every client of source_hash and maglev to another target at the next upgrade.
TEST(Hash, IsTheSameForEver) {
  EXPECT_EQ(hash_bytes(HashPurpose::Key, ""), 4480356360856911788u);
  EXPECT_EQ(hash_bytes(HashPurpose::Key, "10.0.0.1"), 13734206607395647754u);
  EXPECT_EQ(hash_bytes(HashPurpose::Identity, "10.0.0.1"), 15081926777215322642u);
  EXPECT_EQ(hash_bytes(HashPurpose::Key, "a key that is longer than sixteen bytes"), 12748009381472172809u);
  EXPECT_EQ(hash_number(HashPurpose::Rendezvous, 1, 2), 13893226988254525530u);
}

TEST(Hash, NoTwoOfManyShortKeysAgree) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100'000; ++i) seen.insert(hash_bytes(HashPurpose::Key, std::to_string(i)));
  for (std::size_t size = 1; size < 200; ++size) seen.insert(hash_bytes(HashPurpose::Key, std::string(size, '\0')));
  EXPECT_EQ(seen.size(), 100'199u);
}

TEST(Hash, EveryInputBitTurnsAboutHalfOfTheOutput) {
  for (const std::size_t size : {1u, 7u, 8u, 9u, 16u, 17u, 40u}) {
    std::string text(size, 'x');
    const std::uint64_t before = hash_bytes(HashPurpose::Key, text);
    int all = 0;
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
      text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
      const std::uint64_t difference = before ^ hash_bytes(HashPurpose::Key, text);
      text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
      EXPECT_GE(std::popcount(difference), 12) << "size " << size << " bit " << bit;
      all += std::popcount(difference);
    }
    EXPECT_NEAR(static_cast<double>(all) / static_cast<double>(size * 8), 32.0, 6.0) << size;
  }
}

TEST(Hash, PurposesDoNotAgree) {
  EXPECT_NE(hash_bytes(HashPurpose::Key, "x"), hash_bytes(HashPurpose::Identity, "x"));
  EXPECT_NE(hash_number(HashPurpose::MaglevStart, 7), hash_number(HashPurpose::MaglevStep, 7));
  EXPECT_NE(hash_number(HashPurpose::Table, 7, 0), hash_number(HashPurpose::Table, 7, 1));
}

}  // namespace
}  // namespace ballast::traffic
