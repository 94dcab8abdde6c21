#include "admin/serve/small_server.h"

#include <gtest/gtest.h>

#include "admin/whoami/echo.h"
#include "io/run_in_loop.h"
#include "wire/http/fetch.h"

namespace ballast::admin {

using http::fetch;
using http::FetchResponse;
namespace {

using io::Deadline;
using io::Task;

Deadline soon(io::Loop& loop) {
  return loop.after(std::chrono::seconds(10));
}

io::ListeningSocket loopback() {
  Result<io::ListeningSocket> socket = io::ListeningSocket::bind(*io::SocketAddress::numeric("127.0.0.1", 0));
  EXPECT_TRUE(socket) << socket.error().text();
  return std::move(*socket);
}

// Sends the pieces, each when the one before has gone, and reads to the end.
Task<void> talk(io::Loop& loop, io::SocketAddress to, std::vector<std::string> pieces, std::string& said) {
  Result<io::TcpStream> stream = co_await io::TcpStream::connect(loop, to, soon(loop));
  CO_ASSERT(stream);
  for (const std::string& piece : pieces) {
    const Result<> sent = co_await stream->write(piece, soon(loop));
    if (!sent) break;
    co_await io::Sleep(loop.after(std::chrono::milliseconds(1)));  // lets the server see a piece by itself
  }
  char buffer[4096];
  while (true) {
    const Result<std::size_t> got = co_await stream->read(buffer, sizeof buffer, soon(loop));
    if (!got) {
      said += " [" + got.error().text() + "]";
      break;
    }
    if (*got == 0) break;
    said.append(buffer, *got);
  }
  stream->close();
}

std::vector<std::string> cut_at(const std::string& text, std::size_t at) {
  return {text.substr(0, at), text.substr(at)};
}

struct Serving {
  explicit Serving(const ServeLimits& limits = {.body = RequestBody::Discard})
      : loop(io::make_loop()), echo(*loop, {.name = "one", .host = "h", .pid = 7}), server(*loop, echo, limits) {
    server.listen(loopback());
    address = server.address();
  }
  std::unique_ptr<io::Loop> loop;
  Echo echo;
  SmallServer server;
  io::SocketAddress address;
};

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

Task<void> keep_alive(Serving& s) {
  // Three in a row on one connection: with a chunked body, with a length, and the last; cut at every place.
  const std::string all =
      "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
      "PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
      "GET /c?json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  for (std::size_t at = 0; at <= all.size(); ++at) {
    std::string said;
    co_await talk(*s.loop, s.address, cut_at(all, at), said);
    EXPECT_EQ(count(said, "HTTP/1.1 200 OK\r\n"), 3U) << "cut at " << at << ": " << said;
    EXPECT_NE(said.find("body: 5 bytes"), std::string::npos) << said;
    EXPECT_NE(said.find("body: 3 bytes"), std::string::npos) << said;
    EXPECT_NE(said.find("\"target\": \"/c?json\""), std::string::npos) << said;
    if (testing::Test::HasFailure()) break;
  }
  co_await s.server.close(soon(*s.loop));
}

TEST(SmallServer, ServesOneAfterTheOther) {
  Serving s;
  io::run_in(*s.loop, keep_alive(s));
}

Task<void> oddities(Serving& s) {
  struct Case {
    std::string request;
    std::string_view wanted;
  };
  const Case cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
      {"GET / HTTP/1.1\nHost: x\n\n", "HTTP/1.1 400 "},
      {"nonsense\r\n\r\n", "HTTP/1.1 400 "},
      {"GET / HTTP/2.7\r\nHost: x\r\n\r\n", "HTTP/1.1 505 "},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400 "},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400 "},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", "HTTP/1.1 413 "},
      {"GET /" + std::string(70'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 414 "},
      {"\r\n\r\nGET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.1 200 "},
      {"GET /status/503 HTTP/1.0\r\n\r\n", "HTTP/1.1 503 "},
      {"GET /status/700 HTTP/1.0\r\n\r\n", "HTTP/1.1 400 "},
      {"GET /status/204 HTTP/1.0\r\n\r\n", "HTTP/1.1 204 "},
      {"GET /sleep/3 HTTP/1.0\r\n\r\n", "HTTP/1.1 200 "},
      {"GET /sleep/99999999999 HTTP/1.0\r\n\r\n", "HTTP/1.1 400 "},
      {"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "},
  };
  for (const Case& c : cases) {
    std::string said;
    co_await talk(*s.loop, s.address, {c.request}, said);
    EXPECT_TRUE(said.starts_with(c.wanted)) << c.request.substr(0, 80) << "\n" << said;
    EXPECT_EQ(said.find("["), std::string::npos) << "it ended in order: " << said;
  }
  std::string said;
  co_await talk(*s.loop, s.address, {"HEAD /bytes/5000 HTTP/1.0\r\n\r\n"}, said);
  EXPECT_NE(said.find("Content-Length: 5000\r\n"), std::string::npos);
  EXPECT_TRUE(said.ends_with("\r\n\r\n")) << said;
  said.clear();
  co_await talk(*s.loop, s.address, {"GET /bytes/3000000 HTTP/1.0\r\n\r\n"}, said);
  EXPECT_EQ(count(said, "x"), 3'000'000U);
  co_await s.server.close(soon(*s.loop));
}

TEST(SmallServer, RefusesWhatIsMalformedAndSaysSo) {
  Serving s;
  io::run_in(*s.loop, oddities(s));
}

Task<void> slow_clients(Serving& s) {
  std::string silent;
  co_await talk(*s.loop, s.address, {}, silent);
  EXPECT_EQ(silent, "") << "an idle connection is closed without a word";
  std::string slow;
  co_await talk(*s.loop, s.address, {"GET / HT"}, slow);
  EXPECT_TRUE(slow.starts_with("HTTP/1.1 408 ")) << slow;
  std::string slow_body;
  co_await talk(*s.loop, s.address, {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"}, slow_body);
  EXPECT_TRUE(slow_body.starts_with("HTTP/1.1 408 ")) << slow_body;
  co_await s.server.close(soon(*s.loop));
}

TEST(SmallServer, DoesNotWaitForever) {
  Serving s({.idle = std::chrono::milliseconds(50), .receive = std::chrono::milliseconds(50)});
  io::run_in(*s.loop, slow_clients(s));
}

Task<void> too_many(Serving& s) {
  Result<io::TcpStream> first = co_await io::TcpStream::connect(*s.loop, s.address, soon(*s.loop));
  Result<io::TcpStream> second = co_await io::TcpStream::connect(*s.loop, s.address, soon(*s.loop));
  std::string said;
  co_await talk(*s.loop, s.address, {}, said);
  EXPECT_TRUE(said.starts_with("HTTP/1.1 503 ")) << said;
  first->close();
  second->close();
  co_await s.server.close(soon(*s.loop));
}

TEST(SmallServer, HasABoundOnConnections) {
  Serving s({.connections = 2});
  io::run_in(*s.loop, too_many(s));
}

Task<void> closing(Serving& s) {
  io::Scope scope(*s.loop);
  std::string idle;
  std::string busy;
  scope.spawn(talk(*s.loop, s.address, {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"}, idle));
  scope.spawn(talk(*s.loop, s.address, {"GET /sleep/300 HTTP/1.1\r\nHost: x\r\n\r\n"}, busy));
  const Deadline deadline = soon(*s.loop);
  while (idle.empty() && !deadline.passed(s.loop->now())) {
    co_await io::Sleep(s.loop->after(std::chrono::milliseconds(2)));
  }
  const io::Instant before = s.loop->fresh_now();
  co_await s.server.close(deadline);
  EXPECT_LT(s.loop->fresh_now() - before, std::chrono::seconds(5));
  EXPECT_EQ(s.server.connections(), 0U);
  const bool ended = co_await scope.closed(deadline);
  EXPECT_TRUE(ended);
  EXPECT_TRUE(busy.starts_with("HTTP/1.1 200 ")) << busy;
  EXPECT_NE(busy.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(idle.ends_with("ok\n")) << idle;
}

TEST(SmallServer, ClosesInOrder) {
  Serving s;
  io::run_in(*s.loop, closing(s));
}

Task<void> fetching(Serving& s) {
  Result<FetchResponse> response =
      co_await fetch(*s.loop, s.address, {.method = "POST", .target = "/x?json", .body = "12345"}, soon(*s.loop));
  CO_ASSERT(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_NE(response->body.find("\"body_bytes\": 5"), std::string::npos) << response->body;
  response =
      co_await fetch(*s.loop, s.address, {.target = "/sleep/60000"}, s.loop->after(std::chrono::milliseconds(20)));
  EXPECT_FALSE(response);
  EXPECT_EQ(response.error().code(), Code::TimedOut);
  response = co_await fetch(*s.loop, s.address, {.target = "/bytes/1000000"}, soon(*s.loop));
  CO_ASSERT(response);
  EXPECT_EQ(response->body.size(), 1'000'000U);
  co_await s.server.close(s.loop->after(std::chrono::milliseconds(20)));
}

TEST(Fetch, AsksAndReadsAll) {
  Serving s;
  io::run_in(*s.loop, fetching(s));
}

}  // namespace
}  // namespace ballast::admin
