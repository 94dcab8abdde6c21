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

TEST(Cookie, IsLeftOutAndTheRestStays) {
  const struct {
    Bytes value;
    Bytes left;
  } rows[] = {
      {"a=1", "a=1"},
      {"a=1;b=2 ;  c", "a=1;b=2 ;  c"},  // untouched
      {"BALLASTX=1; XBALLAST=2; ballast=3", "BALLASTX=1; XBALLAST=2; ballast=3"},
      {"BALLAST=1", ""},
      {"BALLAST=1; BALLAST=2", ""},
      {"BALLAST=1; a=1", "a=1"},
      {"a=1; BALLAST=1", "a=1"},
      {"a=1; BALLAST=1; b=\"2\"", "a=1; b=\"2\""},
      {"a=1;BALLAST = 1;b=2; ; c", "a=1;b=2; ; c"},
      {"a=BALLAST=1", "a=BALLAST=1"},
      {";;BALLAST=1; ;z", ";; ;z"},
      {"BALLAST=1;a;b;c;d;e;f;g;h", "a;b;c;d;e;f;g;h"},
      {"", ""},
  };
  for (const auto& row : rows) {
    std::string kept;
    kept.reserve(row.value.size());
    const char* const where = kept.data();
    EXPECT_EQ(without_cookie(row.value, "BALLAST", kept), row.left) << row.value;
    EXPECT_EQ(kept.data(), where) << "what others look at there would be gone";
  }
  // What the first gave stays good.
  std::string kept;
  kept.reserve(100);
  const Bytes first = without_cookie("a=1; BALLAST=1", "BALLAST", kept);
  const Bytes second = without_cookie("BALLAST=1; bb=22", "BALLAST", kept);
  EXPECT_EQ(first, "a=1");
  EXPECT_EQ(second, "bb=22");
}

}  // namespace
}  // namespace ballast::traffic
