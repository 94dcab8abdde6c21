#include "traffic/route/path_rewrite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

using ::testing::HasSubstr;

std::string rewritten(const config::Rewrite& rewrite, Bytes path, std::optional<Bytes> query = std::nullopt) {
  const auto compiled = PathRewrite::compile(rewrite);
  if (!compiled) return compiled.error().text();
  std::string out = "left over";
  using Outcome = PathRewrite::Outcome;
  switch ((*compiled)->apply({.path = path, .query = query.value_or(""), .has_query = query.has_value()}, out)) {
    case Outcome::Unchanged:
      EXPECT_EQ(out, "");
      return "(unchanged)";
    case Outcome::Upwards:
      EXPECT_EQ(out, "");
      return "(upwards)";
    case Outcome::TooLong:
      EXPECT_EQ(out, "");
      return "(too long)";
    case Outcome::Rewritten:
      return out;
  }
  return "?";
}

TEST(PathRewrite, Prefixes) {
  const config::Rewrite strip{.strip_prefix = "/api"};
  EXPECT_EQ(rewritten(strip, "/api/x"), "/x");
  EXPECT_EQ(rewritten(strip, "/api"), "/");
  EXPECT_EQ(rewritten(strip, "/api/"), "/");
  EXPECT_EQ(rewritten(strip, "/api", ""), "/?");
  EXPECT_EQ(rewritten(strip, "/api/x", "a=/api&b"), "/x?a=/api&b");
  EXPECT_EQ(rewritten(strip, "/apis/x"), "(unchanged)");
  EXPECT_EQ(rewritten(strip, "/API/x"), "(unchanged)");
  EXPECT_EQ(rewritten(strip, "*"), "(unchanged)");
  EXPECT_EQ(rewritten(strip, "/api//evil.test/x"), "/evil.test/x");
  EXPECT_EQ(rewritten(strip, "/api/a//b"), "/a//b");
  const config::Rewrite add{.prefix = "/v2"};
  EXPECT_EQ(rewritten(add, "/x"), "/v2/x");
  EXPECT_EQ(rewritten(add, "/"), "/v2/");
  const config::Rewrite both{.strip_prefix = "/api", .prefix = "/v2"};
  EXPECT_EQ(rewritten(both, "/api/x", "q"), "/v2/x?q");
  EXPECT_EQ(rewritten(both, "/api"), "/v2");
  EXPECT_EQ(rewritten(both, "/x"), "(unchanged)");
}

TEST(PathRewrite, Expressions) {
  const config::Rewrite move{.regex = "^/old/(.*)$", .to = "/new/\\1"};
  EXPECT_EQ(rewritten(move, "/old/a/b", "q=1"), "/new/a/b?q=1");
  EXPECT_EQ(rewritten(move, "/older"), "(unchanged)");
  EXPECT_EQ(rewritten({.regex = "/old", .to = "/new"}, "/old/x"), "(unchanged)") << "the whole path must match";
  EXPECT_EQ(rewritten({.regex = "/(a)(b)?", .to = "/\\2-\\1-\\0"}, "/a"), "/-a-/a");
  EXPECT_EQ(rewritten({.regex = "/u/([^/]+)", .to = "/user?id=\\1&v=2"}, "/u/7", "id=8"), "/user?id=7&v=2");
  EXPECT_EQ(rewritten({.regex = "/u/(.*)", .to = "/user?"}, "/u/7", "id=8"), "/user?");
  EXPECT_EQ(rewritten({.regex = "/u/(.*)", .to = "/user?id=\\1"}, "/u/7&admin=1;x=2+3"),
            "/user?id=7%26admin=1%3Bx=2%2B3")
      << "what was captured is one value";
  EXPECT_EQ(rewritten({.regex = "/(.*)", .to = "//\\1"}, "/evil.test"), "/evil.test");
  EXPECT_EQ(rewritten({.regex = "/x(.*)", .to = "/\\1"}, "/x//"), "/") << "slashes alone";
}

