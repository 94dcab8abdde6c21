#include "traffic/protect/rate_table.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

using namespace std::chrono_literals;

constexpr io::Instant start{std::chrono::hours(1000)};

Rate ten_a_second(std::uint32_t burst) {
  return Rate::of({.requests = 10, .per = 1s, .burst = burst});
}

// How many of `count` at once are admitted.
int admitted(RateTable& table, std::uint64_t key, const Rate& rate, io::Instant now, int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += table.ask(key, rate, now).admitted ? 1 : 0;
  return sum;
}

TEST(RateTable, AdmitsTheBurstAndThenTheRate) {
  RateTable table(1024);
  const Rate rate = ten_a_second(5);
  EXPECT_EQ(admitted(table, 7, rate, start, 100), 5);
  EXPECT_EQ(admitted(table, 7, rate, start + 99ms, 100), 0);
  EXPECT_EQ(admitted(table, 7, rate, start + 100ms, 100), 1);
  EXPECT_EQ(admitted(table, 7, rate, start + 350ms, 100), 2) << "at 200 and 300; half of the next is there";
  EXPECT_EQ(admitted(table, 7, rate, start + 400ms, 100), 1);
  EXPECT_EQ(admitted(table, 7, rate, start + 899ms, 100), 4);
  EXPECT_EQ(admitted(table, 7, rate, start + 900ms, 100), 1);
}

TEST(RateTable, CountsExactlyOverALongTime) {
  RateTable table(1024);
  const Rate rate = ten_a_second(20);
  int sum = 0;
  for (io::Duration at = 0ms; at < 600s; at += 7ms) sum += table.ask(3, rate, start + at).admitted ? 1 : 0;
  EXPECT_EQ(sum, 20 + 5999) << "the burst, and one each tenth of a second behind it";
}

TEST(RateTable, ALongRestGivesOneBurstAndNoMore) {
  RateTable table(1024);
  const Rate rate = ten_a_second(5);
  EXPECT_EQ(admitted(table, 7, rate, start, 100), 5);
  EXPECT_EQ(admitted(table, 7, rate, start + std::chrono::hours(24 * 365), 100), 5);
  EXPECT_EQ(admitted(table, 7, rate, start + std::chrono::hours(24 * 365) + 500ms, 100), 5);
}

TEST(RateTable, SaysWhenToComeBackAndKeepsIt) {
  RateTable table(1024);
  const Rate rate = Rate::of({.requests = 3, .per = 60s, .burst = 3});
  EXPECT_EQ(admitted(table, 7, rate, start, 3), 3);
  const RateTable::Verdict first = table.ask(7, rate, start);
  EXPECT_FALSE(first.admitted);
  EXPECT_EQ(first.wait, 20s);
  const RateTable::Verdict later = table.ask(7, rate, start + 12500ms);
  EXPECT_FALSE(later.admitted) << "being refused costs nothing";
  EXPECT_EQ(later.wait, 7500ms);
  EXPECT_FALSE(table.ask(7, rate, start + 20s - 1ns).admitted);
  EXPECT_TRUE(table.ask(7, rate, start + 20s).admitted);
}

TEST(RateTable, ABurstOfOneIsAnEvenRate) {
  RateTable table(1024);
  const Rate rate = ten_a_second(1);
  EXPECT_EQ(admitted(table, 7, rate, start, 10), 1);
  EXPECT_EQ(admitted(table, 7, rate, start + 100ms, 10), 1);
  EXPECT_EQ(admitted(table, 7, rate, start + 1s, 10), 1);
}

TEST(RateTable, AClockThatIsBehindGivesNothingAway) {
  RateTable table(1024);
  const Rate rate = ten_a_second(5);
  EXPECT_EQ(admitted(table, 7, rate, start + 50ms, 100), 5);
  EXPECT_EQ(admitted(table, 7, rate, start, 100), 0);
  EXPECT_EQ(table.ask(7, rate, start).wait, 150ms);
  EXPECT_EQ(admitted(table, 7, rate, start + 150ms, 100), 1);
}

TEST(RateTable, KeysDoNotShare) {
  RateTable table(1024);
  const Rate rate = ten_a_second(2);
  // Of one set, each in a place of its own.
  for (std::uint64_t key = 0; key < 8; ++key) {
    EXPECT_EQ(admitted(table, key << 32U, rate, start, 10), 2) << key;
  }
  for (std::uint64_t key = 0; key < 8; ++key) {
    EXPECT_EQ(admitted(table, key << 32U, rate, start, 10), 0) << key;
  }
}

