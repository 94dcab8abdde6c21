#include "io/splice.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "io/link.h"
#include "io/run_in_loop.h"
#include "io/signals.h"
#include "io/tcp.h"

namespace ballast::io {
namespace {

using namespace std::chrono_literals;

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

// While it lives, descriptors from `max` on cannot be had.
class DescriptorsMax {
 public:
  explicit DescriptorsMax(rlim_t max) {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit now{max, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
  }
  ~DescriptorsMax() { setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorsMax(const DescriptorsMax&) = delete;

 private:
  rlimit before_{};
};

class Splicing : public testing::Test {
 protected:
  Splicing() { ignore_broken_pipes(); }
  ~Splicing() override { ::signal(SIGPIPE, SIG_DFL); }

  void run(Task<void> (*task)(Loop&, Link& from, Link& to), LinkBuffers buffers = {}) {
    const std::size_t before = open_descriptors();
    {
      auto loop = make_loop();
      Link from(*loop, LinkKind::Tcp, buffers);
      Link to(*loop, LinkKind::Tcp, buffers);
      run_in(*loop, task(*loop, from, to));
      EXPECT_EQ(loop->pipes().lent(), 0U);
    }
    EXPECT_EQ(open_descriptors(), before);
  }
};
using PipeTest = Splicing;
using MoverTest = Splicing;

// Until the loop has seen what happened on the other ends, on a machine that is not asleep.
template <typename Condition>
Task<bool> eventually(Loop& loop, Condition condition) {
  const Instant until = loop.fresh_now() + 10s;
  while (!condition()) {
    if (loop.fresh_now() >= until) co_return false;
    co_await Sleep(loop.after(1ms));
  }
  co_return true;
}

TEST_F(PipeTest, CarriesBytesAndTellsWhenThereAreNoMore) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    Pipe pipe = loop.pipes().take();
    CO_ASSERT(pipe.is_open());
    from.send("hello");
    Transfer got = pipe.fill(from.stream, 100);
    EXPECT_EQ(got.state, TransferState::Done);
    EXPECT_EQ(got.count, 5U);
    EXPECT_EQ(pipe.held(), 5U);
    EXPECT_TRUE(from.stream.may_read()) << "fewer than asked for tells nothing";
    const Transfer put = pipe.drain(to.stream);
    EXPECT_EQ(put.state, TransferState::Done);
    EXPECT_EQ(put.count, 5U);
    EXPECT_EQ(pipe.held(), 0U);
    EXPECT_EQ(to.receive(5), "hello");
    EXPECT_EQ(pipe.fill(from.stream, 100).state, TransferState::WouldBlock);
    EXPECT_FALSE(from.stream.may_read());

    from.send("abcdef");
    EXPECT_EQ(co_await from.stream.until_readable(loop.after(5s)), Wake::Event);
    got = pipe.fill(from.stream, 3);
    EXPECT_EQ(got.count, 3U);
    EXPECT_EQ(pipe.drain(to.stream).count, 3U);
    from.end_peer();
    EXPECT_EQ(pipe.fill(from.stream, 100).count, 3U);
    EXPECT_EQ(pipe.drain(to.stream).count, 3U);
    EXPECT_EQ(pipe.fill(from.stream, 100).state, TransferState::End);
    EXPECT_EQ(to.receive(6), "abcdef");
  });
}

TEST_F(PipeTest, ASinkThatTakesNothingIsWaitedFor) {
  run(
      [](Loop& loop, Link& from, Link& to) -> Task<void> {
        const std::string bytes = pattern(2 * mib);
        const Flood flood(from, bytes);
        Pipe pipe = loop.pipes().take();
        CO_ASSERT(pipe.is_open());
        std::size_t passed = 0;
        Transfer put{.state = TransferState::Done};
        while (put.state != TransferState::WouldBlock) {
          if (pipe.held() == 0) {
            const Transfer got = pipe.fill(from.stream, PipePool::pipe_bytes);
            if (got.state == TransferState::WouldBlock) {
              CO_ASSERT(co_await from.stream.until_readable(loop.after(5s)) == Wake::Event);
            }
            continue;
          }
          put = pipe.drain(to.stream);
          passed += put.count;
        }
        EXPECT_GT(pipe.held(), 0U);
        EXPECT_EQ(co_await to.stream.until_writable(loop.after(5ms)), Wake::Deadline) << "the flag was taken back";
        EXPECT_TRUE(to.receive(passed) == bytes.substr(0, passed));
        EXPECT_EQ(co_await to.stream.until_writable(loop.after(5s)), Wake::Event);
        EXPECT_EQ(pipe.drain(to.stream).state, TransferState::Done);
      },
      {.send = 32 * 1024, .receive = 32 * 1024});
}

// Small pieces fill a pipe long before its bytes do: the kernel says the same then as for an empty stream.
TEST_F(PipeTest, APipeFullOfSmallPiecesLosesNoReadiness) {
  auto loop = make_loop();
  Link from(*loop, LinkKind::Unix);  // keeps each piece apart
  Link to(*loop, LinkKind::Unix);
  std::string sent;
  for (int i = 0; i < 150; ++i) {
    const std::string piece = "piece " + std::to_string(i) + ";";
    from.send(piece);
    sent += piece;
  }
  Pipe pipe = loop->pipes().take();
  ASSERT_TRUE(pipe.is_open());
  std::size_t passed = 0;
  int rounds = 0;
  while (passed < sent.size()) {
    ASSERT_TRUE(from.stream.may_read());
    ASSERT_EQ(pipe.fill(from.stream, PipePool::pipe_bytes).state, TransferState::Done);
    ++rounds;
    while (pipe.held() != 0) passed += pipe.drain(to.stream).count;
  }
  EXPECT_GT(rounds, 1);
  EXPECT_EQ(to.receive(sent.size()), sent);
}

TEST_F(PipeTest, CutConnectionsAreErrorsAndNotTheEndOfTheProcess) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    Pipe pipe = loop.pipes().take();
    CO_ASSERT(pipe.is_open());
    from.send("some bytes");
    EXPECT_EQ(pipe.fill(from.stream, 4).count, 4U);
    to.reset_peer();
    const Transfer put = pipe.drain(to.stream);
    EXPECT_EQ(put.state, TransferState::Failed);
    EXPECT_EQ(put.code, Code::Reset);
    const Transfer again = pipe.drain(to.stream);  // EPIPE, and the signal
    EXPECT_EQ(again.state, TransferState::Failed);
    EXPECT_EQ(again.code, Code::Reset);
    EXPECT_EQ(pipe.held(), 4U);