TEST(PathRewrite, WhatIsNoPathIsEncoded) {
  const config::Rewrite all{.regex = "/x(.*)", .to = "/\\1"};
  EXPECT_EQ(rewritten(all, "/xa b\"<>\\\x7f\xff\r\n#[]"), "/a%20b%22%3C%3E%5C%7F%FF%0D%0A%23%5B%5D");
  EXPECT_EQ(rewritten(all, "/x%2Fa%zz%2"), "/%2Fa%25zz%252");
  EXPECT_EQ(rewritten({.regex = "/(..)(.*)", .to = "/\\1/\\2"}, "/%2Fb"), "/%252/Fb") << "an escape torn apart";
}

TEST(PathRewrite, NothingLeadsUpwards) {
  const config::Rewrite strip{.strip_prefix = "/api", .prefix = "/v2"};
  for (const char* path : {"/api/..", "/api/../x", "/api/a/../../x", "/api/.", "/api/./x", "/api/%2e%2E/x", "/api/.%2e",
                           "/api/..;x/y", "/api/..;/y", "/api/..%3b/y", "/api/..%2fx", "/api/..%5cx", "/api/..\\x",
                           "/api/a%2f..%2f..", "/api/a\\..\\x"}) {
    EXPECT_EQ(rewritten(strip, path), "(upwards)") << path;
  }
  for (const char* path : {"/api/...", "/api/..x", "/api/x..", "/api/a.b", "/api/.x", "/api/;..", "/api/%252e%252e"}) {
    EXPECT_THAT(rewritten(strip, path), HasSubstr("/v2/")) << path;
  }
  EXPECT_EQ(rewritten({.regex = "/a/(.)(.)/(.*)", .to = "/\\1\\2/\\3"}, "/a/../etc"), "(upwards)");
  EXPECT_EQ(rewritten({.regex = "/(.*)/(.*)", .to = "/%2\\1%2\\2/x"}, "/e/e"), "(upwards)") << "put together";
}

TEST(PathRewrite, ItIsBounded) {
  const std::string longest = "/" + std::string(PathRewrite::target_bytes_max - 1, 'a');
  EXPECT_EQ(rewritten({.regex = "/(.*)", .to = "/\\1"}, longest).size(), PathRewrite::target_bytes_max);
  EXPECT_EQ(rewritten({.regex = "(.*)", .to = "/x\\1"}, longest), "(too long)");
  EXPECT_EQ(rewritten({.prefix = "/v"}, longest), "(too long)");
  std::string blown;
  for (int i = 0; i < 1000; ++i) blown += "\\1";
  EXPECT_EQ(rewritten({.regex = "/(.*)", .to = "/" + blown}, longest), "(too long)");
  EXPECT_EQ(rewritten({.regex = "/(.*)", .to = "/?" + blown}, longest), "(too long)");
  EXPECT_EQ(rewritten({.regex = "/x(.*)", .to = "/\\1"}, "/x" + std::string(30'000, '"')), "(too long)") << "encoded";
  EXPECT_EQ(rewritten({.strip_prefix = "/x"}, "/x/", longest), "(too long)") << "with its query";
  // Time is linear in the path for any expression.
  EXPECT_EQ(rewritten({.regex = "/((a+)+)+b", .to = "/x"}, longest), "(unchanged)");
}

TEST(PathRewrite, WhatCannotBeIsRefused) {
  EXPECT_THAT(rewritten({.regex = "(", .to = "/"}, "/"), HasSubstr("rewrite: not a regular expression"));
  EXPECT_THAT(rewritten({.regex = "/(a)", .to = "/\\2"}, "/"), HasSubstr("of which the expression has 1"));
  EXPECT_THAT(rewritten({.regex = "/(a)", .to = "/\\"}, "/"), HasSubstr("must be followed by the number"));
}

}  // namespace
}  // namespace ballast::traffic
