#include "traffic/route/cors.h"

#include <gtest/gtest.h>

#include "wire/http/list.h"
#include "wire/http/parse.h"

namespace ballast::traffic {
namespace {

struct Parsed {
  explicit Parsed(std::string lines) : text("GET / HTTP/1.1\r\nHost: own.test\r\n" + std::move(lines) + "\r\n") {
    EXPECT_EQ(http::RequestParser::parse(text, {}, head).progress, http::Progress::Complete) << text;
  }
  std::string text;
  http::RequestHead head;
};

TEST(Cors, AWildcardIsNamesBelowAndNothingElse) {
  const auto cors = CorsPolicy::compile({.origins = {"https://*.a.test", "http://b.test:81", "null"}});
  for (const char* origin : {"https://x.a.test", "https://x.y.a.test", "http://b.test:81", "null"}) {
    EXPECT_TRUE(cors->allows(origin)) << origin;
  }
  for (const char* origin :
       {"", "https://a.test", "https://.a.test", "https://xa.test", "http://x.a.test", "https://x.a.test:444",
        "https://evil.test/x.a.test", "https://evil.test#.a.test", "https://evil.test:1.a.test", "https://u@x.a.test",
        "https://x.a.test.evil.test", "http://b.test", "http://b.test:811", "https://X.a.test"}) {
    EXPECT_FALSE(cors->allows(origin)) << origin;
  }
}

TEST(Cors, RefusesOthersButNotItsOwnPages) {
  const auto cors = CorsPolicy::compile({.origins = {"https://a.test"}, .refuse = true});
  const struct {
    const char* lines;
    bool refused;
  } rows[] = {
      {"", false},
      {"Origin: https://a.test\r\n", false},
      {"Origin: https://own.test\r\n", false},
      {"Origin: http://own.test\r\n", false},
      {"Origin: https://own.test.evil\r\n", true},
      {"Origin: null\r\n", true},
      {"Origin: https://a.test\r\nOrigin: https://evil.test\r\n", true},
  };
  for (const auto& row : rows) EXPECT_EQ(cors->refuses(Parsed(row.lines).head), row.refused) << row.lines;
  EXPECT_FALSE(CorsPolicy::compile({.origins = {"https://a.test"}})->refuses(Parsed(rows[5].lines).head));
}

TEST(Cors, TakesOutWhatATargetSaysAndVaries) {
  const auto cors = CorsPolicy::compile({.origins = {"https://a.test"}});
  const Parsed request("Origin: https://evil.test\r\n");
  std::vector<http::FieldLine> lines{
      {"access-control-allow-origin", "*"}, {"Access-Control-Max-Age", "1"}, {"Vary", "Accept"}, {"X", "1"}};
  cors->write(request.head, lines);
  std::string text;
  for (const http::FieldLine& line : lines) text += std::string(line.name) + "=" + std::string(line.value) + ";";
  EXPECT_EQ(text, "Vary=Accept;X=1;Vary=Origin;");
  EXPECT_EQ(CorsPolicy::compile({.enabled = false, .origins = {"*"}}), nullptr);
}

}  // namespace
}  // namespace ballast::traffic
