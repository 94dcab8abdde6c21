#include "traffic/l7/cookie.h"

#include <gtest/gtest.h>

#include "wire/http/parse.h"

namespace ballast::traffic {
namespace {

TEST(Cookie, IsFoundByItsWholeName) {
  const std::string text =
      "GET / HTTP/1.1\r\nHost: a\r\nCookie: xid=1;  id=two ; quoted=\"three\"; empty=\r\nCookie: later=4; id=5\r\n\r\n";
  http::RequestHead head;
  ASSERT_EQ(http::RequestParser::parse(text, {}, head).progress, http::Progress::Complete);
  EXPECT_EQ(cookie_value(head.fields, "id"), Bytes("two"));
  EXPECT_EQ(cookie_value(head.fields, "quoted"), Bytes("three"));
  EXPECT_EQ(cookie_value(head.fields, "empty"), Bytes(""));
  EXPECT_EQ(cookie_value(head.fields, "later"), Bytes("4"));
  EXPECT_EQ(cookie_value(head.fields, "ID"), std::nullopt);
  EXPECT_EQ(cookie_value(head.fields, "x"), std::nullopt);
}

}  // namespace
}  // namespace ballast::traffic
