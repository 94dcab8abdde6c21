#include "wire/http/relay.h"

#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "io/link.h"
#include "io/pipe.h"
#include "io/run_in_loop.h"
#include "io/signals.h"
#include "wire/http/connection.h"
#include "wire/http/file_body.h"

namespace ballast::http {
namespace {

using namespace std::chrono_literals;
using io::Link;
using io::Loop;

constexpr auto soon = 5s;
constexpr RelayLimits no_hurry{.source_idle = soon, .sink_idle = soon};

// A body that comes over one connection and goes out over another.
class RelayTest : public testing::Test {
 protected:
  RelayTest() { io::ignore_broken_pipes(); }
  ~RelayTest() override { ::signal(SIGPIPE, SIG_DFL); }

  void run(io::Task<void> (*task)(Loop&, Link& from, Link& to), io::LinkBuffers buffers = {}) {
    auto loop = io::make_loop();
    Link from(*loop, io::LinkKind::Tcp, buffers);
    Link to(*loop, io::LinkKind::Tcp, buffers);
    io::run_in(*loop, task(*loop, from, to));
    EXPECT_EQ(loop->pipes().lent(), 0U);
  }
};

// The other end of the sink: takes all there is, on a thread of its own.
class Receiver {
 public:
  explicit Receiver(Link& link) : link_(link), thread_([this] { take(); }) {}
  // After the end of the stream has been sent.
  std::string all() {
    link_.stream.end();
    thread_.join();
    return std::move(got_);
  }