    Pipe other = loop.pipes().take();
    CO_ASSERT(other.is_open());
    from.reset_peer();
    Transfer got = other.fill(from.stream, 100);
    if (got.state == TransferState::Done) {  // what came before the reset
      other = loop.pipes().take();
      got = other.fill(from.stream, 100);
    }
    EXPECT_EQ(got.state, TransferState::Failed);
    EXPECT_EQ(got.code, Code::Reset);
    co_return;
  });
}

TEST_F(PipeTest, IsUsedAgainOnlyWhenEmpty) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    PipePool& pool = loop.pipes();
    {
      Pipe pipe = pool.take();
      CO_ASSERT(pipe.is_open());
      from.send("secret");
      EXPECT_EQ(pipe.fill(from.stream, 100).count, 6U);
      EXPECT_EQ(pool.lent(), 1U);
    }
    EXPECT_EQ(pool.lent(), 0U);
    EXPECT_EQ(pool.idle(), 0U) << "one with bytes of another transfer";
    Pipe pipe = pool.take();
    from.send("mine");
    EXPECT_EQ(pipe.fill(from.stream, 100).count, 4U);
    EXPECT_EQ(pipe.drain(to.stream).count, 4U);
    EXPECT_EQ(to.receive(4), "mine");
    pipe.give_back();
    EXPECT_FALSE(pipe.is_open());
    EXPECT_EQ(pool.idle(), 1U);
    const std::size_t before = open_descriptors();
    pipe = pool.take();
    EXPECT_EQ(open_descriptors(), before) << "made anew with one at hand";
    co_return;
  });
}

TEST_F(PipeTest, AreBoundedInUseAndAtRest) {
  auto loop = make_loop();
  PipePool& pool = loop->pipes();
  const std::size_t before = open_descriptors();
  {
    std::vector<Pipe> pipes;
    for (std::size_t i = 0; i < PipePool::lent_max; ++i) {
      pipes.push_back(pool.take());
      if (!pipes.back().is_open() && ::geteuid() != 0) {
        GTEST_SKIP() << "this user may have " << i
                     << " pipes of that size (pipe-user-pages-soft), fewer than the bound";
      }
      ASSERT_TRUE(pipes.back().is_open()) << i;
    }
    EXPECT_FALSE(pool.take().is_open());
    EXPECT_EQ(pool.lent(), PipePool::lent_max);
    pipes.pop_back();
    EXPECT_TRUE(pool.take().is_open());
  }
  EXPECT_EQ(pool.lent(), 0U);
  EXPECT_EQ(pool.idle(), PipePool::idle_max);
  EXPECT_EQ(open_descriptors(), before + 2 * PipePool::idle_max);
  loop.reset();
  EXPECT_LT(open_descriptors(), before);
}

