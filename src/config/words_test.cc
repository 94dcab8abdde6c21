#include "config/words.h"

#include <gtest/gtest.h>

#include "config/wildcard.h"

namespace ballast::config {
namespace {

TEST(Crop, BoundsAndCleans) {
  EXPECT_EQ(crop("abc", 3), "abc");
  EXPECT_EQ(crop("abcd", 3), "abc...");
  EXPECT_EQ(crop("a\x1b[2Jb\n"), "a?[2Jb?");
  EXPECT_EQ(crop("aü", 2), "a...");  // never half a character
  EXPECT_EQ(quote("x"), "\"x\"");
}

TEST(Join, SaysHowManyAreLeftOut) {
  const std::vector<std::string> names{"a", "b", "c"};
  EXPECT_EQ(join(names), "a, b, c");
  EXPECT_EQ(join(names, 2), "a, b and 1 more");
}

TEST(Nearest, FindsWhatWasMeant) {
  const std::vector<std::string> known{"round_robin", "least_requests", "random", "site", "api"};
  EXPECT_EQ(nearest("round_robbin", known), "round_robin");
  EXPECT_EQ(nearest("RANDOM", known), "random");
  EXPECT_EQ(nearest("siet", known), "site");  // neighbours swapped
  EXPECT_EQ(nearest("ap", known), "api");
  EXPECT_EQ(nearest("zzz", known), std::nullopt);
  EXPECT_EQ(nearest("b", std::vector<std::string>{"a"}), std::nullopt);
  EXPECT_EQ(nearest("", known), std::nullopt);
  EXPECT_EQ(nearest(std::string(100, 'a'), known), std::nullopt);
  EXPECT_EQ(did_you_mean("siet", known), "; did you mean \"site\"?");
  EXPECT_EQ(did_you_mean("zzz", known), "");
}

TEST(Wildcard, MatchesAsAShellDoes) {
  struct {
    std::string_view pattern;
    std::string_view name;
    bool matches;
  } const cases[] = {
      {"*.yaml", "a.yaml", true}, {"*.yaml", ".yaml", false}, {".*", ".yaml", true},      {"*", "", true},
      {"a?c", "abc", true},       {"a?c", "ac", false},       {"[ab]x", "bx", true},      {"[!ab]x", "bx", false},
      {"[!ab]x", "cx", true},     {"[a-c]", "b", true},       {"[a-c]", "d", false},      {"[]]", "]", true},
      {"[a", "[a", true},         {"a*b*c", "a1b2b3c", true}, {"a*b*c", "a1b2b3", false}, {"abc", "abcd", false},
  };
  for (const auto& c : cases) EXPECT_EQ(matches_wildcard(c.pattern, c.name), c.matches) << c.pattern << ' ' << c.name;
  EXPECT_FALSE(matches_wildcard("*a*a*a*a*a*a*a*a*a*a*b", std::string(10'000, 'a')));  // and soon
}

}  // namespace
}  // namespace ballast::config
