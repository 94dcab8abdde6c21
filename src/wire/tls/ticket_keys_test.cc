#include "wire/tls/ticket_keys.h"

#include <gmock/gmock.h>

namespace ballast::tls {
namespace {

using namespace std::chrono_literals;

const WallTime start{std::chrono::seconds(1'800'000'000)};

TEST(TicketKeys, AreMadeRotatedAndForgotten) {
  TicketKeys keys = rotated({}, start);
  ASSERT_EQ(keys.size(), 1U);
  const TicketKey first = keys.front();
  EXPECT_EQ(rotated(keys, start + 11h), keys);

  keys = rotated(keys, start + 12h);
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys.back(), first);
  EXPECT_NE(keys.front().cipher, first.cipher);

  // The last ticket it sealed, after 12 hours, is good for 24 more.
  keys = rotated(keys, start + 24h);
  keys = rotated(keys, start + 35h);
  EXPECT_EQ(keys.back(), first);
  keys = rotated(keys, start + 36h);
  EXPECT_NE(keys.back(), first);
  EXPECT_EQ(keys.size(), 3U);
}

TEST(TicketKeys, FromTheFutureAreDropped) {
  const TicketKeys keys = rotated({new_ticket_key(start + 2h)}, start);
  ASSERT_EQ(keys.size(), 1U);
  EXPECT_EQ(keys.front().made, start);
}

TEST(TicketKeys, SurviveTheFile) {
  const TicketKeys keys = rotated(rotated({}, start), start + 13h);
  const Result<TicketKeys> read = read_ticket_keys(write_ticket_keys(keys));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, keys);
  EXPECT_TRUE(read_ticket_keys("").value().empty());
}

TEST(TicketKeys, OfAnotherShapeAreRefused) {
  const std::string good = write_ticket_keys(rotated({}, start));
  for (std::size_t size = 1; size + 1 < good.size(); ++size) {
    EXPECT_FALSE(read_ticket_keys(Bytes(good).substr(0, size)).has_value()) << size;
  }
  std::string other = good;
  other[0] = '2';
  EXPECT_FALSE(read_ticket_keys(other).has_value());
  other = good;
  other[20] = 'x';
  EXPECT_FALSE(read_ticket_keys(other).has_value());
  std::string many;
  for (int i = 0; i < 17; ++i) many += good;
  EXPECT_FALSE(read_ticket_keys(many).has_value());
}

}  // namespace
}  // namespace ballast::tls
