#include "wire/http/url.h"

#include <gtest/gtest.h>

namespace ballast::http {
namespace {

TEST(Url, IsTakenApart) {
  const struct {
    Bytes text;
    bool secure;
    Bytes host;
    std::uint16_t port;
    Bytes target;
    Bytes authority;
  } rows[] = {
      {"http://a", false, "a", 80, "/", "a"},
      {"https://ca.example.com/directory", true, "ca.example.com", 443, "/directory", "ca.example.com"},
      {"https://a:14000/dir?x=1", true, "a", 14000, "/dir?x=1", "a:14000"},
      {"http://a?x=1", false, "a", 80, "/?x=1", "a"},
      {"https://[::1]:8443/", true, "::1", 8443, "/", "[::1]:8443"},
      {"https://[::1]", true, "::1", 443, "/", "[::1]"},
      {"http://127.0.0.1:81/x", false, "127.0.0.1", 81, "/x", "127.0.0.1:81"},
  };
  for (const auto& row : rows) {
    const auto url = Url::parse(row.text);
    ASSERT_TRUE(url.has_value()) << row.text << ": " << url.error().text();
    EXPECT_EQ(url->secure, row.secure) << row.text;
    EXPECT_EQ(url->host, row.host) << row.text;
    EXPECT_EQ(url->port, row.port) << row.text;
    EXPECT_EQ(url->target, row.target) << row.text;
    EXPECT_EQ(url->authority, row.authority) << row.text;
    // Cut anywhere it is another URL or none, and nothing is read behind its end.
    for (std::size_t i = 0; i < row.text.size(); ++i) (void)Url::parse(std::string(row.text.substr(0, i)));
  }
}

TEST(Url, WhatIsNoneIsRefused) {
  for (const Bytes text : {"", "http://", "https://", "ftp://a/", "HTTP://a", "http:///x", "http://:80/", "http://a:0/",
                           "http://a:65536/", "http://a:8o/", "http://u@a/", "http://a/#x", "http://a /",
                           "http://a\r\n/", "http://[::1", "http://a b/", "http://\xc3\xa4/"}) {
    EXPECT_FALSE(Url::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(Url::parse("http://a/" + std::string(Url::bytes_max, 'x')).has_value());
}

}  // namespace
}  // namespace ballast::http