 private:
  void take() {
    char part[50'000];
    for (ssize_t count = 0; (count = ::recv(link_.peer, part, sizeof part, 0)) > 0;) {
      got_.append(part, static_cast<std::size_t>(count));
    }
  }
  Link& link_;
  std::string got_;
  std::jthread thread_;
};

struct Relayed {
  std::optional<RelayResult> result;
};
io::Task<void> relay_to(Relayed& relayed, Body& body, Framing framing, io::Stream& sink, RelayLimits limits) {
  Buffer out;
  relayed.result = co_await relay(out, body, framing, sink, limits);
  EXPECT_TRUE(out.empty() || relayed.result->end != RelayEnd::Done);
}

constexpr std::size_t long_bytes = 3 * mib;

TEST_F(RelayTest, ALongBodyIsMovedAndWhatFollowsItIsNot) {
  run([](Loop& loop, Link& from, Link& to) -> io::Task<void> {
    const std::string bytes = io::pattern(long_bytes);
    const std::string sent = bytes + "next";
    const io::Flood flood(from, sent);
    Receiver receiver(to);
    Connection connection(loop, from.stream);
    ConnectionBody body(connection);
    body.begin(Framing::Length, long_bytes, {});
    Buffer out;
    out.append(Bytes("head"));
    const RelayResult result = co_await relay(out, body, Framing::Length, to.stream, no_hurry);
    EXPECT_EQ(result.end, RelayEnd::Done);
    EXPECT_EQ(result.body_bytes, long_bytes);
    EXPECT_TRUE(body.ended());
    EXPECT_TRUE(receiver.all() == "head" + bytes);
    EXPECT_EQ(loop.pipes().idle(), 1U) << "copied";
    char rest[10];
    const Result<std::size_t> got = co_await from.stream.read(rest, sizeof rest, loop.after(soon));
    CO_ASSERT(got.has_value());
    EXPECT_EQ(Bytes(rest, *got), "next");
  });
}

TEST_F(RelayTest, ABodyUntilTheEndIsMoved) {
  run([](Loop& loop, Link& from, Link& to) -> io::Task<void> {
    const std::string bytes = io::pattern(long_bytes);
    Receiver receiver(to);
    Connection connection(loop, from.stream);
    ConnectionBody body(connection);
    body.begin(Framing::UntilClose, 0, {});
    Relayed relayed;
    io::Scope scope(loop);
    {
      scope.spawn(relay_to(relayed, body, Framing::UntilClose, to.stream, no_hurry));
      const std::jthread sender([&] {
        from.send(bytes);
        from.end_peer();
      });
      EXPECT_TRUE(co_await scope.closed(loop.after(soon)));
    }
    CO_ASSERT(relayed.result.has_value());
    EXPECT_EQ(relayed.result->end, RelayEnd::Done);
    EXPECT_EQ(relayed.result->body_bytes, long_bytes);
    EXPECT_TRUE(body.ended());
    EXPECT_TRUE(receiver.all() == bytes);
    EXPECT_EQ(loop.pipes().idle(), 1U) << "copied";
  });
}

TEST_F(RelayTest, WhatNeedsFramingOrIsShortIsCopied) {
  struct Case {
    Framing in;
    Framing out;
    std::size_t bytes;
  };
  for (const Case each :
       {Case{Framing::UntilClose, Framing::Chunked, long_bytes}, Case{Framing::Length, Framing::Chunked, long_bytes},
        Case{Framing::Length, Framing::Length, 60'000}}) {
    auto loop = io::make_loop();
    Link from(*loop, io::LinkKind::Tcp);
    Link to(*loop, io::LinkKind::Tcp);
    const std::string bytes = io::pattern(each.bytes);
    Receiver receiver(to);
    Connection connection(*loop, from.stream);
    ConnectionBody body(connection);
    body.begin(each.in, each.bytes, {});
    Relayed relayed;
    {
      const std::jthread sender([&] {
        from.send(bytes);
        from.end_peer();
      });
      io::run_in(*loop, relay_to(relayed, body, each.out, to.stream, no_hurry));
    }
    EXPECT_EQ(relayed.result->end, RelayEnd::Done);
    EXPECT_EQ(relayed.result->body_bytes, each.bytes);
    EXPECT_EQ(loop->pipes().idle(), 0U);
    const std::string got = receiver.all();
    if (each.out == Framing::Chunked) {
      EXPECT_GT(got.size(), bytes.size());
      EXPECT_TRUE(got.ends_with("\r\n0\r\n\r\n"));
    } else {
      EXPECT_TRUE(got == bytes);
    }
  }
}

TEST_F(RelayTest, WithoutAPipeALongBodyIsCopied) {
  ::signal(SIGPIPE, SIG_DFL);  // one reason for having none
  run([](Loop& loop, Link& from, Link& to) -> io::Task<void> {
    const std::string bytes = io::pattern(long_bytes);
    const io::Flood flood(from, bytes);
    Receiver receiver(to);
    Connection connection(loop, from.stream);
    ConnectionBody body(connection);
    body.begin(Framing::Length, long_bytes, {});
    Relayed relayed;
    co_await relay_to(relayed, body, Framing::Length, to.stream, no_hurry);
    EXPECT_EQ(relayed.result->end, RelayEnd::Done);
    EXPECT_TRUE(receiver.all() == bytes);
    EXPECT_EQ(loop.pipes().idle(), 0U);
  });
}

TEST_F(RelayTest, TheBoundOnABodyHoldsWhenItIsMoved) {
  for (const Framing framing : {Framing::UntilClose, Framing::Length}) {
    auto loop = io::make_loop();
    Link from(*loop, io::LinkKind::Tcp);
    Link to(*loop, io::LinkKind::Tcp);
    const std::string bytes = io::pattern(long_bytes);
    const io::Flood flood(from, bytes);
    Receiver receiver(to);
    Connection connection(*loop, from.stream);
    ConnectionBody body(connection);
    body.begin(framing, long_bytes, {});
    Relayed relayed;
    io::run_in(*loop,
               relay_to(relayed, body, framing, to.stream, {.source_idle = soon, .sink_idle = soon, .bytes_max = mib}));
    EXPECT_EQ(relayed.result->end, RelayEnd::SourceTooLarge);
    EXPECT_TRUE(receiver.all() == bytes.substr(0, mib));
    EXPECT_EQ(loop->pipes().idle(), 1U) << "copied";
  }
}

// A client that sends much at once and then trickles, once in each of many windows.
io::Task<void> trickle(Loop& loop, Link& from) {
  while (co_await io::Sleep(loop.after(10ms))) ::send(from.peer, "x", 1, MSG_NOSIGNAL);
}
TEST_F(RelayTest, ASourceThatTricklesIsTooSlowWhenItIsMoved) {
  run([](Loop& loop, Link& from, Link& to) -> io::Task<void> {
    ::send(from.peer, "abc", 3, 0);
    Connection connection(loop, from.stream);
    ConnectionBody body(connection);
    body.begin(Framing::Length, 100 * mib, {});
    Relayed relayed;
    io::Scope scope(loop);
    scope.spawn(trickle(loop, from));
    co_await relay_to(relayed, body, Framing::Length, to.stream,
                      {.source_idle = soon, .sink_idle = soon, .rate_min = 10'000, .rate_window = 50ms});
    EXPECT_EQ(relayed.result->end, RelayEnd::SourceTooSlow);
    EXPECT_GT(relayed.result->body_bytes, 3U);
    EXPECT_EQ(*body.left(), 100 * mib - relayed.result->body_bytes);
    co_await scope.close();
  });
}
TEST_F(RelayTest, ASourceOfEnoughIsNotTooSlowWhenItIsMoved) {
  run([](Loop& loop, Link& from, Link& to) -> io::Task<void> {
    Connection connection(loop, from.stream);
    ConnectionBody body(connection);
    body.begin(Framing::Length, 100 * mib, {});
    Relayed relayed;
    io::Scope source(loop);
    io::Scope scope(loop);
    source.spawn(trickle(loop, from));
    scope.spawn(relay_to(relayed, body, Framing::Length, to.stream,
                         {.source_idle = soon, .sink_idle = soon, .rate_min = 1, .rate_window = 50ms}));
    EXPECT_FALSE(co_await scope.closed(loop.after(300ms)));
    co_await scope.close();
    co_await source.close();
    CO_ASSERT(relayed.result.has_value());
    EXPECT_EQ(relayed.result->end, RelayEnd::Cancelled);
    EXPECT_EQ(relayed.result->code, Code::Cancelled);
  });
}

// What becomes of a long body whose first bytes have come, when something happens then.
struct Mishap {
  const char* name;
  Framing framing;
  void (*happens)(Link& from, Link& to);
  RelayLimits limits;
  RelayEnd end;
  Code code;
};
io::Task<void> befall(Loop& loop, Link& from, Link& to, const Mishap& mishap) {
  co_await io::Sleep(loop.after(2ms));
  mishap.happens(from, to);
}
io::Task<void> relay_with(Loop& loop, Link& from, Link& to, const Mishap& mishap) {
  from.send("abc");
  Connection connection(loop, from.stream);
  ConnectionBody body(connection);
  body.begin(mishap.framing, long_bytes, {});
  Relayed relayed;
  io::Scope scope(loop);
  scope.spawn(befall(loop, from, to, mishap));
  co_await relay_to(relayed, body, mishap.framing, to.stream, mishap.limits);
  co_await scope.close();
  EXPECT_EQ(loop.pipes().lent() + loop.pipes().idle(), mishap.end == RelayEnd::SinkFailed ? 0U : 1U) << mishap.name;
  EXPECT_EQ(relayed.result->end, mishap.end) << mishap.name;
  EXPECT_EQ(relayed.result->code, mishap.code) << mishap.name;
}

TEST_F(RelayTest, FailuresAreThoseOfCopying) {
  constexpr RelayLimits impatient{.source_idle = 20ms, .sink_idle = 20ms};
  const Mishap mishaps[] = {
      {"the length is not reached", Framing::Length, [](Link& from, Link&) { from.end_peer(); }, no_hurry,
       RelayEnd::SourceFailed, Code::Closed},
      {"the source is reset", Framing::Length, [](Link& from, Link&) { from.reset_peer(); }, no_hurry,
       RelayEnd::SourceFailed, Code::Reset},
      {"the source is reset, no length", Framing::UntilClose, [](Link& from, Link&) { from.reset_peer(); }, no_hurry,
       RelayEnd::SourceFailed, Code::Reset},
      {"nothing more comes", Framing::Length, [](Link&, Link&) {}, impatient, RelayEnd::SourceFailed, Code::TimedOut},
      {"the sink is reset", Framing::Length,
       [](Link& from, Link& to) {
         to.reset_peer();
         from.send("more");
       },
       no_hurry, RelayEnd::SinkFailed, Code::Reset},
  };
  for (const Mishap& mishap : mishaps) {
    auto loop = io::make_loop();
    Link from(*loop, io::LinkKind::Tcp);
    Link to(*loop, io::LinkKind::Tcp);
    io::run_in(*loop, relay_with(*loop, from, to, mishap));
  }
}

TEST_F(RelayTest, ASinkThatTakesNoMoreIsGivenUpWhenItIsMovedTo) {
  run(
      [](Loop& loop, Link& from, Link& to) -> io::Task<void> {
        const std::string bytes = io::pattern(long_bytes);
        const io::Flood flood(from, bytes);
        Connection connection(loop, from.stream);
        ConnectionBody body(connection);
        body.begin(Framing::Length, long_bytes, {});
        Relayed relayed;
        co_await relay_to(relayed, body, Framing::Length, to.stream, {.source_idle = soon, .sink_idle = 20ms});
        EXPECT_EQ(relayed.result->end, RelayEnd::SinkFailed);
        EXPECT_EQ(relayed.result->code, Code::TimedOut);
        EXPECT_EQ(*body.left(), long_bytes - relayed.result->body_bytes);
      },
      {.send = 100 * 1024, .receive = 100 * 1024});
}

// A file that the tests write.
class FileRelayTest : public RelayTest {
 protected:
  static io::ReadFile file(Bytes content) {
    std::string name = testing::TempDir() + "relay_test.XXXXXX";
    const int fd = ::mkstemp(name.data());
    EXPECT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    ::close(fd);
    const std::size_t slash = name.rfind('/');
    io::ReadFile opened =
        std::move(io::Folder::open(name.substr(0, slash)).value().open_file(name.substr(slash + 1)).value());
    last_name = name;
    return opened;
  }
  ~FileRelayTest() override { ::unlink(last_name.c_str()); }
  static inline std::string last_name;
};

TEST_F(FileRelayTest, AFileIsSentWhateverItsSize) {
  run([](Loop& loop, Link&, Link& to) -> io::Task<void> {
    std::string expected;
    Receiver receiver(to);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, 8 * kib, 64 * kib, 64 * kib + 1, 72 * kib - 1,
                                   72 * kib, 72 * kib + 1, 200 * kib, long_bytes + 5}) {
      const std::string bytes = io::pattern(size);
      FileBody body(loop, file(bytes));
      ::unlink(last_name.c_str());
      EXPECT_EQ(body.left(), size);
      Buffer out;
      out.append(Bytes("head"));
      const RelayResult result = co_await relay(out, body, Framing::Length, to.stream, no_hurry);
      EXPECT_EQ(result.end, RelayEnd::Done);
      EXPECT_EQ(result.body_bytes, size);
      EXPECT_TRUE(body.ended());
      expected += "head" + bytes;
    }
    EXPECT_TRUE(receiver.all() == expected);
  });
}

TEST_F(FileRelayTest, PartsOfAFileWithTextsBetween) {
  run([](Loop& loop, Link&, Link& to) -> io::Task<void> {
    const std::string bytes = io::pattern(long_bytes);
    Receiver receiver(to);
    FileBody body(loop, file(bytes),
                  {{"one:", 5, 10}, {"", 100, 70 * kib}, {"", 7, 0}, {"two:", 1 * mib, 1 * mib}, {"three", 0, 0}},
                  ":end");
    const std::string expected = "headone:" + bytes.substr(5, 10) + bytes.substr(100, 70 * kib) +
                                 "two:" + bytes.substr(1 * mib, 1 * mib) + "three:end";
    EXPECT_EQ(body.left(), expected.size() - 4);
    Buffer out;
    out.append(Bytes("head"));
    const RelayResult result = co_await relay(out, body, Framing::Length, to.stream, no_hurry);
    EXPECT_EQ(result.end, RelayEnd::Done);
    EXPECT_TRUE(receiver.all() == expected);
  });
}

TEST_F(FileRelayTest, AFileInChunksIsCopied) {
  run([](Loop& loop, Link&, Link& to) -> io::Task<void> {
    const std::string bytes = io::pattern(200 * kib);
    Receiver receiver(to);
    FileBody body(loop, file(bytes));
    Buffer out;
    const RelayResult result = co_await relay(out, body, Framing::Chunked, to.stream, no_hurry);
    EXPECT_EQ(result.end, RelayEnd::Done);
    const std::string got = receiver.all();
    EXPECT_TRUE(got.starts_with("10000\r\n" + bytes.substr(0, 64 * kib) + "\r\n10000\r\n"));
    EXPECT_TRUE(got.ends_with("\r\n0\r\n\r\n"));
  });
}

TEST_F(FileRelayTest, AFileThatHasBecomeShorterIsAnEndTooEarly) {
  for (const std::size_t kept : {std::size_t{0}, 100 * kib}) {
    static std::size_t rest;
    rest = kept;
    run([](Loop& loop, Link&, Link& to) -> io::Task<void> {
      Receiver receiver(to);
      FileBody body(loop, file(io::pattern(long_bytes)));
      EXPECT_EQ(::truncate(last_name.c_str(), static_cast<off_t>(rest)), 0);
      Buffer out;
      const RelayResult result = co_await relay(out, body, Framing::Length, to.stream, no_hurry);
      EXPECT_EQ(result.end, RelayEnd::SourceFailed);
      EXPECT_EQ(result.code, Code::Closed);
      EXPECT_EQ(result.body_bytes, rest);
      EXPECT_EQ(receiver.all().size(), rest);
    });
  }
}

TEST_F(FileRelayTest, AClientThatTakesNothingMoreIsGivenUp) {
  run(
      [](Loop& loop, Link&, Link& to) -> io::Task<void> {
        FileBody body(loop, file(io::pattern(long_bytes)));
        Buffer out;
        const RelayLimits limits{.source_idle = soon, .sink_idle = 20ms};
        const RelayResult result = co_await relay(out, body, Framing::Length, to.stream, limits);
        EXPECT_EQ(result.end, RelayEnd::SinkFailed);
        EXPECT_EQ(result.code, Code::TimedOut);
        EXPECT_EQ(result.body_bytes + *body.left(), long_bytes);
      },
      {.send = 16 * 1024, .receive = 16 * 1024});
}

}  // namespace
}  // namespace ballast::http
