#include "traffic/l7/session_route.h"

#include <string>

#include <gtest/gtest.h>

#include "wire/http/parse.h"

namespace ballast::traffic {
namespace {

TEST(SessionRoute, IsWhatTheSessionsIdSays) {
  const SessionRoutes routes({{"tomcat1", 4}, {"tomcat2", 7}, {"a.b", 9}, {"", 11}});
  const struct {
    std::string path;
    std::string cookies;
    int slot;  // -1: none
  } rows[] = {
      {"/", "", -1},
      {"/", "JSESSIONID=AB12.tomcat1", 4},
      {"/", "JSESSIONID=AB12.tomcat2", 7},
      {"/", "JSESSIONID=\"AB12.tomcat2\"", 7},
      {"/", "a=b; JSESSIONID=AB12.tomcat2; c=d", 7},
      {"/", "JSESSIONID=AB12", -1},
      {"/", "JSESSIONID=AB12.", -1},
      {"/", "JSESSIONID=AB12.tomcat", -1},
      {"/", "JSESSIONID=AB12.tomcat11", -1},
      {"/", "JSESSIONID=AB12.TOMCAT1", -1},
      {"/", "jsessionid=AB12.tomcat1", -1},
      {"/", "XJSESSIONID=AB12.tomcat1", -1},
      {"/", "JSESSIONID=AB12.a.b", 9},
      {"/", "JSESSIONID=AB12.gone; JSESSIONID=CD34.tomcat2", 7},
      {"/", "JSESSIONID=AB12.gone\r\nCookie: JSESSIONID=CD34.tomcat2", 7},
      {"/a;jsessionid=AB12.tomcat2", "", 7},
      {"/a;jsessionid=AB12.tomcat2/b;x=y", "", 7},
      {"/a;x=y;jsessionid=AB12.tomcat2;z", "", 7},
      {"/a;jsessionid=AB12.tomcat2", "JSESSIONID=CD34.tomcat1", 7},
      {"/a;jsessionid=AB12.gone", "JSESSIONID=CD34.tomcat1", 4},
      {"/a;jsessionid=AB12.gone/b;jsessionid=AB12.tomcat2", "", 7},
      {"/a;xjsessionid=AB12.tomcat2", "", -1},
      {"/a;jsessionid", "", -1},
      {"/a;jsessionid=", "", -1},
      {"/a;JSESSIONID=AB12.tomcat2", "", -1},
      {"/a?x=;jsessionid=AB12.tomcat2", "", -1},
      {"/jsessionid=AB12.tomcat2", "", -1},
  };
  for (const auto& row : rows) {
    std::string text = "GET " + row.path + " HTTP/1.1\r\nHost: a\r\n";
    if (!row.cookies.empty()) text += "Cookie: " + row.cookies + "\r\n";
    text += "\r\n";
    http::RequestHead head;
    ASSERT_EQ(http::RequestParser::parse(text, {}, head).progress, http::Progress::Complete) << text;
    const auto slot = session_target(head, {}, routes);
    EXPECT_EQ(slot.has_value() ? static_cast<int>(*slot) : -1, row.slot) << row.path << " " << row.cookies;
    EXPECT_FALSE(session_target(head, {.enabled = false}, routes).has_value());
    EXPECT_FALSE(session_target(head, {}, SessionRoutes()).has_value());
  }
}

TEST(SessionRoute, NamesMayBeOthers) {
  const SessionRoutes routes({{"r", 1}});
  const std::string text = "GET /a;sid=1.r HTTP/1.1\r\nHost: a\r\nCookie: S=2.r\r\n\r\n";
  http::RequestHead head;
  ASSERT_EQ(http::RequestParser::parse(text, {}, head).progress, http::Progress::Complete);
  EXPECT_FALSE(session_target(head, {}, routes).has_value());
  EXPECT_TRUE(session_target(head, {.cookie = "S"}, routes).has_value());
  EXPECT_TRUE(session_target(head, {.parameter = "sid"}, routes).has_value());
}

}  // namespace
}  // namespace ballast::traffic
