#include <string>

#include <gtest/gtest.h>

#include "wire/http/cut_everywhere.h"
#include "wire/http/parse.h"

using namespace std::string_literals;

namespace ballast::http {
namespace {

using Question = ResponseParser::Question;

Outcome parse(Bytes input, ResponseHead& head, Question question = {}, const HeadLimits& limits = {}) {
  return ResponseParser::parse(input, limits, question, head);
}

void expect_same_when_cut(Bytes whole, Question question = {}, const HeadLimits& limits = {}) {
  const std::string difference = difference_when_cut(whole, [&](Bytes bytes) {
    static ResponseHead head;
    const Outcome outcome = parse(bytes, head, question, limits);
    return Judged{outcome, head.size};
  });
  ASSERT_EQ(difference, "");
}

TEST(ResponseParser, ReadsAnOrdinaryResponse) {
  const std::string text =
      "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Tue, 11 Jun 2024 10:00:00 GMT\r\n"
      "Content-Length: 10\r\nKeep-Alive: timeout=65\r\nETag: \"66681234-a\"\r\n\r\n0123456789";
  ResponseHead head;
  ASSERT_EQ(parse(text, head).progress, Progress::Complete);
  EXPECT_EQ(head.size, text.size() - 10);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.reason(), "OK");
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_EQ(head.framing, Framing::Length);
  EXPECT_TRUE(head.has_content_length);
  EXPECT_EQ(head.content_length, 10U);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.keep_alive_seconds, 65);
  EXPECT_EQ(head.fields.count(), 5);
  EXPECT_EQ(head.fields.value_or_empty(HeaderId::Date), "Tue, 11 Jun 2024 10:00:00 GMT");
  expect_same_when_cut(text);
}

TEST(ResponseParser, ReadsStatusLines) {
  struct Case {
    const char* line;
    int status;
    const char* reason;
    int minor_version;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 OK", 200, "OK", 1},
      {"HTTP/1.1 200 ", 200, "", 1},
      {"HTTP/1.1 200", 200, "", 1},
      {"HTTP/1.0 404 Not  Found ", 404, "Not  Found ", 0},
      {"HTTP/1.1 599 \t\x80\xff", 599, "\t\x80\xff", 1},
      {"HTTP/1.1 100 Continue", 100, "Continue", 1},
      {"HTTP/1.1 299  x", 299, " x", 1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.line);
    const std::string text = c.line + "\r\n\r\n"s;
    ResponseHead head;
    ASSERT_EQ(parse(text, head).progress, Progress::Complete);
    EXPECT_EQ(head.status, c.status);
    EXPECT_EQ(head.reason(), c.reason);
    EXPECT_EQ(head.minor_version, c.minor_version);
    expect_same_when_cut(text);
  }
}

constexpr Question get{};
constexpr Question to_head{.to_head = true};
constexpr Question to_connect{.to_connect = true};

TEST(ResponseParser, WorksOutFraming) {
  struct Case {
    const char* line;
    const char* fields;
    Question question;
    Framing framing;
    std::uint64_t length;
    bool has_length;
    bool keep_alive;
  };
  const Case cases[] = {
      {"HTTP/1.1 200", "Content-Length: 5\r\n", get, Framing::Length, 5, true, true},
      {"HTTP/1.1 200", "Content-Length: 0\r\n", get, Framing::Length, 0, true, true},
      {"HTTP/1.1 200", "Content-Length: 5\r\n", to_head, Framing::None, 5, true, true},
      {"HTTP/1.1 200", "Content-Length: 5\r\n", to_connect, Framing::None, 5, true, false},
      {"HTTP/1.1 404", "Content-Length: 5\r\n", to_connect, Framing::Length, 5, true, true},
      {"HTTP/1.1 200", "Transfer-Encoding: chunked\r\n", get, Framing::Chunked, 0, false, true},
      {"HTTP/1.1 200", "Transfer-Encoding: Chunked\r\n", to_head, Framing::None, 0, false, true},
      {"HTTP/1.1 200", "Transfer-Encoding: chunked\r\n", to_connect, Framing::None, 0, false, false},
      {"HTTP/1.1 200", "", get, Framing::UntilClose, 0, false, false},
      {"HTTP/1.1 200", "", to_head, Framing::None, 0, false, true},
      {"HTTP/1.1 200", "Connection: keep-alive\r\n", get, Framing::UntilClose, 0, false, false},
      {"HTTP/1.1 200", "Connection: close\r\nContent-Length: 5\r\n", get, Framing::Length, 5, true, false},
      {"HTTP/1.0 200", "Content-Length: 5\r\n", get, Framing::Length, 5, true, false},
      {"HTTP/1.0 200", "Content-Length: 5\r\nConnection: keep-alive\r\n", get, Framing::Length, 5, true, true},
      {"HTTP/1.0 200", "Connection: keep-alive\r\n", get, Framing::UntilClose, 0, false, false},
      {"HTTP/1.1 304", "Content-Length: 5\r\n", get, Framing::None, 5, true, true},
      {"HTTP/1.1 304", "Transfer-Encoding: chunked\r\n", get, Framing::None, 0, false, true},
      {"HTTP/1.1 304", "", get, Framing::None, 0, false, true},
      {"HTTP/1.1 204", "", get, Framing::None, 0, false, true},
      {"HTTP/1.1 204", "Content-Length: 0\r\n", get, Framing::None, 0, true, true},
      {"HTTP/1.1 205", "Content-Length: 0\r\n", get, Framing::Length, 0, true, true},
      {"HTTP/1.1 100", "", get, Framing::None, 0, false, true},
      {"HTTP/1.1 103", "Link: </a>\r\n", get, Framing::None, 0, false, true},
      {"HTTP/1.1 101", "Connection: upgrade\r\nUpgrade: websocket\r\n", get, Framing::None, 0, false, false},
  };
  for (const Case& c : cases) {
    const std::string text = c.line + "\r\n"s + c.fields + "\r\n";
    SCOPED_TRACE(printable(text));
    ResponseHead head;
    ASSERT_EQ(parse(text, head, c.question).progress, Progress::Complete);
    EXPECT_EQ(head.framing, c.framing);
    EXPECT_EQ(head.content_length, c.length);
    EXPECT_EQ(head.has_content_length, c.has_length);
    EXPECT_EQ(head.keep_alive, c.keep_alive);
    expect_same_when_cut(text, c.question);
  }
}

