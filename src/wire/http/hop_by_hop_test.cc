#include "wire/http/hop_by_hop.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/http/list.h"
#include "wire/http/parse.h"

namespace ballast::http {
namespace {

std::string removed(const std::string& lines) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n";
  RequestHead head;
  EXPECT_EQ(RequestParser::parse(text, {}, head).progress, Progress::Complete);
  const HopByHop hop(head.fields);
  std::string names;
  for (const Field& field : head.fields) {
    EXPECT_EQ(hop.contains(field), is_hop_by_hop(head.fields, field));
    if (hop.contains(field)) names += std::string(head.fields.name(field)) + " ";
  }
  return names;
}

TEST(HopByHop, AreTheKnownOnes) {
  EXPECT_EQ(removed("Accept: */*\r\nX: y\r\nDate: z\r\n"), "");
  EXPECT_EQ(removed("Connection: x\r\nKeep-Alive: x\r\nProxy-Connection: x\r\nTE: x\r\nTrailer: x\r\n"
                    "Transfer-Encoding: chunked\r\nUpgrade: x\r\nHTTP2-Settings: x\r\nY: z\r\n"),
            "Connection Keep-Alive Proxy-Connection TE Trailer Transfer-Encoding Upgrade HTTP2-Settings ");
}

TEST(HopByHop, AreThoseThatConnectionNames) {
  EXPECT_EQ(removed("A: 1\r\nConnection: b, , C\r\nB: 2\r\nc: 3\r\nb: 4\r\n"), "Connection B c b ");
  EXPECT_EQ(removed("A: 1\r\nConnection: x\r\nB: 2\r\nconnection: A\r\n"), "A Connection connection ");
  EXPECT_EQ(removed("Ab: 1\r\nConnection: a, abc, ab c\r\n"), "Connection ");
}

TEST(HopByHop, AreNotThoseTheProxyAnswersFor) {
  EXPECT_EQ(removed("Connection: host, content-length, x-forwarded-for, cookie, forwarded, x-request-id\r\n"
                    "Content-Length: 0\r\nX-Forwarded-For: b\r\nCookie: c\r\nForwarded: d\r\nX-Request-Id: e\r\n"),
            "Connection ");
}

TEST(HopByHop, AreBounded) {
  std::string names = "keep-alive, close";
  for (int i = 0; i < HopByHop::named_max; ++i) names += ", n" + std::to_string(i);
  EXPECT_EQ(removed("Connection: " + names + ", late\r\nn0: x\r\nN15: x\r\nLate: x\r\n"), "Connection n0 N15 ");
}

TEST(HopByHop, FindsTheLastFieldOfAFullHead) {
  std::string lines = "Connection: last\r\n";
  for (int i = 2; i < 99; ++i) lines += "A: b\r\n";
  EXPECT_EQ(removed(lines + "Last: x\r\n"), "Connection Last ");
}

TEST(List, GivesTrimmedElements) {
  const auto items = [](Bytes value) {
    std::string all;
    ListReader list(value);
    for (Bytes item; list.next(item);) all += "[" + std::string(item) + "]";
    return all;
  };
  EXPECT_EQ(items(""), "");
  EXPECT_EQ(items(" , ,\t,"), "");
  EXPECT_EQ(items("a"), "[a]");
  EXPECT_EQ(items(" a ,b,, c d\t"), "[a][b][c d]");
}

TEST(List, HasAWord) {
  EXPECT_TRUE(list_has("a, Close", "close"));
  EXPECT_FALSE(list_has("closed, a close", "close"));
}

TEST(IEquals, ComparesLettersWithoutCaseAndNothingElse) {
  EXPECT_TRUE(iequals("", ""));
  EXPECT_TRUE(iequals("Keep-ALIVE9", "kEEP-alive9"));
  EXPECT_FALSE(iequals("a", "ab"));
  EXPECT_FALSE(iequals("@", "`"));
  EXPECT_FALSE(iequals("[", "{"));
  EXPECT_FALSE(iequals("\xc9", "\xe9"));
}

}  // namespace
}  // namespace ballast::http