TEST_F(PipeTest, ThatCannotBeMadeAreAskedForAgainAfterASecond) {
  run([](Loop& loop, Link&, Link&) -> Task<void> {
    {
      const DescriptorsMax none(3);
      EXPECT_FALSE(loop.pipes().take().is_open());
    }
    EXPECT_FALSE(loop.pipes().take().is_open()) << "asks the system each time";
    co_await Sleep(loop.after(1001ms));
    EXPECT_TRUE(loop.pipes().take().is_open());
  });
}

TEST_F(PipeTest, AreNotLentWhereTheSignalWouldKill) {
  ::signal(SIGPIPE, SIG_DFL);
  auto loop = make_loop();
  EXPECT_FALSE(loop->pipes().take().is_open());
  EXPECT_EQ(loop->pipes().lent(), 0U);
}

constexpr auto soon = 5s;

struct Moved {
  std::optional<MoveEnd> end;
  bool running = true;
};
Task<void> move(Mover& mover, Moved& moved, Deadline pause = Deadline::never()) {
  moved.end = co_await mover.run(pause);
  moved.running = false;
}

struct Journey {
  LinkKind kind;
  std::uint32_t seed;
};
class MoverJourney : public Splicing, public testing::WithParamInterface<Journey> {};
INSTANTIATE_TEST_SUITE_P(
    Seeds, MoverJourney,
    testing::Values(Journey{LinkKind::Tcp, 1}, Journey{LinkKind::Tcp, 2}, Journey{LinkKind::Tcp, 3},
                    Journey{LinkKind::Tcp, 4}, Journey{LinkKind::Tcp, 5}, Journey{LinkKind::Tcp, 6},
                    Journey{LinkKind::Unix, 7}, Journey{LinkKind::Unix, 8}, Journey{LinkKind::Unix, 9}),
    [](const auto& journey) {
      return (journey.param.kind == LinkKind::Tcp ? "Tcp" : "Unix") + std::to_string(journey.param.seed);
    });

Task<void> journey(Loop& loop, Link& from, Link& to, std::uint64_t count, MoveEnd expected, const std::string& sent,
                   std::size_t to_come) {
  Mover mover(from.stream, to.stream, {.count = count, .source_idle = 20s, .sink_idle = 20s});
  EXPECT_EQ(co_await mover.run(Deadline::never()), expected);
  EXPECT_EQ(mover.taken(), to_come);
  EXPECT_EQ(mover.delivered(), to_come);
  EXPECT_EQ(from.low_water(), 1);
  to.stream.end();
  // What is not to be moved is still there.
  std::string rest;
  while (rest.size() < sent.size() - to_come) {
    std::string bytes(sent.size() - to_come - rest.size(), '\0');
    const Result<std::size_t> got = co_await from.stream.read(bytes.data(), bytes.size(), loop.after(soon));
    CO_ASSERT(got.has_value() && *got != 0);
    rest.append(bytes, 0, *got);
  }
  EXPECT_TRUE(rest == sent.substr(to_come));
}

