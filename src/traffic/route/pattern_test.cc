#include "traffic/route/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

using ::testing::StartsWith;

TEST(TextPattern, Table) {
  struct Case {
    config::Pattern pattern;
    LetterCase letter_case;
    std::string text;
    bool matches;
  };
  const std::vector<Case> cases{
      {{"*"}, LetterCase::Exact, "", true},
      {{"*"}, LetterCase::Exact, "x", true},
      {{"/a"}, LetterCase::Exact, "/a", true},
      {{"/a"}, LetterCase::Exact, "/A", false},
      {{"/a"}, LetterCase::Exact, "/ab", false},
      {{"Www.Example.com"}, LetterCase::Folded, "wWW.eXAMPLE.cOM", true},
      {{"/v1/*"}, LetterCase::Exact, "/v1/", true},
      {{"/v1/*"}, LetterCase::Exact, "/v1/x/y", true},
      {{"/v1/*"}, LetterCase::Exact, "/v1", false},
      {{"/v1/*"}, LetterCase::Exact, "", false},
      {{"*.JPG"}, LetterCase::Folded, "a.jpg", true},
      {{"*.jpg"}, LetterCase::Exact, "a.JPG", false},
      {{"*.jpg"}, LetterCase::Exact, "jpg", false},
      {{"/a/*/b?"}, LetterCase::Exact, "/a/x/bc", true},
      {{"/v[0-9]+/.*", true}, LetterCase::Exact, "/v12/x", true},
      {{"/v[0-9]+/", true}, LetterCase::Exact, "/v12/x", false},  // the whole text
      {{"v[0-9]+/x", true}, LetterCase::Exact, "/v12/x", false},
      {{"ABC.", true}, LetterCase::Folded, "abc\n", true},
      {{"a.", true}, LetterCase::Exact, "a\xff", true},  // bytes, not UTF-8
  };
  for (const Case& c : cases) {
    const auto compiled = TextPattern::compile(c.pattern, c.letter_case);
    ASSERT_TRUE(compiled) << c.pattern.text;
    EXPECT_EQ(compiled->matches(c.text), c.matches) << c.pattern.text << " on " << c.text;
  }
}

TEST(TextPattern, TheCheapestForm) {
  const auto form = [](const char* text) {
    return TextPattern::compile(config::Pattern{text}, LetterCase::Exact)->form().index();
  };
  EXPECT_EQ(form("*"), 0u);
  EXPECT_EQ(form("/a"), 1u);
  EXPECT_EQ(form("/a*"), 2u);
  EXPECT_EQ(form("*a"), 3u);
  EXPECT_EQ(form("?a"), 4u);
  EXPECT_EQ(form("*a*"), 4u);
  EXPECT_EQ(form("a?*"), 4u);
}

TEST(CheckRegex, SaysWhatIsWrong) {
  EXPECT_TRUE(check_regex("^/v[0-9]+/.*$"));
  const auto open = check_regex("/v[0-9");
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code(), Code::Invalid);
  EXPECT_EQ(open.error().text(), "not a regular expression (RE2 syntax): missing ]: [0-9");
  EXPECT_FALSE(check_regex("(?=look-ahead)"));
  EXPECT_FALSE(check_regex(R"((a)\1)"));
}

TEST(CheckRegex, BoundsWhatAnExpressionMayCost) {
  EXPECT_FALSE(check_regex(std::string(5000, 'a')));
  ::testing::internal::CaptureStderr();
  EXPECT_FALSE(check_regex("((a{100}){100}){100}"));
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "[a-z]{1000}";
  EXPECT_FALSE(check_regex(wide));
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "") << "RE2 must not log";
}

TEST(CheckRegex, WhatPassesTheCheckCompiles) {
  for (const LetterCase letter_case : {LetterCase::Exact, LetterCase::Folded}) {
    EXPECT_TRUE(TextPattern::compile({"(a|b)*c", true}, letter_case));
    EXPECT_FALSE(TextPattern::compile({"(", true}, letter_case));
  }
}

// An expression that sends backtracking matchers away for ever.
TEST(TextPattern, ExpressionsAreLinear) {
  const auto compiled = TextPattern::compile({"(a*)*b|(a|a)*c", true}, LetterCase::Exact);
  ASSERT_TRUE(compiled);
  EXPECT_FALSE(compiled->matches(std::string(100'000, 'a')));
}

}  // namespace
}  // namespace ballast::traffic
