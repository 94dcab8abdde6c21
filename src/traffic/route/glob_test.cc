#include "traffic/route/glob.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

// What the words of the header mean, with no regard to time.
bool naive(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') return naive(pattern.substr(1), text) || (!text.empty() && naive(pattern, text.substr(1)));
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) && naive(pattern.substr(1), text.substr(1));
}

TEST(Glob, Table) {
  struct Case {
    std::string pattern;
    std::string text;
    bool matches;
  };
  const std::vector<Case> cases{
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"**", "anything", true},
      {"?", "", false},
      {"?", "\xff", true},
      {"a*c", "ac", true},
      {"a*c", "abbbc", true},
      {"a*c", "abbbcd", false},
      {"/v?/*/users", "/v1/a/b/users", true},
      {"/v?/*/users", "/v12/a/users", false},
      {"*.*.example.com", "a.b.example.com", true},
      {"*.*.example.com", "b.example.com", false},
      {"a?c", "aBc", true},
      {"abc", "aBc", false},
      {std::string("a\0*", 3), std::string("a\0b", 3), true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Glob::compile(c.pattern, LetterCase::Exact)->matches(c.text), c.matches) << c.pattern << " on " << c.text;
  }
}

TEST(Glob, WithoutCaseFoldsLettersOnly) {
  const Glob glob = *Glob::compile("eXa?ple[*.COM", LetterCase::Folded);
  EXPECT_TRUE(glob.matches("ExAmPlE[.cOm"));
  EXPECT_FALSE(glob.matches("example{.com"));  // '{' is '[' with the bit of the case
}

TEST(Glob, AgreesWithTheNaiveMatcher) {
  std::mt19937 random(5);
  const auto text_of = [&](std::string_view letters, std::size_t size_max) {
    std::string text(random() % (size_max + 1), ' ');
    for (char& c : text) c = letters[random() % letters.size()];
    return text;
  };
  int matched = 0;
  for (int i = 0; i < 30'000; ++i) {
    // Up to 130: patterns and states over several words.
    const std::string pattern = i % 10 == 0 ? text_of("aaaaaaaa", 130) + text_of("ab?*", 6) : text_of("ab?*", 8);
    const std::string text = i % 10 == 0 ? text_of("aaaaaaaa", 140) : text_of("ab", 10);
    const bool expected = naive(pattern, text);
    ASSERT_EQ(Glob::compile(pattern, LetterCase::Exact)->matches(text), expected) << pattern << " on " << text;
    matched += expected ? 1 : 0;
  }
  EXPECT_GT(matched, 1000);
}

TEST(Glob, PositionsCrossWords) {
  for (std::size_t size = 60; size < 200; ++size) {
    const std::string text(size, 'a');
    EXPECT_TRUE(Glob::compile(text + "?*", LetterCase::Exact)->matches(text + "b"));
    EXPECT_FALSE(Glob::compile(text + "?*", LetterCase::Exact)->matches(text));
    EXPECT_TRUE(Glob::compile("*" + text, LetterCase::Exact)->matches("b" + text));
  }
}

TEST(Glob, HostileInputTakesOnePass) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "a*";
  pattern += "b";
  // A backtracking matcher would not come back from this.
  EXPECT_FALSE(Glob::compile(pattern, LetterCase::Exact)->matches(std::string(100'000, 'a')));
}

TEST(Glob, TooLong) {
  EXPECT_TRUE(Glob::compile(std::string(Glob::pattern_max, '?') + "*", LetterCase::Exact)
                  ->matches(std::string(Glob::pattern_max, 'x')));
  const auto refused = Glob::compile(std::string(1025, '?'), LetterCase::Exact);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text(), "a pattern of 1025 bytes: at most 1024, or write it as { regex: ... }");
}

}  // namespace
}  // namespace ballast::traffic
