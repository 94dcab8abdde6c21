#include "io/loop.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "io/run_in_loop.h"
#include "io/watcher.h"

namespace ballast::io {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

TEST(Loop, PostsOfEachThreadRunInTheirOrderAndNoneIsLost) {
  constexpr int threads = 4;
  constexpr int posts = 20'000;
  auto loop = make_loop();
  int next[threads] = {};
  int left = threads;
  const std::thread::id here = std::this_thread::get_id();
  std::vector<std::jthread> posters;
  for (int thread = 0; thread < threads; ++thread) {
    posters.emplace_back([&, thread] {
      for (int i = 0; i < posts; ++i) {
        loop->post([&, thread, i] {
          EXPECT_EQ(std::this_thread::get_id(), here);
          EXPECT_EQ(next[thread]++, i);
          if (next[thread] == posts && --left == 0) loop->stop();
        });
      }
    });
  }
  loop->run();
  for (const int count : next) EXPECT_EQ(count, posts);
}

TEST(Loop, APostWakesALoopThatSleeps) {
  // Round after round the loop has nothing else to do: a lost wakeup hangs here.
  auto loop = make_loop();
  std::atomic<int> rounds = 0;
  {
    const std::jthread other([&] {
      for (int i = 0; i < 2000; ++i) {
        loop->post([&] {
          ++rounds;
          rounds.notify_one();
        });
        rounds.wait(i);
      }
      loop->stop();
    });
    loop->run();
  }
  EXPECT_EQ(rounds, 2000);
}

TEST(Loop, StopBeforeRunEndsItAfterWhatWasPosted) {
  auto loop = make_loop();
  int ran = 0;
  loop->post([&] { ++ran; });
  loop->stop();
  loop->run();
  EXPECT_EQ(ran, 1);
  loop->post([&] { ++ran; });
  loop->stop();
  loop->run();
  EXPECT_EQ(ran, 2);
}

TEST(Loop, RoundEndWorkRunsAfterTheRoundAndBeforeTheNextWait) {
  auto loop = make_loop();
  std::vector<std::string> log;
  loop->post([&] {
    loop->at_round_end([&] {
      log.emplace_back("end");
      loop->at_round_end([&] { log.emplace_back("end of the end"); });
      loop->post([&] {
        log.emplace_back("next round");
        loop->stop();
      });
    });
    log.emplace_back("posted 1");
  });
  loop->post([&] { log.emplace_back("posted 2"); });
  loop->run();
  EXPECT_THAT(log, ElementsAre("posted 1", "posted 2", "end", "end of the end", "next round"));
}

Task<void> sleeps(Loop& loop) {
  for (const Duration length : {Duration(0), Duration(1), Duration(900us), Duration(5ms), Duration(260ms)}) {
    const Instant began = loop.fresh_now();
    EXPECT_TRUE(co_await Sleep(loop.after(length)));
    EXPECT_GE(Clock::now() - began, length);
  }
  EXPECT_TRUE(co_await Sleep(Deadline::at(loop.now() - 1s)));
}
TEST(Loop, SleepIsNeverShort) {
  auto loop = make_loop();
  run_in(*loop, sleeps(*loop));
}

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe2(ends_, O_CLOEXEC | O_NONBLOCK), 0); }
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int read_end() const { return ends_[0]; }
  void write(const char* text) const { EXPECT_GT(::write(ends_[1], text, 1), 0); }

 private:
  int ends_[2] = {-1, -1};
};

TEST(Watcher, CallsAgainWhileTheDescriptorIsReadyAndMayEndFromWithin) {
  auto loop = make_loop();
  const Pipe pipe;
  pipe.write("x");  // and is not read: level-triggered
  int calls = 0;
  std::unique_ptr<Watcher> watcher;
  watcher = std::make_unique<Watcher>(*loop, pipe.read_end(), Interest{.read = true}, [&] {
    if (++calls == 3) {
      watcher.reset();
      loop->stop();
    }
  });
  loop->run();
  EXPECT_EQ(calls, 3);
  // It can be watched again at once.
  watcher = std::make_unique<Watcher>(*loop, pipe.read_end(), Interest{.read = true}, [&] {
    ++calls;
    loop->stop();
  });
  loop->run();
  EXPECT_GE(calls, 4);
}

TEST(Watcher, OneMayEndAnotherWhoseEventIsInTheSameRound) {
  auto loop = make_loop();
  const Pipe first;
  const Pipe second;
  first.write("x");
  second.write("x");
  std::unique_ptr<Watcher> watchers[2];
  int calls = 0;
  watchers[0] = std::make_unique<Watcher>(*loop, first.read_end(), Interest{.read = true}, [&] {
    ++calls;
    watchers[1].reset();
    watchers[0].reset();
    loop->stop();
  });
  watchers[1] = std::make_unique<Watcher>(*loop, second.read_end(), Interest{.read = true}, [&] {
    ++calls;
    watchers[0].reset();
    watchers[1].reset();
    loop->stop();
  });
  loop->run();
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace ballast::io
