#include "wire/http/byte_range.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ballast::http {
namespace {

// "whole", "none", or "0-4 10-19".
std::string answer(Bytes value, std::uint64_t size) {
  const ByteRanges ranges = parse_ranges(value, size);
  if (ranges.answer == ByteRanges::Answer::Whole) return "whole";
  if (ranges.answer == ByteRanges::Answer::Unsatisfiable) return "none";
  std::string text;
  for (std::size_t i = 0; i < ranges.count; ++i) {
    EXPECT_GE(ranges.each[i].size, 1U);
    EXPECT_LT(ranges.each[i].last(), size);
    text += fmt::format("{}{}-{}", i == 0 ? "" : " ", ranges.each[i].first, ranges.each[i].last());
  }
  return text;
}

TEST(ByteRange, Parses) {
  struct Case {
    const char* value;
    const char* answer;
  };
  const std::vector<Case> cases{
      {"bytes=0-4", "0-4"},
      {"bytes=0-0", "0-0"},
      {"bytes=99-99", "99-99"},
      {"bytes=0-99", "0-99"},
      {"bytes=0-", "0-99"},
      {"bytes=90-", "90-99"},
      {"bytes=90-200", "90-99"},
      {"bytes=-10", "90-99"},
      {"bytes=-1", "99-99"},
      {"bytes=-1000", "0-99"},
      {"bytes=0-18446744073709551615", "0-99"},
      {"bytes=0-99999999999999999999999999", "0-99"},
      {"bytes=-99999999999999999999999999", "0-99"},
      {"Bytes=0-4", "0-4"},
      {"bytes=0-4,10-19", "0-4 10-19"},
      {"bytes= 0-4 , ,10-19\t,", "0-4 10-19"},
      {"bytes=10-19,0-4", "10-19 0-4"},
      {"bytes=0-4,200-300", "0-4"},
      {"bytes=200-,-1", "99-99"},
      {"bytes=0-49,25-74", "0-49 25-74"},
      {"bytes=0-49,50-99", "0-49 50-99"},
      {"bytes=100-", "none"},
      {"bytes=100-200", "none"},
      {"bytes=-0", "none"},
      {"bytes=18446744073709551615-", "none"},
      {"bytes=99999999999999999999999999-", "none"},
      {"bytes=100-,200-", "none"},
      {"bytes=0-99,0-0", "whole"},
      {"bytes=0-,0-", "whole"},
      {"bytes=4-0", "whole"},
      {"bytes=0-4,4-0", "whole"},
      {"bytes=", "whole"},
      {"bytes=,", "whole"},
      {"bytes=-", "whole"},
      {"bytes=--1", "whole"},
      {"bytes=0", "whole"},
      {"bytes=0-4-5", "whole"},
      {"bytes=a-b", "whole"},
      {"bytes=0 -4", "whole"},
      {"bytes=+0-4", "whole"},
      {"bytes=0x0-4", "whole"},
      {"bytes 0-4", "whole"},
      {"bytes", "whole"},
      {"", "whole"},
      {"items=0-4", "whole"},
  };
  for (const Case& one : cases) EXPECT_EQ(answer(one.value, 100), one.answer) << one.value;
}

TEST(ByteRange, OfNothing) {
  EXPECT_EQ(answer("bytes=0-", 0), "none");
  EXPECT_EQ(answer("bytes=0-0", 0), "none");
  EXPECT_EQ(answer("bytes=-1", 0), "none");
}

TEST(ByteRange, OfTheLargest) {
  EXPECT_EQ(answer("bytes=0-", UINT64_MAX), fmt::format("0-{}", UINT64_MAX - 1));
  EXPECT_EQ(answer("bytes=0-,0-", UINT64_MAX), "whole");
}

TEST(ByteRange, OnlySoMany) {
  std::string value = "bytes=";
  for (std::size_t i = 0; i < ByteRanges::count_max; ++i) value += fmt::format("{}-{},", 2 * i, 2 * i);
  EXPECT_EQ(parse_ranges(value, 100).count, ByteRanges::count_max);
  EXPECT_EQ(answer(value + "99-99", 100), "whole");
  EXPECT_EQ(parse_ranges(value + "500-", 100).count, ByteRanges::count_max);
}

}  // namespace
}  // namespace ballast::http