TEST(ResponseParser, ReadsHowLongTheTargetKeepsAnIdleConnection) {
  const std::pair<const char*, std::optional<int>> cases[] = {
      {"timeout=5, max=100", 5},
      {"max=100, Timeout=7", 7},
      {"timeout=", std::nullopt},
      {"timeout=x", std::nullopt},
      {"timeout=5s", std::nullopt},
      {"", std::nullopt},
      {"timeout=9, timeout=4", 4},
      {"timeout=-1", std::nullopt},
      {"timeout=0", 0},
      {"timeout=99999999999999999999", 7 * 24 * 3600},
      {"xtimeout=5", std::nullopt},
  };
  for (const auto& [value, seconds] : cases) {
    SCOPED_TRACE(value);
    ResponseHead head;
    ASSERT_EQ(parse("HTTP/1.1 200 OK\r\nKeep-Alive: "s + value + "\r\n\r\n", head).progress, Progress::Complete);
    EXPECT_EQ(head.keep_alive_seconds, seconds);
  }
}

TEST(ResponseParser, RefusesAtTheOffendingByte) {
  struct Case {
    std::string before;
    std::string rest;
    Defect defect;
    Question question = {};
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const Case cases[] = {
      {"", "\x15\x03\x01"s, Defect::BadVersion},
      {"", "\r\nHTTP/1.1 200 OK\r\n\r\n", Defect::BadVersion},
      {"", "SSH-2.0-x\r\n", Defect::BadVersion},
      {"HTTP", " 200 OK\r\n", Defect::BadVersion},
      {"HTTP/", "2 200 OK\r\n", Defect::BadVersion},
      {"HTTP/1.", "2 200 OK\r\n", Defect::BadVersion},
      {"HTTP/1.1", "1 200 OK\r\n", Defect::BadVersion},
      {"HTTP/1.1", "\r\n", Defect::BadStatus},
      {"HTTP/1.1", "\n", Defect::BareLf},
      {"HTTP/1.1 ", " 200 OK\r\n", Defect::BadStatus},
      {"HTTP/1.1 ", "099 OK\r\n", Defect::BadStatus},
      {"HTTP/1.1 ", "600 OK\r\n", Defect::BadStatus},
      {"HTTP/1.1 20", " OK\r\n", Defect::BadStatus},
      {"HTTP/1.1 20", "\r\n\r\n", Defect::BadStatus},
      {"HTTP/1.1 200", "0 OK\r\n", Defect::BadStatus},
      {"HTTP/1.1 200", "OK\r\n", Defect::BadStatus},
      {"HTTP/1.1 200", "\tOK\r\n", Defect::BadStatus},
      {"HTTP/1.1 200", "\n\n", Defect::BareLf},
      {"HTTP/1.1 200", "\r\r\n", Defect::BareCr},
      {"HTTP/1.1 200 O", "\nK\r\n", Defect::BareLf},
      {"HTTP/1.1 200 O", "\rK\r\n", Defect::BareCr},
      {"HTTP/1.1 200 O", "\0K\r\n"s, Defect::NulByte},
      {"HTTP/1.1 200 O", "\x7fK\r\n"s, Defect::BadStatus},
      {ok, " X: y\r\n\r\n", Defect::ObsFold},
      {ok + "X", " : y\r\n\r\n", Defect::SpaceBeforeColon},
      {ok + "X: y", "\nY: z\r\n\r\n", Defect::BareLf},
      {ok, "\n", Defect::BareLf},
      {ok + "Content-Length: 5\r\nContent-Length", ": 5\r\n\r\n", Defect::RepeatedContentLength},
      {ok + "Content-Length: 5", ", 5\r\n\r\n", Defect::BadContentLength},
      {ok + "Content-Length: 5\r\nTransfer-Encoding", ": chunked\r\n\r\n", Defect::LengthAndCoding},
      {ok + "Content-Length: 5\r\nTransfer-Encoding", ": chunked\r\n\r\n", Defect::LengthAndCoding, to_head},
      {ok + "Transfer-Encoding: ", "gzip\r\n\r\n", Defect::UnknownCoding},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding", ": chunked\r\n\r\n", Defect::CodingInHttp10},
      {"HTTP/1.1 204 No\r\nTransfer-Encoding", ": chunked\r\n\r\n", Defect::UnknownCoding},
      {"HTTP/1.1 103 Hints\r\nTransfer-Encoding", ": chunked\r\n\r\n", Defect::UnknownCoding},
      {"HTTP/1.1 204 No\r\nContent-Length: 00", "5\r\n\r\n", Defect::BadContentLength},
      {"HTTP/1.1 204 No\r\nContent-Length: ", "5x\r\n\r\n", Defect::BadContentLength},
      {"HTTP/1.1 204 No\r\nContent-Length: 0", "x5\r\n\r\n", Defect::BadContentLength},
      {"HTTP/1.1 204 No\r\nContent-Length: 0\r\nContent-Length", ": 5\r\n\r\n", Defect::RepeatedContentLength},
      {"HTTP/1.1 100 Continue\r\nContent-Length: ", "5\r\n\r\n", Defect::BadContentLength},
  };
  for (const Case& c : cases) {
    const std::string text = c.before + c.rest;
    SCOPED_TRACE(printable(text));
    ResponseHead head;
    const Outcome outcome = parse(text, head, c.question);
    EXPECT_EQ(outcome.progress, Progress::Failed);
    EXPECT_EQ(to_string(outcome.defect), to_string(c.defect));
    EXPECT_EQ(outcome.offset, c.before.size());
    expect_same_when_cut(text, c.question);
  }
}

TEST(ResponseParser, KeepsItsLimits) {
  const HeadLimits limits{.line = 20, .header = 20, .head = 70, .header_count = 2};
  struct Case {
    std::string before;
    std::string rest;
    Defect defect;
  };
  const Case cases[] = {
      {"HTTP/1.1 200 1234567\r\nX: 45678901234567890\r\nY:\r\n\r\n", "", Defect::None},
      {"HTTP/1.1 200 1234567", "8\r\n\r\n", Defect::LineTooLong},
      {"HTTP/1.1 200\r\nX: 45678901234567890", "1\r\n\r\n", Defect::HeaderTooLarge},
      {"HTTP/1.1 200\r\nX:\r\nY:\r\n", "Z:\r\n\r\n", Defect::TooManyHeaders},
      {"HTTP/1.1 200 1234567\r\nX: 45678901234567890\r\nY: 45678901234567890\r\n\r\n", "", Defect::None},
      {"HTTP/1.1 200 1234567\r\nX: 45678901234567890\r\nY: 45678901234567890\r\n\r\n", "z", Defect::None},
  };
  for (const Case& c : cases) {
    const std::string text = c.before + c.rest;
    SCOPED_TRACE(printable(text));
    ResponseHead head;
    const Outcome outcome = parse(text, head, {}, limits);
    EXPECT_EQ(to_string(outcome.defect), to_string(c.defect));
    EXPECT_EQ(outcome.offset, c.defect == Defect::None ? 0 : c.before.size());
    expect_same_when_cut(text, {}, limits);
  }
  const std::string text = "HTTP/1.1 200 OK\r\nX: y\r\n\r\n";
  for (std::size_t limit = 0; limit < text.size(); ++limit) {
    ResponseHead head;
    ASSERT_EQ(parse(text, head, {}, {.head = limit}).defect, Defect::HeadTooLarge);
    expect_same_when_cut(text, {}, {.head = limit});
  }
  for (std::size_t limit = 0; limit < 15; ++limit) {
    ResponseHead head;
    ASSERT_EQ(parse(text, head, {}, {.line = limit}).defect, Defect::LineTooLong);
    expect_same_when_cut(text, {}, {.line = limit});
  }
}

TEST(ResponseParser, GivesOneVerdictForMutatedHeads) {
  const std::string seeds[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nKeep-Alive: timeout=5\r\nConnection: close, x\r\n\r\n",
      "HTTP/1.1 204\r\nContent-Length: 00\r\n\r\n",
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nX:\r\n\r\n",
  };
  constexpr char bytes[] = {'\0', '\n', '\r', '\t', ' ', ':', ',', '0', '1', '5', 'a', '\x7f', '\x80', '.'};
  for (const std::string& seed : seeds) {
    for (std::size_t at = 0; at < seed.size(); ++at) {
      for (const char byte : bytes) {
        std::string text = seed;
        text[at] = byte;
        expect_same_when_cut(text);
        if (HasFatalFailure()) return;
      }
      std::string text = seed;
      text.erase(at, 1);
      expect_same_when_cut(text);
      text = seed;
      text.insert(at, 1, seed[at]);
      expect_same_when_cut(text);
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace ballast::http
