#include "io/acceptor.h"

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/run_in_loop.h"
#include "io/tcp.h"

namespace ballast::io {
namespace {

using namespace std::chrono_literals;

ListeningSocket listen_somewhere() {
  auto listening = ListeningSocket::bind(*SocketAddress::numeric("127.0.0.1", 0));
  EXPECT_TRUE(listening.has_value());
  return std::move(*listening);
}

int connect_to(const SocketAddress& address) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_GE(fd, 0);
  EXPECT_EQ(::connect(fd, address.get(), address.size()), 0);
  return fd;
}

TEST(Acceptor, TwoLoopsShareAListeningSocket) {
  constexpr int connections = 200;
  const ListeningSocket listening = listen_somewhere();
  std::atomic<int> accepted = 0;
  std::unique_ptr<Loop> loops[2] = {make_loop(), make_loop()};
  {
    std::vector<std::jthread> threads;
    for (auto& loop : loops) {
      threads.emplace_back([&listening, &accepted, &loop] {
        const Acceptor acceptor(
            *loop, listening.fd(),
            [&](int fd, const Peer& peer) {
              EXPECT_EQ(peer.host(), "127.0.0.1");
              EXPECT_NE(peer.port, 0);
              EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
              EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
              ::close(fd);
              if (++accepted == connections) accepted.notify_all();
            },
            [](const Error& error) { ADD_FAILURE() << error.text(); });
        loop->run();
      });
    }
    for (int i = 0; i < connections; ++i) ::close(connect_to(listening.address()));
    for (int seen = accepted; seen != connections; seen = accepted) {
      if (seen < connections) std::this_thread::yield();
    }
    for (auto& loop : loops) loop->stop();
  }
  EXPECT_EQ(accepted, connections);
}

TEST(Acceptor, OneWakeTakesAtMostABatch) {
  const ListeningSocket listening = listen_somewhere();
  auto loop = make_loop();
  std::vector<int> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(connect_to(listening.address()));
  int accepted = 0;
  int in_round = 0;
  const Acceptor acceptor(
      *loop, listening.fd(),
      [&](int fd, const Peer&) {
        ::close(fd);
        ++accepted;
        if (in_round++ == 0) {
          loop->at_round_end([&] {
            EXPECT_LE(in_round, Acceptor::batch_max);
            in_round = 0;
          });
        }
        if (accepted == 10) loop->stop();
      },
      [](const Error& error) { ADD_FAILURE() << error.text(); });
  loop->run();
  for (const int fd : clients) ::close(fd);
}

// Takes the descriptors away. The sanitizers need some themselves (they probe memory through a pipe), so they are away
// only while the acceptor tries.
class FewDescriptors final : private Timer {
 public:
  explicit FewDescriptors(Loop& loop) : loop_(loop) {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    // Probed now, so that this type is known when there are none.
    EXPECT_EQ(Error::from_errno(EMFILE, "probe").code(), Code::Exhausted);
    begin();
  }
  ~FewDescriptors() override { end(); }
  void begin() {
    rlimit few = before_;
    few.rlim_cur = 3;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  void end() { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0); }
  // At the end of the round in which a rest that begins now ends.
  void begin_after(Duration rest) { loop_.timers().arm(*this, loop_.now() + rest); }

 private:
  void expired() override {
    loop_.at_round_end([this] { begin(); });
  }
  Loop& loop_;
  rlimit before_{};
};

TEST(Acceptor, WithoutDescriptorsItRestsAndThenTakesThoseThatWaited) {
  const ListeningSocket listening = listen_somewhere();
  auto loop = make_loop();
  const int clients[2] = {connect_to(listening.address()), connect_to(listening.address())};
  int accepted = 0;
  std::vector<Instant> rests;
  FewDescriptors few(*loop);
  const Acceptor acceptor(
      *loop, listening.fd(),
      [&](int fd, const Peer&) {
        ::close(fd);
        if (++accepted == 2) loop->stop();
      },
      [&](const Error& error) {
        few.end();
        EXPECT_EQ(error.code(), Code::Exhausted);
        EXPECT_EQ(error.text(), "accept a connection: Too many open files");
        rests.push_back(Clock::now());
        if (rests.size() < 3) few.begin_after(100ms);
      });
  loop->run();
  ASSERT_EQ(rests.size(), 3U) << "said once a rest";
  EXPECT_GE(rests[1] - rests[0], 99ms);
  EXPECT_GE(rests[2] - rests[1], 99ms);
  for (const int fd : clients) ::close(fd);
}

TEST(Acceptor, OneThatEndsWhileItRestsIsNotCalledAgain) {
  const ListeningSocket listening = listen_somewhere();
  auto loop = make_loop();
  const int client = connect_to(listening.address());
  std::unique_ptr<Acceptor> acceptor;
  Scope scope(*loop);
  struct Later {
    static Task<void> stop(Loop& on) {
      co_await Sleep(on.after(150ms));
      on.stop();
    }
  };
  scope.spawn(Later::stop(*loop));
  FewDescriptors few(*loop);
  acceptor = std::make_unique<Acceptor>(
      *loop, listening.fd(), [](int, const Peer&) { ADD_FAILURE() << "accepted"; },
      [&](const Error&) {
        few.end();
        loop->post([&] { acceptor.reset(); });
      });
  loop->run();
  EXPECT_EQ(acceptor, nullptr);
  ::close(client);
}

}  // namespace
}  // namespace ballast::io
