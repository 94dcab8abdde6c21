#include "traffic/protect/saved_rate.h"

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

using namespace std::chrono_literals;

config::RateLimit two_a_minute() {
  return {.name = "slow", .requests = 2, .per = 60s, .burst = 2};
}

bool admitted(RateShare& share, std::uint64_t hash, io::Instant now) {
  return share.table.ask(hash, share.rate, now).admitted;
}

TEST(SavedRate, WhoHasUsedUpHisRateHasNoNewOneInTheNextProcess) {
  const io::Instant now = io::Clock::now();
  RateShare before({.listener = "web", .rule = "", .limit = "slow"}, two_a_minute(), 2);
  EXPECT_TRUE(admitted(before, 7, now));
  EXPECT_TRUE(admitted(before, 7, now));
  EXPECT_FALSE(admitted(before, 7, now));
  EXPECT_TRUE(admitted(before, 8, now));
  before.cells[1].admitted.add(3);
  before.cells[0].limited.add();

  const SavedRate saved = save(before, SavedKeys::Told, now);
  const auto next = restore(saved, two_a_minute(), 4);
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->secret.low, before.secret.low);
  EXPECT_EQ(next->secret.high, before.secret.high);
  EXPECT_FALSE(admitted(*next, 7, now));
  EXPECT_TRUE(admitted(*next, 8, now));
  EXPECT_FALSE(admitted(*next, 8, now));
  EXPECT_TRUE(admitted(*next, 7, now + 31s)) << "time goes on for it";
  EXPECT_EQ(next->cells[0].admitted.get(), 3U);
  EXPECT_EQ(next->cells[0].limited.get(), 1U);
}

TEST(SavedRate, OnlyWhatIsInUseIsTold) {
  const io::Instant now = io::Clock::now();
  RateShare share({.listener = "web", .rule = "", .limit = "slow"}, two_a_minute(), 1);
  for (std::uint64_t key = 1; key <= 100; ++key) admitted(share, key << 32 | key, now - 10min);
  admitted(share, 9, now);
  EXPECT_EQ(save(share, SavedKeys::Told, now).keys.size(), sizeof(RateTable::Entry));
  EXPECT_TRUE(save(share, SavedKeys::LeftOut, now).keys.empty());
}

TEST(SavedRate, OfAnotherLimitItMeansNothing) {
  const io::Instant now = io::Clock::now();
  RateShare share({.listener = "web", .rule = "", .limit = "slow"}, two_a_minute(), 1);
  const SavedRate saved = save(share, SavedKeys::Told, now);
  for (const auto change :
       {+[](config::RateLimit& limit) { limit.requests = 3; }, +[](config::RateLimit& limit) { limit.per = 1s; },
        +[](config::RateLimit& limit) { limit.burst = 5; },
        +[](config::RateLimit& limit) { limit.key.kind = config::RateKeyKind::Path; },
        +[](config::RateLimit& limit) { limit.ipv6_prefix = 56; }, +[](config::RateLimit& limit) { limit.keys = 8; }}) {
    config::RateLimit other = two_a_minute();
    change(other);
    EXPECT_EQ(restore(saved, other, 1), nullptr);
  }
}

// What another process tells is never trusted further than its bytes.
TEST(SavedRate, KeysThatAreCutAreLeftOut) {
  const io::Instant now = io::Clock::now();
  RateShare share({.listener = "web", .rule = "", .limit = "slow"}, two_a_minute(), 1);
  admitted(share, 7, now);
  SavedRate saved = save(share, SavedKeys::Told, now);
  for (std::size_t size = 0; size < saved.keys.size(); ++size) {
    SavedRate cut = saved;
    cut.keys.resize(size);
    EXPECT_NE(restore(cut, two_a_minute(), 1), nullptr);
  }
}

}  // namespace
}  // namespace ballast::traffic
