#include "config/origins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::config {
namespace {

TEST(Origins, AreWhatBrowsersWrite) {
  for (const char* good : {"*", "null", "https://a.test", "http://a.test:8080", "https://*.a.test",
                           "https://*.a.test:8443", "http://[::1]:3000", "http://[::1]", "http://localhost:3000",
                           "capacitor://localhost", "chrome-extension://abcdef"}) {
    EXPECT_EQ(origin_defect(good), "") << good;
  }
  const struct {
    const char* origin;
    const char* words;
  } rows[] = {
      {"", "write scheme://host"},
      {"a.test", "write scheme://host"},
      {"://a", "write scheme://host"},
      {"https://", "letters, digits"},
      {"https://a.test/", "ends with the host or the port"},
      {"https://u@a.test", "ends with the host or the port"},
      {"https://a.test:443", "leave the port 443 out; write https://a.test"},
      {"http://a.test:80", "leave the port 80 out"},
      {"https://a.test:x", "its port"},
      {"https://a.test:0", "its port"},
      {"https://a.test:65536", "its port"},
      {"https://A.test", "small letters"},
      {"https://a.*", "* may only stand"},
      {"https://*a.test", "* may only stand"},
      {"https://*.*.test", "* may only stand"},
      {"*://a.test", "letters, digits"},
      {"https://b\xc3\xbc.test", "letters, digits"},
      {"https://a test", "letters, digits"},
  };
  for (const auto& row : rows) EXPECT_THAT(origin_defect(row.origin), testing::HasSubstr(row.words)) << row.origin;
}

}  // namespace
}  // namespace ballast::config
