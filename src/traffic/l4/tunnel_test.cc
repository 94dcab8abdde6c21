#include "traffic/l4/tunnel.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <optional>
#include <string>
#include <thread>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <gmock/gmock.h>

#include "io/link.h"
#include "io/pipe.h"
#include "io/run_in_loop.h"
#include "io/signals.h"

namespace ballast::traffic {
namespace {

using namespace std::chrono_literals;
using io::Link;
using io::Loop;

constexpr auto soon = 5s;

class TunnelTest : public testing::Test {
 protected:
  TunnelTest() { io::ignore_broken_pipes(); }
  ~TunnelTest() override { ::signal(SIGPIPE, SIG_DFL); }

  void run(io::Task<void> (*task)(Loop&, Link& client, Link& target), io::LinkBuffers buffers = {}) {
    auto loop = io::make_loop();
    Link client(*loop, io::LinkKind::Tcp, buffers);
    Link target(*loop, io::LinkKind::Tcp, buffers);
    io::run_in(*loop, task(*loop, client, target));
    EXPECT_EQ(loop->pipes().lent(), 0U);
  }
};

struct Passed {
  std::optional<TunnelResult> result;
};
io::Task<void> pass(Link& client, Link& target, Passed& passed, io::Duration idle = 20s, Bytes first = {}) {
  TunnelSides sides{.client = client.stream, .target = target.stream, .to_target = {}, .to_client = {}};
  sides.to_target.append(first);
  passed.result = co_await tunnel(sides, idle);
}

std::string receive_all(const Link& link) {
  std::string got;
  char part[50'000];
  for (ssize_t count = 0; (count = ::recv(link.peer, part, sizeof part, 0)) > 0;)
    got.append(part, static_cast<std::size_t>(count));
  return got;
}

// Much in both directions at once, in pieces of all sizes, with what was received before the tunnel in front.
io::Task<void> both_ways(Loop& loop, Link& client, Link& target) {
  const std::string up = io::pattern(5 * mib);
  const std::string down = io::pattern(9 * mib).substr(mib);
  Passed passed;
  io::Scope scope(loop);
  scope.spawn(pass(client, target, passed, 20s, "first;"));
  std::string got_up;
  std::string got_down;
  {
    const std::jthread readers[] = {std::jthread([&] { got_up = receive_all(target); }),
                                    std::jthread([&] { got_down = receive_all(client); })};
    const auto send_all = [](const Link& link, Bytes bytes) {
      for (std::size_t size = 1; !bytes.empty(); size = size * 3 % 300'007) {
        link.send(bytes.substr(0, size));
        bytes.remove_prefix(std::min(size, bytes.size()));
      }
      link.end_peer();
    };
    const std::jthread senders[] = {std::jthread([&] { send_all(client, up); }),
                                    std::jthread([&] { send_all(target, down); })};
    EXPECT_TRUE(co_await scope.closed(loop.after(20s)));
  }
  CO_ASSERT(passed.result.has_value());
  EXPECT_EQ(passed.result->end, TunnelEnd::Finished);
  EXPECT_EQ(passed.result->to_target_bytes, up.size() + 6);
  EXPECT_EQ(passed.result->to_client_bytes, down.size());
  EXPECT_TRUE(got_up == "first;" + up);
  EXPECT_TRUE(got_down == down);
}
TEST_F(TunnelTest, BringsEveryByteBothWays) {
  run(both_ways);
}
TEST_F(TunnelTest, BringsEveryByteBothWaysThroughNarrowPlaces) {
  run(both_ways, {.send = 20'000, .receive = 100'000});
}
TEST_F(TunnelTest, BringsEveryByteBothWaysWithoutPipes) {
  ::signal(SIGPIPE, SIG_DFL);
  run(both_ways);
}

// Whether so many bytes lie at the other end within `soon`; the loop goes on meanwhile.
io::Task<bool> arrived(Loop& loop, const Link& link, int bytes) {
  const io::Instant until = loop.fresh_now() + soon;
  int there = 0;
  while (::ioctl(link.peer, FIONREAD, &there) == 0 && there < bytes && loop.fresh_now() < until) {
    co_await io::Sleep(loop.after(1ms));
  }
  co_return there == bytes;
}

TEST_F(TunnelTest, LittleIsCopiedAndMuchIsNot) {
  run([](Loop& loop, Link& client, Link& target) -> io::Task<void> {
    Passed passed;
    io::Scope scope(loop);
    scope.spawn(pass(client, target, passed));
    for (int i = 0; i < 20; ++i) {
      client.send("question");
      CO_ASSERT(co_await arrived(loop, target, 8));
      EXPECT_EQ(target.receive(8), "question");
    }
    EXPECT_EQ(loop.pipes().idle(), 0U);

    const std::string bytes = io::pattern(4 * mib);
    std::string got;
    {
      std::atomic<std::size_t> received = 0;
      const std::jthread receiver([&] {
        got = client.receive(bytes.size());
        received = got.size();
      });
      const std::jthread sender([&] { target.send(bytes); });
      const io::Instant until = loop.fresh_now() + soon;
      while (received == 0 && loop.fresh_now() < until) co_await io::Sleep(loop.after(1ms));
    }
    EXPECT_TRUE(got == bytes);
    EXPECT_EQ(loop.pipes().idle(), 1U) << "copied";
    EXPECT_EQ(loop.pipes().lent(), 0U) << "kept while nothing passes";
    client.end_peer();
    target.end_peer();
    EXPECT_TRUE(co_await scope.closed(loop.after(soon)));
    EXPECT_EQ(passed.result->end, TunnelEnd::Finished);
  });
}

// How a tunnel ends when a sink takes no more and there are bytes in the pipe.
struct Mishap {
  const char* name;
  void (*happens)(Link& client, Link& target);
  TunnelEnd end;
};
io::Task<void> stuck(Loop& loop, Link& client, Link& target, const Mishap& mishap) {
  const std::string bytes = io::pattern(8 * mib);
  const io::Flood flood(client, bytes);
  Passed passed;
  io::Scope scope(loop);
  scope.spawn(pass(client, target, passed, 2s));
  const io::Instant until = loop.fresh_now() + soon;
  // A pipe is given back whenever the source has nothing; one that stays lent is stuck before the sink.
  int looks = 0;
  while (looks < 20 && loop.fresh_now() < until) {
    looks = loop.pipes().lent() == 1 ? looks + 1 : 0;
    co_await io::Sleep(loop.after(1ms));
  }
  EXPECT_EQ(looks, 20) << mishap.name;
  mishap.happens(client, target);
  EXPECT_TRUE(co_await scope.closed(loop.after(soon))) << mishap.name;
  EXPECT_EQ(passed.result->end, mishap.end) << mishap.name;
  EXPECT_EQ(loop.pipes().lent(), 0U) << mishap.name;
  EXPECT_EQ(loop.pipes().idle(), 0U) << mishap.name << ": a pipe with lost bytes is used again";
}
TEST_F(TunnelTest, ItsEndsAreThoseOfCopying) {
  const Mishap mishaps[] = {
      {"the target is reset", [](Link&, Link& target) { target.reset_peer(); }, TunnelEnd::TargetCut},
      {"nothing passes", [](Link&, Link&) {}, TunnelEnd::Idle},
  };
  for (const Mishap& mishap : mishaps) {
    auto loop = io::make_loop();
    Link client(*loop, io::LinkKind::Tcp);
    Link target(*loop, io::LinkKind::Tcp, {.send = 30'000, .receive = 100'000});
    io::run_in(*loop, stuck(*loop, client, target, mishap));
  }
}

}  // namespace
}  // namespace ballast::traffic
