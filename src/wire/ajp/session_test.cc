// A Session on one end of a connection, a scripted container on the other.
#include "wire/ajp/session.h"

#include <optional>
#include <string>

#include <sys/socket.h>

#include <gtest/gtest.h>

#include "io/link.h"
#include "io/run_in_loop.h"

namespace ballast::ajp {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using io::Link;
using io::LinkKind;
using io::Task;
using Kind = Session::HeadStep::Kind;

constexpr http::HeadLimits limits{.line = 8192, .header = 8192, .head = 8192};

std::string packet(const std::string& payload) {
  std::string out = "AB\0\0"s;
  put_16(out.data() + 2, payload.size());
  return out + payload;
}
std::string text(const std::string& value) {
  std::string out(2, '\0');
  put_16(out.data(), value.size());
  return out + value + '\0';
}
std::string head(int length = -1) {
  std::string payload = "\x04\0\xC8"s + text("OK");
  return packet(length < 0 ? payload + "\0\0"s : payload + "\0\x01\xA0\x03"s + text(std::to_string(length)));
}
std::string chunk(const std::string& data) {
  std::string payload = "\x03\0\0"s;
  put_16(payload.data() + 1, data.size());
  return packet(payload + data + '\0');
}
std::string end(bool reuse = true) {
  return packet(reuse ? "\x05\x01"s : "\x05\0"s);
}
std::string ask(std::size_t bytes) {
  std::string payload = "\x06\0\0"s;
  put_16(payload.data() + 1, bytes);
  return packet(payload);
}
// What goes to the container.
std::string body_packet(const std::string& data) {
  std::string out = "\x12\x34\0\0\0\0"s;
  put_16(out.data() + 2, data.size() + 2);
  put_16(out.data() + 4, data.size());
  return out + data;
}
const std::string no_more = "\x12\x34\0\0"s;

struct Ends {
  explicit Ends(io::Loop& loop) : link(loop, LinkKind::Unix), reader(loop, link.stream), session(reader) {
    // What does not come fails its expectation instead of hanging the test.
    const timeval patience{.tv_sec = 3, .tv_usec = 0};
    setsockopt(link.peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  Link link;
  http::Connection reader;
  Session session;
  http::ResponseHead response;
  ForwardRequest request{.method = "POST", .uri = "/", .remote_address = "10.0.0.1", .server_name = "a"};

  // The packet that a request's head makes, as the container gets it.
  std::string forward(std::optional<std::uint64_t> length = {}) {
    request.content_length = length;
    Buffer out;
    EXPECT_TRUE(write_forward_request(out, request, packet_bytes_default).has_value());
    return std::string(out.view());
  }
  Session::HeadStep look(http::ResponseParser::Question question = {}) {
    return session.try_head(question, limits, response);
  }
};

Task<Kind> receive_head(Ends& ends, io::Loop& loop, http::ResponseParser::Question question = {}) {
  while (true) {
    const Session::HeadStep step = ends.look(question);
    if (step.kind != Kind::Waiting) co_return step.kind;
    if (co_await ends.session.until_head(loop.after(5s)) != io::Wake::Event) co_return Kind::Waiting;
  }
}

// The body to its end, or "failed: CODE" behind what came.
Task<std::string> receive_body(Ends& ends, io::Loop& loop) {
  std::string got;
  while (true) {
    const http::Pulled pulled = ends.session.body().try_pull();
    if (pulled.state == http::PullState::Data) got += pulled.data;
    if (pulled.state == http::PullState::End) co_return got;
    if (pulled.state == http::PullState::Failed) co_return got + "failed: " + std::string(to_string(pulled.code));
    if (pulled.state == http::PullState::WouldBlock &&
        co_await ends.session.body().until_ready(loop.after(5s)) != io::Wake::Event) {
      co_return got + "nothing came";
    }
  }
}

Task<void> send_all(Link& link, const std::string& bytes, std::size_t cut, io::Loop& loop) {
  link.send(Bytes(bytes).substr(0, cut));
  co_await io::Sleep(loop.after(0ms));
  link.send(Bytes(bytes).substr(cut));
}

Task<void> answer_cut_everywhere(io::Loop& loop) {
  const struct {
    std::string bytes;
    std::string body;
    http::Framing framing;
    bool reuse;
  } rows[] = {
      {head() + chunk("hello ") + chunk("world") + end(), "hello world", http::Framing::Chunked, true},
      {head(11) + chunk("hello ") + chunk("") + chunk("world") + end(), "hello world", http::Framing::Length, true},
      {head() + end(false), "", http::Framing::Chunked, false},
      {head(0) + end(), "", http::Framing::Length, true},
  };
  for (const auto& row : rows) {
    for (std::size_t cut = 0; cut <= row.bytes.size(); ++cut) {
      Ends ends(loop);
      const Result<> sent = co_await ends.session.send(ends.request, {}, packet_bytes_default, 1s);
      CO_ASSERT(sent.has_value());
      io::Scope scope(loop);
      scope.spawn(send_all(ends.link, row.bytes, cut, loop));
      const Kind kind = co_await receive_head(ends, loop);
      EXPECT_EQ(kind, Kind::Complete) << cut;
      EXPECT_EQ(ends.response.framing, row.framing);
      const std::string body = co_await receive_body(ends, loop);
      EXPECT_EQ(body, row.body) << cut;
      EXPECT_TRUE(ends.session.body().ended());
      EXPECT_EQ(ends.session.may_serve_again(), row.reuse) << cut;
      co_await scope.close();
    }
  }
}
TEST(Session, ReadsAnAnswerHoweverItIsCut) {
  const auto loop = io::make_loop();
  run_in(*loop, answer_cut_everywhere(*loop));
}

Task<void> broken_answers(io::Loop& loop) {
  const struct {
    std::string what;
    std::string bytes;
    std::string outcome;  // of the head, or of the body
  } rows[] = {
      {"HTTP", "HTTP/1.1 200 OK\r\n\r\n", "malformed"},
      {"a chunk before the head", chunk("x"), "malformed"},
      {"an end before the head", end(), "malformed"},
      {"a pong", packet("\x09"), "malformed"},
      {"a switch of protocols", packet("\x04\0\x65"s + text("") + "\0\0"s), "malformed"},
      {"asked twice", ask(10) + ask(10), "malformed"},
      {"asked for nothing", ask(0), "malformed"},
      {"two heads", head() + head(), "failed: " + std::string(to_string(Code::Malformed))},
      {"a pong in the body", head() + packet("\x09"), "failed: " + std::string(to_string(Code::Malformed))},
      {"more than was stated", head(3) + chunk("abcd") + end(), "failed: " + std::string(to_string(Code::Malformed))},
      {"less than was stated", head(3) + chunk("ab") + end(), "abfailed: the peer closed the connection"},
      {"less, in one read", head(3) + chunk("a") + chunk("b") + end(), "abfailed: the peer closed the connection"},
  };
  for (const auto& row : rows) {
    Ends ends(loop);
    // A body that waits to be asked for.
    const Result<> sent = co_await ends.session.send(ends.request, {.bytes = {}, .is_whole = false}, 8192, 1s);
    CO_ASSERT(sent.has_value());
    ends.link.send(row.bytes);
    ends.link.end_peer();
    const Kind kind = co_await receive_head(ends, loop);
    std::string outcome = kind == Kind::Malformed ? "malformed" : kind == Kind::Lost ? "lost" : "";
    if (kind == Kind::Complete) outcome = co_await receive_body(ends, loop);
    EXPECT_EQ(outcome, row.outcome) << row.what;
    EXPECT_FALSE(ends.session.may_serve_again()) << row.what;
  }
}
TEST(Session, BelievesNoBrokenContainer) {
  const auto loop = io::make_loop();
  run_in(*loop, broken_answers(*loop));
}

// Takes what the container has sent meanwhile; nothing more of it is to come.
Task<Kind> take(Ends& ends, io::Loop& loop) {
  co_await ends.session.until_head(loop.after(1s));
  co_return ends.look().kind;
}

Task<void> held_bodies(io::Loop& loop) {
  Ends ends(loop);
  const std::string body = io::pattern(10000);
  const std::string forward = ends.forward(body.size());
  const Result<> sent = co_await ends.session.send(ends.request, {.bytes = body}, 8192, 1s);
  CO_ASSERT(sent.has_value());
  const std::string first = forward + body_packet(body.substr(0, 8186));
  EXPECT_EQ(ends.link.receive(first.size()), first) << "the first packet is owed unasked";
  ends.link.send(ask(100));
  const Kind step_1 = co_await take(ends, loop);
  EXPECT_EQ(step_1, Kind::Waiting);
  EXPECT_EQ(ends.link.receive(106), body_packet(body.substr(8186, 100)));
  ends.link.send(ask(65535));
  const Kind step_2 = co_await take(ends, loop);
  EXPECT_EQ(step_2, Kind::Waiting);
  EXPECT_EQ(ends.link.receive(6 + 1714), body_packet(body.substr(8286)));
  ends.link.send(ask(65535));
  const Kind step_3 = co_await take(ends, loop);
  EXPECT_EQ(step_3, Kind::Waiting);
  EXPECT_EQ(ends.link.receive(4), no_more);
  // Not all of a body need be asked for.
  ends.link.send(head(0) + end());
  const Kind step_4 = co_await take(ends, loop);
  EXPECT_EQ(step_4, Kind::Complete);
  EXPECT_EQ(ends.session.body().try_pull().state, http::PullState::End);
  EXPECT_TRUE(ends.session.may_serve_again());

  // The next request on the same connection is asked for its body though it has none.
  const std::string second = ends.forward();
  const Result<> again = co_await ends.session.send(ends.request, {}, 8192, 1s);
  CO_ASSERT(again.has_value());
  EXPECT_EQ(ends.link.receive(second.size()), second);
  ends.link.send(ask(8186));
  const Kind step_5 = co_await take(ends, loop);
  EXPECT_EQ(step_5, Kind::Waiting);
  EXPECT_EQ(ends.link.receive(4), no_more);
}
TEST(Session, SendsAHeldBodyAsItIsAskedFor) {
  const auto loop = io::make_loop();
  run_in(*loop, held_bodies(*loop));
}

Task<void> run_upload(Ends& ends, http::Body& body, http::RelayResult& result, Buffer& out) {
  result = co_await ends.session.upload(out, body, {.source_idle = 5s, .sink_idle = 5s});
}

// The client's body comes bit by bit, the container answers while it still asks.
Task<void> both_ways(io::Loop& loop) {
  for (const bool stated : {true, false}) {
    Ends ends(loop);
    Link client(loop, LinkKind::Unix);
    http::Connection client_reader(loop, client.stream);
    http::ConnectionBody body(client_reader);
    const std::string bytes = io::pattern(30000);
    body.begin(http::Framing::Length, bytes.size(), {});
    const std::string forward = stated ? ends.forward(bytes.size()) : ends.forward();
    const Result<> sent = co_await ends.session.send(ends.request, {.bytes = {}, .is_whole = false}, 8192, 1s);
    CO_ASSERT(sent.has_value());
    io::Scope scope(loop);
    http::RelayResult result;
    Buffer out;
    scope.spawn(run_upload(ends, body, result, out));
    EXPECT_EQ(ends.link.receive(forward.size()), forward);

    std::string taken;
    client.send(bytes.substr(0, 10));
    co_await io::Sleep(loop.after(2ms));
    if (stated) {
      // The first packet goes as soon as a byte of it is there.
      EXPECT_EQ(ends.link.receive(16), body_packet(bytes.substr(0, 10)));
      taken = bytes.substr(0, 10);
    }
    ends.link.send(head() + chunk("began "));
    const Kind step_6 = co_await take(ends, loop);
    EXPECT_EQ(step_6, Kind::Complete);
    ends.session.keep();
    client.send(bytes.substr(10));
    std::string answer;
    while (taken.size() < bytes.size()) {
      ends.link.send(ask(8186) + chunk("."));
      co_await ends.session.body().until_ready(loop.after(1s));
      while (true) {
        const http::Pulled pulled = ends.session.body().try_pull();
        if (pulled.state != http::PullState::Data) break;
        answer += pulled.data;
      }
      co_await io::Sleep(loop.after(2ms));
      const std::string packet_head = ends.link.receive(6);
      CO_ASSERT(packet_head.size() == 6);
      const std::size_t size = get_16(packet_head.data() + 4);
      EXPECT_LE(size, 8186u);
      CO_ASSERT(size > 0);
      taken += ends.link.receive(size);
    }
    EXPECT_EQ(taken, bytes);
    co_await io::Sleep(loop.after(2ms));
    if (!stated) ends.link.send(ask(8186));
    ends.link.send(end());
    answer += co_await receive_body(ends, loop);
    EXPECT_TRUE(answer.starts_with("began .")) << answer;
    if (!stated) EXPECT_EQ(ends.link.receive(4), no_more);
    EXPECT_TRUE(scope.empty()) << "the upload has ended";
    EXPECT_EQ(result.end, http::RelayEnd::Done);
    EXPECT_EQ(result.body_bytes, bytes.size());
    EXPECT_TRUE(ends.session.may_serve_again());
    co_await scope.close();
  }
}
TEST(Session, SendsAndReceivesAtOnce) {
  const auto loop = io::make_loop();
  run_in(*loop, both_ways(*loop));
}

Task<void> early_answer(io::Loop& loop) {
  for (const bool stated : {true, false}) {
    Ends ends(loop);
    Link client(loop, LinkKind::Unix);
    http::Connection client_reader(loop, client.stream);
    http::ConnectionBody body(client_reader);
    body.begin(http::Framing::Length, 100, {});
    if (stated) ends.request.content_length = 100;
    const Result<> sent = co_await ends.session.send(ends.request, {.bytes = {}, .is_whole = false}, 8192, 1s);
    CO_ASSERT(sent.has_value());
    io::Scope scope(loop);
    http::RelayResult result;
    Buffer out;
    scope.spawn(run_upload(ends, body, result, out));
    ends.link.send(head(2) + chunk("no") + end());
    const Kind step_7 = co_await take(ends, loop);
    EXPECT_EQ(step_7, Kind::Complete);
    const std::string answer = co_await receive_body(ends, loop);
    EXPECT_EQ(answer, "no");
    // A container that was owed the first packet would read the next request as this one's body.
    EXPECT_EQ(ends.session.may_serve_again(), !stated);
    co_await scope.close();
    EXPECT_EQ(result.end, http::RelayEnd::Cancelled);
  }
}
TEST(Session, TakesAnAnswerBeforeTheBodyIsSent) {
  const auto loop = io::make_loop();
  run_in(*loop, early_answer(*loop));
}

Task<void> without_body(io::Loop& loop) {
  Ends ends(loop);
  ends.request.method = "HEAD";
  Result<> sent = co_await ends.session.send(ends.request, {}, 8192, 1s);
  CO_ASSERT(sent.has_value());
  ends.link.send(head(5) + chunk("hello"));
  EXPECT_EQ(ends.look({.to_head = true}).kind, Kind::Waiting) << "not before the container has ended it";
  EXPECT_FALSE(ends.session.may_serve_again());
  ends.link.send(end());
  co_await ends.session.until_head(loop.after(1s));
  EXPECT_EQ(ends.look({.to_head = true}).kind, Kind::Complete);
  EXPECT_EQ(ends.response.content_length, 5u);
  EXPECT_TRUE(ends.session.body().ended());
  EXPECT_TRUE(ends.session.may_serve_again());
}
TEST(Session, EndsAnAnswerWithoutBodyWithItsEnd) {
  const auto loop = io::make_loop();
  run_in(*loop, without_body(*loop));
}

Task<void> refusals(io::Loop& loop) {
  Ends ends(loop);
  const std::string path(9000, 'a');
  ends.request.uri = path;
  const Result<> large = co_await ends.session.send(ends.request, {}, 8192, 1s);
  CO_ASSERT(!large.has_value());
  EXPECT_EQ(large.error().code(), Code::TooLarge);
  ends.link.close_peer();
  ends.request.uri = "/";
  const Result<> gone = co_await ends.session.send(ends.request, {}, 8192, 1s);
  CO_ASSERT(!gone.has_value());
  EXPECT_EQ(gone.error().retry(), Retry::Always) << "the kernel took nothing";
}
TEST(Session, SaysWhatWasNotSent) {
  const auto loop = io::make_loop();
  run_in(*loop, refusals(*loop));
}

Task<void> pings(io::Loop& loop) {
  const struct {
    std::string answer;
    std::optional<Code> code;
  } rows[] = {
      {packet("\x09"), std::nullopt}, {packet("\x09") + packet("\x09"), Code::Malformed},
      {end(), Code::Malformed},       {"HTTP/1.1", Code::Malformed},
      {"AB", Code::Closed},           {"", Code::Closed},
  };
  for (const auto& row : rows) {
    Ends ends(loop);
    ends.link.send(row.answer);
    ends.link.end_peer();
    const Result<> there = co_await ping(ends.reader, loop.after(5s));
    EXPECT_EQ(there.has_value(), !row.code.has_value()) << row.answer;
    if (!there && row.code.has_value()) EXPECT_EQ(there.error().code(), *row.code) << row.answer;
    EXPECT_EQ(ends.link.receive(5), "\x12\x34\0\x01\x0a"s);
  }
  Ends silent(loop);
  const Result<> late = co_await ping(silent.reader, loop.after(10ms));
  CO_ASSERT(!late.has_value());
  EXPECT_EQ(late.error().code(), Code::TimedOut);
}
TEST(Session, Pings) {
  const auto loop = io::make_loop();
  run_in(*loop, pings(*loop));
}

}  // namespace
}  // namespace ballast::ajp
