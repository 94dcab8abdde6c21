#include "wire/http2/session.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/link.h"
#include "io/run_in_loop.h"

namespace ballast::http2 {
namespace {

using namespace std::chrono_literals;
using io::Link;
using io::Loop;

constexpr auto soon = 5s;

std::string frame(char type, char flags, char stream, const std::string& payload) {
  std::string bytes(9, '\0');
  bytes[1] = static_cast<char>(payload.size() / 256);
  bytes[2] = static_cast<char>(payload.size() % 256);
  bytes[3] = type;
  bytes[4] = flags;
  bytes[8] = stream;
  return bytes + payload;
}
constexpr char headers = 1;
constexpr char end_stream = 1;
constexpr char end_headers = 4;
const std::string beginning = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, "");
// GET, http, "/", and :authority "h".
const std::string get("\x82\x86\x84\x41\x01h", 6);

class Owner final : public SessionOwner {
 public:
  void on_request(const std::shared_ptr<Stream>& stream) override { streams.push_back(stream); }
  io::Duration rest_max() override { return rest; }

  std::vector<std::shared_ptr<Stream>> streams;
  io::Duration rest = 10s;
};

class SessionTest : public testing::Test {
 protected:
  struct World {
    World(Loop& of, const SessionLimits& limits)
        : loop(of),
          link(of, io::LinkKind::Tcp),
          session(Session::make(Session::Role::Server, of, owner, limits)),
          scope(of) {}
    void begin() { scope.spawn(session->run(link.stream, {})); }
    // Waits until `holds`, or `soon`.
    io::Task<bool> until(bool (*holds)(World&)) {
      const io::Instant limit = loop.fresh_now() + soon;
      while (!holds(*this) && loop.fresh_now() < limit) co_await io::Sleep(loop.after(1ms));
      co_return holds(*this);
    }
    static bool ended(World& world) { return world.scope.empty(); }
    static bool asked(World& world) { return !world.owner.streams.empty(); }

    Loop& loop;
    Link link;
    Owner owner;
    std::shared_ptr<Session> session;
    io::Scope scope;
  };

  static void run(io::Task<void> (*task)(World&), const SessionLimits& limits = {}) {
    const auto loop = io::make_loop();
    World world(*loop, limits);
    io::run_in(*loop, task(world));
  }
};

TEST_F(SessionTest, AHeadThatDoesNotEndInTimeEndsTheConnection) {
  run(
      [](World& world) -> io::Task<void> {
        world.link.send(beginning + frame(headers, end_stream, 1, get));
        world.begin();
        CO_ASSERT(co_await world.until(World::ended));
        EXPECT_EQ(world.session->defect(), SessionDefect::SlowHead);
        EXPECT_TRUE(world.owner.streams.empty());
      },
      {.header = 30ms});
}

TEST_F(SessionTest, AHeadThatIsMalformedIsNoSlowOne) {
  run(
      [](World& world) -> io::Task<void> {
        world.owner.rest = 150ms;
        world.link.send(beginning + frame(headers, end_stream | end_headers, 1, get + std::string("\0\1X\1y", 5)));
        world.begin();
        CO_ASSERT(co_await world.until(World::ended));
        EXPECT_EQ(world.session->defect(), SessionDefect::None);
      },
      {.header = 30ms});
}

TEST_F(SessionTest, ADrainWaitsForItsStreamsAndNotForLonger) {
  run([](World& world) -> io::Task<void> {
    world.link.send(beginning + frame(headers, end_stream | end_headers, 1, get));
    world.begin();
    CO_ASSERT(co_await world.until(World::asked));
    world.owner.rest = 0s;
    world.session->drain();
    world.link.send(frame(6, 1, 0, std::string(8, '\0')));
    // A loop that is kept busy would not come back from here.
    co_await io::Sleep(world.loop.after(50ms));
    EXPECT_FALSE(world.scope.empty());
    world.owner.streams.front()->respond({.status = 200, .lines = {}, .length = 0}, Stream::BodyFollows::No);
    CO_ASSERT(co_await world.until(World::ended));
    EXPECT_EQ(world.session->defect(), SessionDefect::None);
  });
}

TEST_F(SessionTest, AStreamOutlivesItsConnectionAndFails) {
  run([](World& world) -> io::Task<void> {
    world.link.send(beginning + frame(headers, end_headers, 1, get) + frame(0, 0, 1, "body"));
    world.begin();
    CO_ASSERT(co_await world.until(World::asked));
    Stream& stream = *world.owner.streams.front();
    world.link.reset_peer();
    CO_ASSERT(co_await world.until(World::ended));
    EXPECT_TRUE(stream.is_lost());
    EXPECT_EQ(stream.received(), "body");
    world.session.reset();
    stream.consume(4);
    EXPECT_EQ(stream.try_write(Bytes("x")).state, io::TransferState::Failed);
    stream.respond({.status = 200, .lines = {}, .length = {}}, Stream::BodyFollows::Yes);
    stream.close();
    stream.reset();
    EXPECT_FALSE(co_await stream.until_sent(1s));
  });
}

TEST_F(SessionTest, AFloodEndsBeforeWhatFollowsIsServed) {
  run([](World& world) -> io::Task<void> {
    std::string pings = beginning;
    for (int i = 0; i < 3000; ++i) pings += frame(6, 1, 0, "12345678");
    world.link.send(pings + frame(headers, end_stream | end_headers, 1, get));
    world.begin();
    CO_ASSERT(co_await world.until(World::ended));
    EXPECT_EQ(world.session->defect(), SessionDefect::Flood);
    EXPECT_TRUE(world.owner.streams.empty());
  });
}

TEST_F(SessionTest, AConnectionAtRestEnds) {
  run([](World& world) -> io::Task<void> {
    world.owner.rest = 20ms;
    world.link.send(beginning);
    world.begin();
    CO_ASSERT(co_await world.until(World::ended));
    EXPECT_EQ(world.session->defect(), SessionDefect::None);
  });
}

TEST_F(SessionTest, AConnectionAtRestHoldsLittleAndWorksOn) {
  run(
      [](World& world) -> io::Task<void> {
        world.link.send(beginning + frame(headers, end_stream | end_headers, 1, get));
        world.begin();
        CO_ASSERT(co_await world.until(World::asked));
        EXPECT_FALSE(world.session->holds_least());
        world.owner.streams.front()->respond({.status = 200, .lines = {}, .length = 0}, Stream::BodyFollows::No);
        CO_ASSERT(co_await world.until([](World& each) { return each.session->holds_least(); }));
        world.owner.streams.clear();
        world.link.send(frame(headers, end_stream | end_headers, 3, get));
        CO_ASSERT(co_await world.until(World::asked));
        EXPECT_FALSE(world.owner.streams.front()->is_lost());
        world.owner.streams.front()->respond({.status = 200, .lines = {}, .length = 0}, Stream::BodyFollows::No);
        EXPECT_TRUE(co_await world.owner.streams.front()->until_sent(1s));
        world.owner.rest = 0s;
        world.session->drain();
        CO_ASSERT(co_await world.until(World::ended));
        EXPECT_EQ(world.session->defect(), SessionDefect::None);
      },
      {.memory_rest = 1ms});
}

}  // namespace
}  // namespace ballast::http2
