#include "traffic/route/redirect.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

using ::testing::HasSubstr;

const RedirectTo::Request request{
    .protocol = "http", .host = "example.com", .port = 8080, .path = "/old/x", .query = "a=1&b=2"};

std::string location(const std::string& to, const RedirectTo::Request& from = request) {
  const auto compiled = RedirectTo::compile({.status = 301, .to = to});
  return compiled ? compiled->location(from) : compiled.error().text();
}

TEST(Redirect, FillsIn) {
  EXPECT_EQ(location("https://{host}/new{path}"), "https://example.com/new/old/x");
  EXPECT_EQ(location("{protocol}://{host}:{port}{path}?{query}"), "http://example.com:8080/old/x?a=1&b=2");
  EXPECT_EQ(location("https://{host}/{path}"), "https://example.com/old/x");
  EXPECT_EQ(location("/elsewhere"), "/elsewhere");
  EXPECT_EQ(location("{path}"), "/old/x");
  EXPECT_EQ(location("/caf\xc3\xa9}"), "/caf%C3%A9}");
}

TEST(Redirect, AnEmptyQueryTakesItsQuestionMarkAway) {
  RedirectTo::Request plain = request;
  plain.query = "";
  EXPECT_EQ(location("https://{host}{path}?{query}", plain), "https://example.com/old/x");
  EXPECT_EQ(location("https://{host}{path}?from=old&{query}", plain), "https://example.com/old/x?from=old&");
  EXPECT_EQ(location("https://{host}{path}?", plain), "https://example.com/old/x?");
}

TEST(Redirect, WhatComesFromTheRequestStaysInItsPlace) {
  RedirectTo::Request hostile = request;
  hostile.path = "/a\r\nSet-Cookie: x=1\r\n\r\n<b>#\"\\\x7f\xff";
  hostile.query = "q=\r\nX: 1#frag";
  hostile.host = "evil.com/@\r\n?#";
  const std::string made = location("https://{host}{path}?{query}", hostile);
  EXPECT_EQ(made,
            "https://evil.com%2F%40%0D%0A%3F%23/"
            "a%0D%0ASet-Cookie:%20x=1%0D%0A%0D%0A%3Cb%3E%23%22%5C%7F%FF?q=%0D%0AX:%201%23frag");
  for (int byte = 0; byte < 256; ++byte) {
    const std::string all(1, static_cast<char>(byte));
    const std::string with = location("{protocol}://{host}{path}?{query}", {all, all, 1, all, all});
    EXPECT_TRUE(std::all_of(with.begin(), with.end(), [](char c) { return c > 0x20 && c < 0x7f; })) << byte;
  }
}

TEST(Redirect, APathCanNotNameAHost) {
  for (const char* path : {"//evil.com/", "///evil.com/", "/\\evil.com/", "\\/evil.com", "*", ""}) {
    RedirectTo::Request hostile = request;
    hostile.path = path;
    for (const char* to : {"{path}", "/{path}", "/{path}?{query}"}) {
      const std::string made = location(to, hostile);
      EXPECT_EQ(made[0], '/') << made;
      EXPECT_TRUE(made.size() == 1 || (made[1] != '/' && made[1] != '\\')) << made;
    }
    EXPECT_THAT(location("https://{host}{path}", hostile), HasSubstr("https://example.com/"));
  }
}

TEST(Redirect, V6HostsHaveBrackets) {
  RedirectTo::Request v6 = request;
  v6.host = "::1";
  EXPECT_EQ(location("https://{host}/", v6), "https://[::1]/");
  v6.host = "[::1]";
  EXPECT_EQ(location("https://{host}/", v6), "https://[::1]/");
  v6.host = "";
  EXPECT_EQ(location("https://{host}/", v6), "https:///");
}

TEST(Redirect, Refuses) {
  EXPECT_EQ(location("https://{hots}/"),
            "redirect to \"https://{hots}/\": no placeholder \"{hots}\"; known are {protocol}, {host}, {port}, {path}, "
            "{query}");
  EXPECT_THAT(location("https://{host"), HasSubstr("no placeholder \"{host}\""));
  EXPECT_THAT(location("{"), HasSubstr("no placeholder"));
  EXPECT_THAT(location(""), HasSubstr("it is empty"));
  EXPECT_THAT(location("/a\r\nX: 1"), HasSubstr("a space or a control byte"));
  EXPECT_THAT(location("/a b"), HasSubstr("a space or a control byte"));
  EXPECT_THAT(location(std::string(3000, 'a')), HasSubstr("3000 bytes; at most 2048"));
  EXPECT_THAT(location("{path}{path}{path}{path}{path}{path}{path}{path}{path}"), HasSubstr("more than 8"));
  EXPECT_FALSE(RedirectTo::compile({.status = 200, .to = "/"}));
  EXPECT_FALSE(RedirectTo::compile({.status = 304, .to = "/"}));
  for (const int status : {301, 302, 303, 307, 308}) {
    EXPECT_EQ(RedirectTo::compile({.status = status, .to = "/"})->status(), status);
  }
}

}  // namespace
}  // namespace ballast::traffic
