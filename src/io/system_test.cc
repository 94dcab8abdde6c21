#include "io/system.h"

#include <cstdlib>
#include <vector>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/thread.h"

namespace ballast::io {
namespace {

TEST(System, CountsDescriptors) {
  const std::size_t before = open_descriptor_count();
  EXPECT_GE(before, 3U);
  const int one = ::dup(0);
  const int two = ::dup(0);
  EXPECT_EQ(open_descriptor_count(), before + 2);
  ::close(one);
  ::close(two);
  EXPECT_EQ(open_descriptor_count(), before);
}

TEST(System, RaisesTheLimitOfDescriptors) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(descriptor_limit(), 64U);
  EXPECT_EQ(raise_descriptor_limit().value(), before.rlim_max);
  EXPECT_EQ(descriptor_limit(), before.rlim_max);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(System, ResidentMemoryFollowsUse) {
  const std::uint64_t before = resident_memory_bytes();
  EXPECT_GT(before, 1'000'000U);
  const std::vector<char> touched(64 << 20, 'x');
  asm volatile("" ::"r"(touched.data()) : "memory");  // not to be optimised away
  EXPECT_GT(resident_memory_bytes(), before + (32 << 20));
}

TEST(System, ProcessorsAreThoseThisThreadMayUse) {
  EXPECT_GE(cpu_count(), 1U);
  Thread pinned("pinned", [] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(cpu_count(), 1U);
  });
}

TEST(System, Environment) {
  ::setenv("BALLAST_SYSTEM_TEST", "x=y", 1);
  EXPECT_EQ(environment("BALLAST_SYSTEM_TEST"), "x=y");
  ::unsetenv("BALLAST_SYSTEM_TEST");
  EXPECT_EQ(environment("BALLAST_SYSTEM_TEST"), std::nullopt);
}

TEST(System, TheWallClockIsOfThisCentury) {
  EXPECT_GT(now_wall().time_since_epoch(), std::chrono::hours(24 * 365 * 50));
}

TEST(Thread, HasItsNameAndIsJoined) {
  char name[32] = {};
  bool ended = false;
  {
    Thread thread("a-name-that-is-too-long", [&] {
      pthread_getname_np(pthread_self(), name, sizeof name);
      ended = true;
    });
    Thread moved = std::move(thread);
    EXPECT_FALSE(thread.is_running());
    EXPECT_TRUE(moved.is_running());
  }
  EXPECT_TRUE(ended);
  EXPECT_STREQ(name, "a-name-that-is-");
}

TEST(Thread, AssigningJoinsTheOldOne) {
  bool first = false;
  bool second = false;
  Thread thread("first", [&] { first = true; });
  thread = Thread("second", [&] { second = true; });
  EXPECT_TRUE(first);
  thread = Thread();
  EXPECT_TRUE(second);
}

}  // namespace
}  // namespace ballast::io
