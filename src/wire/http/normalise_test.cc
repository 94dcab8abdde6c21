#include "wire/http/normalise.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ballast::http {
namespace {

using namespace std::string_literals;

constexpr HeadLimits limits{.strictness = Strictness::Monitor};

// The head as it was put in order; "" where the refusal stands, "..." where more is awaited.
std::string mended_request(const std::string& input) {
  RequestHead head;
  const Outcome refusal = RequestParser::parse(input, limits, head);
  EXPECT_EQ(refusal.progress, Progress::Failed) << input;
  Buffer text;
  const Normalised done = normalise(input, refusal, limits, text, head);
  if (done.progress == Progress::NeedMore) return "...";
  if (done.progress == Progress::Failed) return "";
  EXPECT_FALSE(head.keep_alive);
  EXPECT_EQ(head.oddity.defect, refusal.defect);
  EXPECT_EQ(head.oddity.offset, refusal.offset);
  EXPECT_EQ(head.whole(), text.view());
  return std::string(text.view());
}

std::string mended_response(const std::string& input) {
  ResponseHead head;
  const Outcome refusal = ResponseParser::parse(input, limits, {}, head);
  EXPECT_EQ(refusal.progress, Progress::Failed) << input;
  Buffer text;
  const Normalised done = normalise(input, refusal, limits, {}, text, head);
  if (done.progress == Progress::NeedMore) return "...";
  if (done.progress == Progress::Failed) return "";
  EXPECT_FALSE(head.keep_alive);
  EXPECT_EQ(head.size, text.size());
  return std::string(text.view());
}

TEST(Normalise, RequestsWithOneSafeReading) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"GET / HTTP/1.1\nHost: h\n\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n \tc\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nA: b c\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\td\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nA: b c d\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: h\r\nA: \x01\x02\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nA:   \r\n\r\n"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nA: b\r\ncontent-length:5 \r\n\r\n",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nA: b\r\n\r\n"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5 ,5\r\n\r\n",
       "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"},
      {"GET / HTTP/1.1\r\nHost: h\r\nHost: H\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"GET /\xc3\xa9?\xff HTTP/1.1\r\nHost: h\r\n\r\n", "GET /%C3%A9?%FF HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"GET /\xff HTTP/1.1\nHost: h\nA: b\n c\n\n", "GET /%FF HTTP/1.1\r\nHost: h\r\nA: b c\r\n\r\n"},
  };
  for (const auto& [input, wanted] : cases) {
    EXPECT_EQ(mended_request(input), wanted) << input;
    EXPECT_EQ(mended_request(input + "GET /next HTTP/1.1\r\n"), wanted) << "with more behind: " << input;
  }
}

TEST(Normalise, RequestsWithoutOne) {
  const std::vector<std::string> cases{
      "GET / HTTP/1.1\r\nHost: h\n\r\n",
      "GET / HTTP/1.1\nHost: h\r\n\n",
      "POST / HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n",
      "POST / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\nContent-Length: 5\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n \r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\n x\r\n\r\n",
      "GET / HTTP/1.1\r\n Host: h\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n , x\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n 0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nA: \x01\r\nContent-Length: 5\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 05\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 6\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n",
      "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET http://\xe9/ HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\nB: \0\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
  };
  for (const std::string& input : cases) EXPECT_EQ(mended_request(input), "") << input;
}

TEST(Normalise, WaitsForTheWholeHeadWhereItMayHelp) {
  EXPECT_EQ(mended_request("GET / HTTP/1.1\nHost: h\n"), "...");
  EXPECT_EQ(mended_request("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c"), "...");
  EXPECT_EQ(mended_request("GET / HTTP/1.1\r\nHost: h\r\nA : b"), "");
  EXPECT_EQ(mended_request("GET / HTTP/1.1\n" + std::string(limits.head, 'a')), "") << "no longer than a head may be";
}

TEST(Normalise, FewRepairs) {
  std::string head = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 40; ++i) head += "A: b\r\n c\r\n";
  EXPECT_EQ(mended_request(head + "\r\n"), "");
}

TEST(Normalise, Responses) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"},
      {"HTTP/1.1 200 OK\r\nA \t: b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n"},
      {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 5\r\n\r\n",
       "HTTP/1.1 200 OK\r\nA: b c\r\nContent-Length: 5\r\n\r\n"},
      {"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n", ""},
      {"HTTP/1.1 200 OK\r\nA B: c\r\n\r\n", ""},
      {"HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n", ""},
      {"HTTP/1.1 103 Early\nA: b\n\n", ""},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ""},
  };
  for (const auto& [input, wanted] : cases) EXPECT_EQ(mended_response(input), wanted) << input;
}

}  // namespace
}  // namespace ballast::http
