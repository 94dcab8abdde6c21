#include "config/text_checks.h"

#include <gtest/gtest.h>

namespace ballast::config {
namespace {

TEST(TextChecks, VisibleAscii) {
  EXPECT_EQ(visible_ascii("a-Z~!"), "");
  for (const char* wrong : {"a b", "a\tb", "\x7f", "\xc3\xa4"}) EXPECT_NE(visible_ascii(wrong), "") << wrong;
}

TEST(TextChecks, FetchableUrl) {
  for (const char* good : {"http://a", "https://a:8443/x?y=1", "http://[::1]:80/"}) EXPECT_EQ(fetchable_url(good), "");
  EXPECT_EQ(fetchable_url("ftp://a"), "\"ftp://a\" does not begin with http:// or https://");
  EXPECT_EQ(fetchable_url("https:///x"), "\"https:///x\" names no host");
  EXPECT_EQ(fetchable_url("https://:80"), "\"https://:80\" names no host");
  for (const char* wrong : {"https://u@a", "https://a/#b", "https://a b", "https://\xc3\xa4"}) {
    EXPECT_NE(fetchable_url(wrong).find("cannot stand there"), std::string::npos) << wrong;
  }
}

}  // namespace
}  // namespace ballast::config