TEST_P(MoverJourney, BringsEveryByteInItsPlace) {
  std::mt19937 random(GetParam().seed);
  const auto between = [&](std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>(low, high)(random);
  };
  for (int round = 0; round < 4; ++round) {
    // Receive buffers of a few segments make TCP wait for delayed acknowledgements, whoever reads.
    const auto send_buffer = [&] { return random() % 2 == 0 ? 0 : static_cast<int>(between(4'000, 100'000)); };
    const auto receive_buffer = [&] { return random() % 2 == 0 ? 0 : static_cast<int>(between(70'000, 200'000)); };
    const std::string sent = pattern(between(1, round == 0 ? 100'000 : 6 * mib));
    const bool whole = random() % 2 == 0;
    const std::size_t to_come = whole ? sent.size() : between(1, sent.size());
    const std::uint64_t count = whole && random() % 2 == 0 ? Mover::until_end : to_come;
    std::vector<std::size_t> sizes;
    for (std::size_t sum = 0; sum < sent.size(); sum += sizes.back()) {
      sizes.push_back(std::min(between(1, random() % 4 == 0 ? 300 : 200'000), sent.size() - sum));
    }
    const std::size_t read_max = between(500, 200'000);

    auto loop = make_loop();
    Link from(*loop, GetParam().kind, {.send = send_buffer(), .receive = receive_buffer()});
    Link to(*loop, GetParam().kind, {.send = send_buffer(), .receive = receive_buffer()});
    std::string got;
    {
      const std::jthread sender([&] {
        std::size_t at = 0;
        for (const std::size_t each : sizes) {
          from.send(Bytes(sent).substr(at, each));
          at += each;
        }
        from.end_peer();
      });
      const std::jthread receiver([&] {
        std::string part(read_max, '\0');
        for (ssize_t count_got = 0; (count_got = ::recv(to.peer, part.data(), part.size(), 0)) > 0;) {
          got.append(part, 0, static_cast<std::size_t>(count_got));
        }
      });
      const MoveEnd expected = count == Mover::until_end ? MoveEnd::SourceEnded : MoveEnd::Done;
      run_in(*loop, journey(*loop, from, to, count, expected, sent, to_come));
    }
    EXPECT_TRUE(got == sent.substr(0, to_come)) << "round " << round;
    EXPECT_EQ(loop->pipes().lent(), 0U);
  }
}

TEST_F(MoverTest, AnEndBeforeTheCountIsTold) {
  run([](Loop&, Link& from, Link& to) -> Task<void> {
    from.send("abc");
    from.end_peer();
    Mover mover(from.stream, to.stream, {.count = 4, .source_idle = soon, .sink_idle = soon});
    EXPECT_EQ(co_await mover.run(Deadline::never()), MoveEnd::SourceEnded);
    EXPECT_EQ(mover.delivered(), 3U);
    EXPECT_EQ(mover.held(), 0U);
    EXPECT_EQ(to.receive(3), "abc");
  });
}

TEST_F(MoverTest, AResetOfTheSourceIsTold) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    from.send("abc");
    Mover mover(from.stream, to.stream, {.count = mib, .source_idle = soon, .sink_idle = soon});
    Moved moved;
    Scope scope(loop);
    scope.spawn(move(mover, moved));
    EXPECT_TRUE(moved.running);
    EXPECT_EQ(to.receive(3), "abc");
    EXPECT_EQ(loop.pipes().lent(), 0U) << "waiting takes no pipe";
    EXPECT_EQ(loop.pipes().idle(), 1U);
    from.reset_peer();
    EXPECT_TRUE(co_await scope.closed(loop.after(soon)));
    EXPECT_EQ(moved.end, MoveEnd::SourceFailed);
    EXPECT_EQ(mover.code(), Code::Reset);
    EXPECT_EQ(mover.delivered(), 3U);
  });
}

TEST_F(MoverTest, TellsWhetherMoreHasComeThanItWasToMove) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    from.send("abcdef");
    Mover first(from.stream, to.stream, {.count = 3, .source_idle = soon, .sink_idle = soon});
    EXPECT_EQ(co_await first.run(Deadline::never()), MoveEnd::Done);
    EXPECT_TRUE(from.stream.may_read());
    Mover second(from.stream, to.stream, {.count = 3, .source_idle = soon, .sink_idle = soon});
    EXPECT_EQ(co_await second.run(Deadline::never()), MoveEnd::Done);
    EXPECT_FALSE(from.stream.may_read()) << "not known to be at rest";
    CO_ASSERT(from.stream.descriptor().watch_now());
    from.end_peer();
    EXPECT_EQ(co_await from.stream.until_readable(loop.after(soon)), Wake::Event);
    EXPECT_EQ(to.receive(6), "abcdef");
  });
}

constexpr LinkBuffers small{.send = 16 * 1024, .receive = 16 * 1024};

TEST_F(MoverTest, AResetOfTheSinkIsToldAndWhatWasLostWithIt) {
  run(
      [](Loop& loop, Link& from, Link& to) -> Task<void> {
        const std::string bytes = pattern(4 * mib);
        const Flood flood(from, bytes);
        Mover mover(from.stream, to.stream, {.count = bytes.size(), .source_idle = soon, .sink_idle = soon});
        Moved moved;
        Scope scope(loop);
        scope.spawn(move(mover, moved));
        CO_ASSERT(co_await eventually(loop, [&] { return mover.held() != 0; }));
        EXPECT_TRUE(to.receive(1000) == bytes.substr(0, 1000));
        EXPECT_EQ(loop.pipes().lent(), 1U);
        to.reset_peer();
        EXPECT_TRUE(co_await scope.closed(loop.after(soon)));
        EXPECT_EQ(moved.end, MoveEnd::SinkFailed);
        EXPECT_EQ(mover.code(), Code::Reset);
        EXPECT_GT(mover.held(), 0U);
        EXPECT_EQ(loop.pipes().idle(), 0U) << "the pipe with the lost bytes is gone with them";
      },
      small);
}

