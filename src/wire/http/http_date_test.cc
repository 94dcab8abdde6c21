#include "wire/http/http_date.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace ballast::http {
namespace {

constexpr std::int64_t example = 784'111'777;
constexpr std::int64_t now = 1'790'000'000;  // in 2026

std::string written(std::int64_t seconds) {
  const HttpDate date = write_http_date(seconds);
  return {date.data(), date.size()};
}

TEST(HttpDate, Writes) {
  EXPECT_EQ(written(example), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(written(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(written(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(written(951'782'400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(written(INT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(written(INT64_MIN), "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST(HttpDate, ReadsTheThreeForms) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", now), example);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now), example);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", now), example);
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994", now), example + 10 * 86400);
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:60 GMT", now), example + 23);
  // Two digits: 2076 is 50 years ahead, 1977 is not 2077.
  EXPECT_EQ(parse_http_date("Monday, 06-Jan-76 00:00:00 GMT", now), 3'345'494'400);
  EXPECT_EQ(parse_http_date("Monday, 06-Jan-77 00:00:00 GMT", now), 221'356'800);
}

TEST(HttpDate, RefusesWhatIsNone) {
  for (const char* text :
       {"", "0", "yesterday, or the day before it", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +0000", "Sun Nov 6 08:49:37 1994", "Sunday, 06-Nov-1994 08:49:37 GMT",
        "-Sun, 06 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(text, now), std::nullopt) << text;
  }
  const std::string whole = "Sun, 06 Nov 1994 08:49:37 GMT";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse_http_date(Bytes(whole).substr(0, size), now), std::nullopt) << size;
  }
}

TEST(HttpDate, WhatIsWrittenIsRead) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::int64_t> seconds(-62'167'219'200, 253'402'300'799);
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t at = seconds(random);
    EXPECT_EQ(parse_http_date(written(at), now), at);
  }
}

}  // namespace
}  // namespace ballast::http
