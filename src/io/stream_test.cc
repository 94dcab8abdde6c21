#include "io/stream.h"

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "io/run_in_loop.h"
#include "io/tcp.h"

namespace ballast::io {
namespace {

using namespace std::chrono_literals;

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

enum class Kind { Tcp, Unix };

// One end is a Stream on the loop, the other a plain descriptor in the test's hands, blocking.
class Pair {
 public:
  Pair(Loop& loop, Kind kind) {
    int ends[2] = {-1, -1};
    if (kind == Kind::Unix) {
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    } else {
      auto listening = ListeningSocket::bind(*SocketAddress::numeric("127.0.0.1", 0));
      EXPECT_TRUE(listening.has_value());
      ends[1] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      EXPECT_EQ(::connect(ends[1], listening->address().get(), listening->address().size()), 0);
      ends[0] = ::accept4(listening->fd(), nullptr, nullptr, SOCK_CLOEXEC);
      EXPECT_GE(ends[0], 0);
    }
    EXPECT_EQ(::fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    stream = TcpStream(Descriptor(loop, ends[0]));
    peer = ends[1];
  }
  ~Pair() { close_peer(); }
  Pair(const Pair&) = delete;

  void send(std::string_view text) const {
    EXPECT_EQ(::send(peer, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  void end_peer() const { EXPECT_EQ(::shutdown(peer, SHUT_WR), 0); }
  void close_peer() {
    if (peer >= 0) ::close(std::exchange(peer, -1));
  }
  void reset_peer() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close_peer();
  }
  // What the peer reads next: bytes, "" at the end, the errno in words on failure.
  std::string receive() const {
    char bytes[4096];
    const ssize_t got = ::recv(peer, bytes, sizeof bytes, 0);
    if (got < 0) return strerrorname_np(errno);
    return {bytes, static_cast<std::size_t>(got)};
  }

  TcpStream stream;
  int peer = -1;
};

class StreamTest : public testing::TestWithParam<Kind> {
 protected:
  void run(Task<void> (*task)(Loop&, Pair&)) {
    auto loop = make_loop();
    Pair pair(*loop, GetParam());
    run_in(*loop, task(*loop, pair));
  }
};
INSTANTIATE_TEST_SUITE_P(Kinds, StreamTest, testing::Values(Kind::Tcp, Kind::Unix),
                         [](const auto& kind) { return kind.param == Kind::Tcp ? "Tcp" : "Unix"; });

Task<Result<std::string>> read_some(Stream& stream, std::size_t size, Deadline deadline) {
  std::string bytes(size, '\0');
  const std::size_t got = co_await need(stream.read(bytes.data(), size, deadline));
  bytes.resize(got);
  co_return bytes;
}
Task<std::string> read_text(Stream& stream, std::size_t size = 100) {
  Result<std::string> got = co_await read_some(stream, size, stream.loop().after(5s));
  co_return got ? *got : "error: " + got.error().text();
}

TEST_P(StreamTest, ReadsAndWrites) {
  run([](Loop& loop, Pair& pair) -> Task<void> {
    pair.send("hello");
    EXPECT_EQ(co_await read_text(pair.stream), "hello");
    EXPECT_TRUE((co_await pair.stream.write("world", loop.after(5s))).has_value());
    EXPECT_EQ(pair.receive(), "world");
    const Bytes parts[] = {"head", {}, " ", "body"};
    const Transfer put = pair.stream.try_write(parts);
    EXPECT_EQ(put.state, TransferState::Done);
    EXPECT_EQ(put.count, 9U);
    EXPECT_EQ(pair.receive(), "head body");
    pair.stream.close();
    EXPECT_EQ(pair.receive(), "");
  });
}

TEST_P(StreamTest, ABatchThatNeverWaitsIsNeverRegistered) {
  run([](Loop& loop, Pair& pair) -> Task<void> {
    pair.send("hello");
    EXPECT_EQ(co_await read_text(pair.stream), "hello");
    EXPECT_TRUE((co_await pair.stream.write("world", loop.after(5s))).has_value());
    EXPECT_FALSE(pair.stream.descriptor().is_registered());
    EXPECT_FALSE(pair.stream.may_read()) << "the short read has told that nothing is left";
    Result<std::string> none = co_await read_some(pair.stream, 10, loop.after(1ms));
    EXPECT_TRUE(pair.stream.descriptor().is_registered());
    CO_ASSERT(!none.has_value());
    EXPECT_EQ(none.error().code(), Code::TimedOut);
  });
}

TEST_P(StreamTest, AReadEndsAtItsDeadlineAndTheStreamGoesOn) {
  run([](Loop& loop, Pair& pair) -> Task<void> {
    const Instant began = loop.fresh_now();
    Result<std::string> none = co_await read_some(pair.stream, 10, loop.after(20ms));
    CO_ASSERT(!none.has_value());
    EXPECT_EQ(none.error().code(), Code::TimedOut);
    EXPECT_GE(Clock::now() - began, 20ms);
    pair.send("late");
    EXPECT_EQ(co_await read_text(pair.stream), "late");
  });
}

Task<void> send_later(Loop& loop, Pair& pair, const char* text) {
  co_await Sleep(loop.after(3ms));
  pair.send(text);
}
TEST_P(StreamTest, AfterAShortReadNewBytesWake) {
  run([](Loop& loop, Pair& pair) -> Task<void> {
    Scope scope(loop);
    for (int i = 0; i < 5; ++i) {
      scope.spawn(send_later(loop, pair, "abc"));
      EXPECT_EQ(co_await pair.stream.until_readable(loop.after(5s)), Wake::Event);
      EXPECT_EQ(co_await read_text(pair.stream, 2), "ab");  // not short: more may be there
      EXPECT_TRUE(pair.stream.may_read());
      EXPECT_EQ(co_await read_text(pair.stream, 2), "c");
      EXPECT_FALSE(pair.stream.may_read());
    }
    EXPECT_TRUE(co_await scope.closed(loop.after(5s)));
  });
}

// Waits until the loop has seen an event of this stream that it was not waiting for.
Task<void> let_events_in(Loop& loop) {
  co_await Sleep(loop.after(5ms));
  co_await Sleep(loop.after(5ms));
}

TEST_P(StreamTest, BytesAndTheEndAtOnceAreBothSeen) {
  run([](Loop& loop, Pair& pair) -> Task<void> {
    Result<std::string> none = co_await read_some(pair.stream, 10, loop.after(1ms));  // registered from here on
    EXPECT_FALSE(none.has_value());
    pair.send("last words");
    pair.end_peer();
    EXPECT_EQ(co_await pair.stream.until_readable(loop.after(5s)), Wake::Event);
    EXPECT_TRUE(pair.stream.descriptor().peer_ended());
    EXPECT_EQ(co_await read_text(pair.stream), "last words");
    EXPECT_EQ(co_await pair.stream.until_readable(loop.after(5s)), Wake::Event) << "no edge comes for the end any more";
    EXPECT_EQ(co_await read_text(pair.stream), "");
    EXPECT_EQ(co_await read_text(pair.stream), "") << "the end stays";
  });
}

TEST_P(StreamTest, AnEndBetweenTheEventAndTheReadIsSeen) {
  run([](Loop& loop, Pair& pair) -> Task<void> {
    EXPECT_FALSE((co_await read_some(pair.stream, 10, loop.after(1ms))).has_value());
    pair.send("abc");
    co_await let_events_in(loop);
    pair.end_peer();  // not yet reported when we read
    EXPECT_EQ(co_await read_text(pair.stream), "abc");
    EXPECT_EQ(co_await pair.stream.until_readable(loop.after(5s)), Wake::Event);
    EXPECT_EQ(co_await read_text(pair.stream), "");
  });
}

TEST_P(StreamTest, AnEndBeforeTheFirstWaitIsSeen) {
  run([](Loop& loop, Pair& pair) -> Task<void> {
    pair.send("abc");
    pair.end_peer();
    EXPECT_EQ(co_await read_text(pair.stream), "abc");
    EXPECT_EQ(co_await pair.stream.until_readable(loop.after(5s)), Wake::Event);
    EXPECT_EQ(co_await read_text(pair.stream), "");
  });
}

TEST_P(StreamTest, OurEndLeavesTheirDirectionOpen) {
  run([](Loop& loop, Pair& pair) -> Task<void> {
    EXPECT_TRUE((co_await pair.stream.write("request", loop.after(5s))).has_value());
    pair.stream.end();
    EXPECT_EQ(pair.receive(), "request");
    EXPECT_EQ(pair.receive(), "");
    pair.send("answer");
    EXPECT_EQ(co_await read_text(pair.stream), "answer");
    pair.end_peer();
    EXPECT_EQ(co_await read_text(pair.stream), "");
    const Result<> put = co_await pair.stream.write("more", loop.after(5s));
    CO_ASSERT(!put.has_value());
    EXPECT_EQ(put.error().code(), Code::Reset);
  });
}

TEST_P(StreamTest, AnOpenStreamThatIsDestroyedIsResetAClosedOneEnds) {
  auto loop = make_loop();
  {
    Pair pair(*loop, GetParam());
    {
      const TcpStream gone = std::move(pair.stream);
    }
    EXPECT_FALSE(pair.stream.is_open());
    // Unix sockets know no reset but for unread bytes.
    EXPECT_EQ(pair.receive(), GetParam() == Kind::Tcp ? "ECONNRESET" : "");
  }
  Pair pair(*loop, GetParam());
  pair.stream.close();
  EXPECT_FALSE(pair.stream.is_open());
  EXPECT_EQ(pair.receive(), "");
}

Task<void> write_much(Loop& loop, Pair& pair, const std::string& bytes, Result<>& done) {
  done = co_await pair.stream.write(bytes, loop.after(20s));
}
TEST_P(StreamTest, ABlockedPeerTakesItAllInTheEnd) {
  run([](Loop& loop, Pair& pair) -> Task<void> {
    std::string bytes(8 * mib, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
    Result<> done = fail(Code::Invalid);
    Scope scope(loop);
    scope.spawn(write_much(loop, pair, bytes, done));
    CO_ASSERT(scope.size() == 1);  // the kernel's buffers are smaller than that
    std::string got;
    std::jthread reader([&] {
      char part[30'000];
      for (ssize_t count = 0; got.size() < bytes.size() && (count = ::recv(pair.peer, part, sizeof part, 0)) > 0;)
        got.append(part, static_cast<std::size_t>(count));
    });
    EXPECT_TRUE(co_await scope.closed(loop.after(20s)));
    reader.join();
    EXPECT_TRUE(done.has_value());
    EXPECT_TRUE(got == bytes);
  });
}

TEST_P(StreamTest, AWriteToABlockedPeerEndsAtItsDeadline) {
  run([](Loop& loop, Pair& pair) -> Task<void> {
    const std::string bytes(8 * mib, 'x');
    const Result<> done = co_await pair.stream.write(bytes, loop.after(20ms));
    CO_ASSERT(!done.has_value());
    EXPECT_EQ(done.error().code(), Code::TimedOut);
  });
}

TEST_P(StreamTest, AWriteIsCancelledWithItsScope) {
  run([](Loop& loop, Pair& pair) -> Task<void> {
    const std::string bytes(8 * mib, 'x');
    Result<> done = Result<>();
    Scope scope(loop);
    scope.spawn(write_much(loop, pair, bytes, done));
    scope.cancel();
    EXPECT_TRUE(co_await scope.closed(loop.after(5s)));
    CO_ASSERT(!done.has_value());
    EXPECT_EQ(done.error().code(), Code::Cancelled);
  });
}

Task<void> reset_while_reading(Loop& loop, Pair& pair) {
  CO_ASSERT(pair.stream.descriptor().watch_now());
  pair.reset_peer();
  Result<std::string> got = co_await read_some(pair.stream, 10, loop.after(5s));
  CO_ASSERT(!got.has_value());
  EXPECT_EQ(got.error().code(), Code::Reset);
  co_await Sleep(loop.after(1ms));
  EXPECT_TRUE(pair.stream.descriptor().hung_up());
  const Result<> put = co_await pair.stream.write("x", loop.after(5s));
  CO_ASSERT(!put.has_value());
  EXPECT_EQ(put.error().code(), Code::Reset);
}
TEST(TcpStream, AResetEndsReadsAndWrites) {
  auto loop = make_loop();
  Pair pair(*loop, Kind::Tcp);
  run_in(*loop, reset_while_reading(*loop, pair));
}

struct Listener final : IdleListener {
  explicit Listener(Pair& to) : pair(to) {}
  void on_idle_event(News what) override {
    news.push_back(what);
    if (what == News::Cut) pair.stream.close();
  }
  Pair& pair;
  std::vector<News> news;
};
using News = IdleListener::News;

Task<void> idle_news(Loop& loop, Pair& pair) {
  Listener listener(pair);
  CO_ASSERT(pair.stream.descriptor().watch_now());
  pair.stream.descriptor().on_idle_event(&listener);
  co_await let_events_in(loop);
  EXPECT_TRUE(listener.news.empty()) << "that it can be written is no news";
  pair.send("abc");
  co_await let_events_in(loop);
  EXPECT_THAT(listener.news, testing::ElementsAre(News::Bytes));
  EXPECT_EQ(co_await read_text(pair.stream), "abc");
  listener.news.clear();
  Scope scope(loop);
  scope.spawn(send_later(loop, pair, "def"));
  EXPECT_EQ(co_await read_text(pair.stream), "def");
  EXPECT_TRUE(listener.news.empty()) << "somebody waited for these";
  pair.end_peer();
  co_await let_events_in(loop);
  EXPECT_THAT(listener.news, testing::ElementsAre(News::Ended));
  listener.news.clear();
  EXPECT_EQ(co_await read_text(pair.stream), "");
  pair.reset_peer();
  co_await let_events_in(loop);
  EXPECT_THAT(listener.news, testing::ElementsAre(News::Cut));
  EXPECT_FALSE(pair.stream.is_open());
  EXPECT_TRUE(co_await scope.closed(loop.after(5s)));
}
TEST(TcpStream, AnIdleOneTellsItsListenerWhatThePeerDid) {
  auto loop = make_loop();
  Pair pair(*loop, Kind::Tcp);
  run_in(*loop, idle_news(*loop, pair));
}

Task<void> read_into(Loop& loop, Pair& pair, Result<std::string>& got) {
  got = co_await read_some(pair.stream, 10, loop.after(5s));
}
Task<void> close_under_a_reader(Loop& loop, Pair& pair) {
  Scope scope(loop);
  Result<std::string> got = "none";
  scope.spawn(read_into(loop, pair, got));
  CO_ASSERT(scope.size() == 1);
  pair.stream.close();
  EXPECT_TRUE(co_await scope.closed(loop.after(5s)));
  CO_ASSERT(!got.has_value());
  EXPECT_EQ(got.error().code(), Code::Cancelled);
}
TEST(TcpStream, ClosingEndsAWait) {
  auto loop = make_loop();
  Pair pair(*loop, Kind::Tcp);
  run_in(*loop, close_under_a_reader(*loop, pair));
}

// A child between fork and exec holds copies of every descriptor: the kernel goes on reporting on one we closed.
Task<void> close_while_a_copy_is_held(Loop& loop, Pair& pair) {
  EXPECT_FALSE((co_await read_some(pair.stream, 10, loop.after(1ms))).has_value());
  CO_ASSERT(pair.stream.descriptor().is_registered());
  const int copy = ::dup(pair.stream.descriptor().fd());
  pair.stream.close();
  co_await let_events_in(loop);
  pair.send("for nobody");
  co_await let_events_in(loop);
  ::close(copy);
}
TEST(TcpStream, EventsOfAClosedDescriptorThatSomebodyElseHoldsAreNotSeen) {
  auto loop = make_loop();
  Pair pair(*loop, Kind::Tcp);
  run_in(*loop, close_while_a_copy_is_held(*loop, pair));
}

Task<void> connect_and_greet(Loop& loop, SocketAddress to) {
  Result<TcpStream> stream = co_await TcpStream::connect(loop, to, loop.after(5s));
  CO_ASSERT(stream.has_value());
  EXPECT_EQ(stream->remote_address(), to);
  EXPECT_NE(stream->local_address().port(), 0);
  // Wait first, as a codec does whose buffer is empty.
  if (!stream->may_read()) {
    EXPECT_EQ(co_await stream->until_readable(loop.after(2s)), Wake::Event);
  }
  EXPECT_EQ(co_await read_text(*stream), "greeting");
  stream->close();
}
Task<void> greeted(Loop& loop, ListeningSocket& listening) {
  Scope scope(loop);
  scope.spawn(connect_and_greet(loop, listening.address()));
  // The greeting is there before the loop hears of the connection.
  const int fd = ::accept(listening.fd(), nullptr, nullptr);
  CO_ASSERT(fd >= 0);
  EXPECT_EQ(::send(fd, "greeting", 8, 0), 8);
  EXPECT_TRUE(co_await scope.closed(loop.after(5s)));
  ::close(fd);
}
TEST(TcpStream, AServerThatSpeaksFirstIsHeardEvenWhenItsBytesComeWithTheConnection) {
  auto loop = make_loop();
  auto listening = ListeningSocket::bind(*SocketAddress::numeric("127.0.0.1", 0));
  ASSERT_TRUE(listening.has_value());
  run_in(*loop, greeted(*loop, *listening));
}

Task<void> connect_to_nobody(Loop& loop, SocketAddress to, std::string& text) {
  Result<TcpStream> stream = co_await TcpStream::connect(loop, to, loop.after(5s));
  text = stream ? "connected" : stream.error().text();
  if (!stream) {
    EXPECT_EQ(stream.error().code(), to.is_unix() ? Code::NotFound : Code::Refused);
  }
}
TEST(TcpStream, ARefusedConnectSaysWhere) {
  auto loop = make_loop();
  SocketAddress address;
  {
    auto listening = ListeningSocket::bind(*SocketAddress::numeric("127.0.0.1", 0));
    ASSERT_TRUE(listening.has_value());
    address = listening->address();
  }
  std::string text;
  run_in(*loop, connect_to_nobody(*loop, address, text));
  EXPECT_EQ(text, "connect to " + address.to_string() + ": Connection refused");
  run_in(*loop, connect_to_nobody(*loop, *SocketAddress::unix_path("/nowhere/socket"), text));
  EXPECT_EQ(text, "connect to unix:/nowhere/socket: No such file or directory");
}

// A backlog that is full lets nobody in: the connect waits for an answer that does not come.
Task<void> connect_without_answer(Loop& loop, SocketAddress to) {
  Result<TcpStream> stream = co_await TcpStream::connect(loop, to, loop.after(30ms));
  CO_ASSERT(!stream.has_value());
  EXPECT_EQ(stream.error().text(), "connect to " + to.to_string() + ": no answer in time");
  EXPECT_EQ(stream.error().code(), Code::TimedOut);
}
TEST(TcpStream, AConnectWithoutAnswerEndsAtItsDeadline) {
  auto loop = make_loop();
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const SocketAddress any_port = *SocketAddress::numeric("127.0.0.1", 0);
  ASSERT_EQ(::bind(fd, any_port.get(), any_port.size()), 0);
  ASSERT_EQ(::listen(fd, 0), 0);
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size), 0);
  const SocketAddress address = SocketAddress::from_kernel(storage, size);
  const int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::connect(filler, address.get(), address.size()), 0);
  run_in(*loop, connect_without_answer(*loop, address));
  ::close(filler);
  ::close(fd);
}

TEST(ListeningSocket, ATakenPortSaysWhatToDo) {
  auto first = ListeningSocket::bind(*SocketAddress::numeric("127.0.0.1", 0));
  ASSERT_TRUE(first.has_value());
  const auto second = ListeningSocket::bind(first->address());
  ASSERT_FALSE(second.has_value());
  const std::string port = std::to_string(first->address().port());
  EXPECT_EQ(second.error().code(), Code::InUse);
  EXPECT_EQ(second.error().text(),
            "cannot bind 127.0.0.1:" + port +
                ": Address already in use (another program listens there: ss -ltnp 'sport = :" + port + "')");
}

TEST(TcpStream, DescriptorsAreNotLeaked) {
  auto loop = make_loop();
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    Pair pair(*loop, Kind::Tcp);
    run_in(*loop, reset_while_reading(*loop, pair));
    Pair other(*loop, Kind::Unix);
    other.stream = TcpStream();
    TcpStream moved = std::move(pair.stream);
    moved = std::move(other.stream);
  }
  auto listening = ListeningSocket::bind(*SocketAddress::numeric("127.0.0.1", 0));
  ASSERT_TRUE(listening.has_value());
  run_in(*loop, greeted(*loop, *listening));
  EXPECT_FALSE(ListeningSocket::bind(listening->address()).has_value());
  EXPECT_EQ(open_descriptors(), before + 1);
}

TEST(ListeningSocket, WaitsForTheFirstBytesWhereTheClientSpeaksFirst) {
  using enum ListenOptions::FirstSpeaker;
  for (const auto first_speaker : {Either, Client}) {
    auto listening = ListeningSocket::bind(*SocketAddress::numeric("127.0.0.1", 0), {.first_speaker = first_speaker});
    ASSERT_TRUE(listening.has_value());
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::connect(client, listening->address().get(), listening->address().size()), 0);
    int taken = ::accept4(listening->fd(), nullptr, nullptr, SOCK_CLOEXEC);
    if (first_speaker == Client) {
      EXPECT_EQ(taken, -1) << "a silent one";
      EXPECT_EQ(errno, EAGAIN);
      EXPECT_EQ(::send(client, "hello", 5, 0), 5);
      taken = ::accept4(listening->fd(), nullptr, nullptr, SOCK_CLOEXEC);
    }
    EXPECT_GE(taken, 0);
    ::close(taken);
    ::close(client);
  }
}

}  // namespace
}  // namespace ballast::io