TEST_F(MoverTest, AnIdleSourceIsGivenUp) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    from.send("abc");
    Mover mover(from.stream, to.stream, {.count = mib, .source_idle = 30ms, .sink_idle = soon});
    const Instant began = loop.fresh_now();
    EXPECT_EQ(co_await mover.run(Deadline::never()), MoveEnd::SourceFailed);
    EXPECT_EQ(mover.code(), Code::TimedOut);
    EXPECT_GE(Clock::now() - began, 30ms);
    EXPECT_EQ(mover.delivered(), 3U);
    EXPECT_EQ(from.low_water(), 1);
  });
}

Task<void> trickle(Loop& loop, Link& from, int times) {
  for (int i = 0; i < times; ++i) {
    co_await Sleep(loop.after(50ms));
    from.send("x");
  }
}
TEST_F(MoverTest, EachByteRenewsThePatienceWithTheSource) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    Scope scope(loop);
    scope.spawn(trickle(loop, from, 20));
    Mover mover(from.stream, to.stream, {.count = 20, .source_idle = 600ms, .sink_idle = soon});
    EXPECT_EQ(co_await mover.run(Deadline::never()), MoveEnd::Done);
    EXPECT_TRUE(co_await scope.closed(loop.after(soon)));
  });
}

TEST_F(MoverTest, ASinkThatTakesNothingIsGivenUp) {
  run(
      [](Loop& loop, Link& from, Link& to) -> Task<void> {
        const std::string bytes = pattern(4 * mib);
        const Flood flood(from, bytes);
        Mover mover(from.stream, to.stream, {.count = bytes.size(), .source_idle = soon, .sink_idle = 30ms});
        EXPECT_EQ(co_await mover.run(Deadline::never()), MoveEnd::SinkFailed);
        EXPECT_EQ(mover.code(), Code::TimedOut);
        EXPECT_GT(mover.held(), 0U);
        EXPECT_GE(mover.waited_for_sink(), 30ms);
        EXPECT_TRUE(to.receive(mover.delivered()) == bytes.substr(0, mover.delivered()))
            << "all that it says it delivered";
      },
      small);
}

TEST_F(MoverTest, IsCalledOffWhileItWaitsForTheSource) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    from.send("abc");
    Mover mover(from.stream, to.stream, {.count = mib, .source_idle = soon, .sink_idle = soon, .gathering_max = soon});
    Moved moved;
    Scope scope(loop);
    scope.spawn(move(mover, moved));
    EXPECT_EQ(from.low_water(), 64 * 1024);
    scope.cancel();
    EXPECT_TRUE(co_await scope.closed(loop.after(soon)));
    EXPECT_EQ(moved.end, MoveEnd::Cancelled);
    EXPECT_EQ(mover.delivered(), 3U);
    EXPECT_EQ(from.low_water(), 1);
  });
}

TEST_F(MoverTest, IsCalledOffWhileItWaitsForTheSink) {
  run(
      [](Loop& loop, Link& from, Link& to) -> Task<void> {
        const std::string bytes = pattern(4 * mib);
        const Flood flood(from, bytes);
        Mover mover(from.stream, to.stream, {.count = Mover::until_end, .source_idle = soon, .sink_idle = soon});
        Moved moved;
        Scope scope(loop);
        scope.spawn(move(mover, moved));
        CO_ASSERT(co_await eventually(loop, [&] { return mover.held() != 0; }));
        scope.cancel();
        EXPECT_TRUE(co_await scope.closed(loop.after(soon)));
        EXPECT_EQ(moved.end, MoveEnd::Cancelled);
        EXPECT_GT(mover.held(), 0U);
      },
      small);
}

