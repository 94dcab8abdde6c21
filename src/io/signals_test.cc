#include "io/signals.h"

#include <csignal>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>

#include "io/run_in_loop.h"

namespace ballast::io {
namespace {

TEST(Signals, ArriveOnTheLoopByTheirNumber) {
  auto loop = make_loop();
  std::vector<int> seen;
  auto signals = Signals::make(*loop, {SIGUSR1, SIGHUP}, [&](int number) {
    seen.push_back(number);
    if (seen.size() == 3) loop->stop();
    if (seen.size() == 2) ::kill(::getpid(), SIGUSR1);
  });
  ASSERT_TRUE(signals.has_value());
  ::kill(::getpid(), SIGHUP);
  ::kill(::getpid(), SIGUSR1);
  loop->run();
  EXPECT_THAT(seen, testing::UnorderedElementsAre(SIGHUP, SIGUSR1, SIGUSR1));
}

TEST(Signals, OneThatIsPendingWhenTheyAreMadeArrives) {
  auto loop = make_loop();
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
  ::kill(::getpid(), SIGUSR2);
  int seen = 0;
  auto signals = Signals::make(*loop, {SIGUSR2}, [&](int number) {
    seen = number;
    loop->stop();
  });
  ASSERT_TRUE(signals.has_value());
  loop->run();
  EXPECT_EQ(seen, SIGUSR2);
}

}  // namespace
}  // namespace ballast::io