TEST(RateTable, MakesRoomWhereItIsNeededLeastAndSaysSo) {
  RateTable table(1024);
  const Rate rate = ten_a_second(50);
  for (std::uint64_t key = 1; key <= 8; ++key) {
    for (std::uint64_t i = 0; i < key * 3; ++i) EXPECT_FALSE(table.ask(key << 32U, rate, start).has_displaced);
  }
  // A ninth of the same set: the first, which had used 3 of 50, is forgotten; the newcomer begins with a whole burst.
  EXPECT_TRUE(table.ask(9ULL << 32U, rate, start).has_displaced);
  EXPECT_EQ(admitted(table, 9ULL << 32U, rate, start, 100), 49);
  EXPECT_EQ(admitted(table, 8ULL << 32U, rate, start, 100), 50 - 24) << "nobody else has lost anything";
  // Later their times are past: places are free, and taking one is no displacement.
  EXPECT_FALSE(table.ask(10ULL << 32U, rate, start + 10s).has_displaced);
}

TEST(RateTable, FarTooSmallItStillLimitsWhoComesMost) {
  RateTable table(8);
  ASSERT_EQ(table.places(), 8U);
  const Rate rate = Rate::of({.requests = 10, .per = 1s, .burst = 10});
  std::mt19937_64 random(1);
  int hot = 0;
  int others = 0;
  int refused_others = 0;
  for (int ms = 0; ms < 10'000; ++ms) {
    // Each millisecond one request of the hot key, and two of keys that are never seen again.
    hot += table.ask(1, rate, start + std::chrono::milliseconds(ms)).admitted ? 1 : 0;
    for (int i = 0; i < 2; ++i, ++others) {
      refused_others += table.ask(random() | 2U, rate, start + std::chrono::milliseconds(ms)).admitted ? 0 : 1;
    }
  }
  EXPECT_GE(hot, 100);
  EXPECT_LE(hot, 120) << "of 10,000; exactly would be 110";
  EXPECT_EQ(refused_others, 0) << "of " << others;
}

TEST(RateTable, SeveralThreadsAdmitExactlyWhatIsPermitted) {
  constexpr int threads = 4;
  constexpr int rounds = 200;
  RateTable table(1024);
  const Rate rate = Rate::of({.requests = 1000, .per = 1s, .burst = 1000});
  for (int round = 0; round < rounds; ++round) {
    // Each time a key that is new to its set: the threads find no place for it in the same moment.
    const std::uint64_t key = (static_cast<std::uint64_t>(round) + 1) << 32U;
    std::atomic<int> sum = 0;
    std::latch ready(threads);
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t) {
      all.emplace_back([&] {
        ready.arrive_and_wait();
        sum += admitted(table, key, rate, start + std::chrono::seconds(10) * round, 500);
      });
    }
    for (std::thread& each : all) each.join();
    ASSERT_EQ(sum, 1000) << "round " << round;
  }
}

// Each key's first request comes to all threads at about the same time: they find no place for it, and agree on one.
TEST(RateTable, SeveralThreadsAgreeOnThePlaceOfANewKey) {
  constexpr int threads = 2;
  constexpr std::uint64_t keys = 100'000;
  RateTable table(1024);
  const Rate rate = Rate::of({.requests = 1, .per = 1s, .burst = 1});
  std::vector<std::atomic<std::uint64_t>> at(threads);
  std::atomic<std::uint64_t> sum = 0;
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, mine = static_cast<std::size_t>(t)] {
      std::uint64_t count = 0;
      for (std::uint64_t key = 1; key <= keys; ++key) {
        at[mine] = key;
        // Nobody is a key ahead, and every key has a time of its own, at which all places are free.
        for (int looks = 0; at[1 - mine] < key; ++looks) {
          if (looks > 1'000) std::this_thread::yield();  // there is one processor for both
        }
        count += table.ask(key, rate, start + std::chrono::seconds(2) * key).admitted ? 1 : 0;
      }
      at[mine] = keys + 1;
      sum += count;
    });
  }
  for (std::thread& each : all) each.join();
  EXPECT_EQ(sum, keys);
}

// Many keys in a table with room for none of them: nobody gets stuck, and nobody pays for what others have used up.
TEST(RateTable, SeveralThreadsAndTooFewPlaces) {
  constexpr int threads = 4;
  RateTable table(8);
  const Rate rate = Rate::of({.requests = 1, .per = 1s, .burst = 1});
  std::atomic<int> sum = 0;
  std::latch ready(threads);
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      ready.arrive_and_wait();
      std::mt19937_64 random(static_cast<std::uint64_t>(t));
      int mine = 0;
      for (int i = 0; i < 50'000; ++i) mine += table.ask(random() | 1U, rate, start).admitted ? 1 : 0;
      sum += mine;
    });
  }
  for (std::thread& each : all) each.join();
  EXPECT_GE(sum, threads * 50'000 / 2) << "everybody is new; how many lose a race is luck";
}

}  // namespace
}  // namespace ballast::traffic