TEST_F(MoverTest, PausesAndGoesOn) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    from.send("abc");
    Mover mover(from.stream, to.stream, {.count = 6, .source_idle = 60ms, .sink_idle = soon});
    EXPECT_EQ(co_await mover.run(loop.after(20ms)), MoveEnd::Paused);
    EXPECT_EQ(mover.delivered(), 3U);
    from.send("def");
    EXPECT_EQ(co_await mover.run(loop.after(soon)), MoveEnd::Done);
    EXPECT_EQ(to.receive(6), "abcdef");

    Mover idle(from.stream, to.stream, {.count = 6, .source_idle = 60ms, .sink_idle = soon});
    const Instant began = loop.fresh_now();
    EXPECT_EQ(co_await idle.run(loop.after(40ms)), MoveEnd::Paused);
    EXPECT_EQ(co_await idle.run(loop.after(40ms)), MoveEnd::SourceFailed) << "a pause is no news of the source";
    EXPECT_LT(Clock::now() - began, 10s);
  });
}

TEST_F(MoverTest, GathersWhatIsMuchAndNotItsRest) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    constexpr std::size_t count = 600 * kib;
    const std::string bytes = pattern(count);
    Mover mover(from.stream, to.stream,
                {.count = count, .source_idle = soon, .sink_idle = soon, .gathering_max = soon});
    Moved moved;
    Scope scope(loop);
    scope.spawn(move(mover, moved));
    EXPECT_EQ(from.low_water(), 64 * 1024);
    from.send(Bytes(bytes).substr(0, 1000));
    co_await Sleep(loop.after(5ms));
    co_await Sleep(loop.after(5ms));
    EXPECT_EQ(mover.taken(), 0U) << "woken for less than the mark";

    std::string got;
    const std::jthread receiver([&] { got = to.receive(count); });
    const std::jthread sender([&] { from.send(Bytes(bytes).substr(1000, count - 11'000)); });
    CO_ASSERT(co_await eventually(loop, [&] { return mover.taken() == count - 10'000; }));
    EXPECT_EQ(from.low_water(), 10'000) << "more than that will never come";
    from.send(Bytes(bytes).substr(count - 10'000));
    EXPECT_TRUE(co_await scope.closed(loop.after(soon)));
    EXPECT_EQ(moved.end, MoveEnd::Done);
    EXPECT_EQ(from.low_water(), 1);
  });
}

TEST_F(MoverTest, LittleIsNotGathered) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    for (const std::uint64_t count : {std::uint64_t{512 * kib}, Mover::until_end}) {
      Mover mover(from.stream, to.stream, {.count = count, .source_idle = soon, .sink_idle = soon});
      Moved moved;
      Scope scope(loop);
      scope.spawn(move(mover, moved));
      EXPECT_EQ(from.low_water(), 1);
      co_await scope.close();
    }
  });
}

TEST_F(MoverTest, ASlowSourceIsNotKeptBack) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    Mover mover(from.stream, to.stream, {.count = mib, .source_idle = soon, .sink_idle = soon});
    Moved moved;
    Scope scope(loop);
    scope.spawn(move(mover, moved));
    for (std::size_t i = 1; i <= 5; ++i) {
      from.send("0123456789");
      CO_ASSERT(co_await eventually(loop, [&] { return mover.delivered() == 10 * i; }));
    }
    EXPECT_EQ(from.low_water(), 1);
    co_await scope.close();
  });
}

TEST_F(MoverTest, ASourceThatEndsBelowTheMarkIsSeen) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    Mover mover(from.stream, to.stream, {.count = mib, .source_idle = 20s, .sink_idle = soon, .gathering_max = 20s});
    Moved moved;
    Scope scope(loop);
    scope.spawn(move(mover, moved));
    from.send("last words");
    from.end_peer();
    EXPECT_TRUE(co_await scope.closed(loop.after(soon)));
    EXPECT_EQ(moved.end, MoveEnd::SourceEnded);
    EXPECT_EQ(mover.delivered(), 10U);
  });
}

TEST_F(MoverTest, WithoutAPipeNothingIsTaken) {
  run([](Loop& loop, Link& from, Link& to) -> Task<void> {
    from.send("abc");
    Mover mover(from.stream, to.stream, {.count = 3, .source_idle = soon, .sink_idle = soon});
    {
      const DescriptorsMax none(3);
      EXPECT_EQ(co_await mover.run(Deadline::never()), MoveEnd::NoPipe);
    }
    EXPECT_EQ(mover.taken(), 0U);
    char bytes[10];
    const Result<std::size_t> got = co_await from.stream.read(bytes, sizeof bytes, loop.after(soon));
    CO_ASSERT(got.has_value());
    EXPECT_EQ(Bytes(bytes, *got), "abc");
  });
}

}  // namespace
}  // namespace ballast::io
