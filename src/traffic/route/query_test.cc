#include "traffic/route/query.h"

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

TEST(Query, Decodes) {
  struct Case {
    std::string raw;
    std::string decoded;
  };
  const std::vector<Case> cases{
      {"", ""},       {"plain", "plain"}, {"a%20b+c", "a b c"}, {"%41%6a%6A", "Ajj"},
      {"%", "%"},     {"%4", "%4"},       {"%4g", "%4g"},       {"%zz+", "%zz "},
      {"%%41", "%A"}, {"%2", "%2"},       {"%2B%26%3D", "+&="}, {"%00", std::string(1, '\0')},
  };
  for (const Case& c : cases) {
    std::string storage = "old";
    EXPECT_EQ(query_decoded(c.raw, storage), c.decoded) << c.raw;
  }
}

TEST(Query, Table) {
  struct Case {
    std::string query;
    std::string name;
    std::string pattern;
    bool matches;
  };
  const std::vector<Case> cases{
      {"a=1&b=2", "a", "1", true},
      {"a=1&b=2", "b", "2", true},
      {"a=1&b=2", "b", "1", false},
      {"a=1&b=2", "A", "1", false},
      {"a=X", "a", "x", false},
      {"a=1&a=2", "a", "2", true},
      {"two+words=x%20y", "two words", "x y", true},
      {"%61=1", "a", "1", true},
      {"a", "a", "", true},
      {"a=", "a", "", true},
      {"a=", "a", "?*", false},
      {"ab=1", "a", "*", false},
      {"a=b=c", "a", "b=c", true},
      {"&&a=1&", "a", "1", true},
      {"", "a", "*", false},
      {"x=a%261", "x", "a&1", true},
      {"x=a%26y=1", "y", "1", false},
  };
  for (const Case& c : cases) {
    const auto pattern = TextPattern::compile(config::Pattern{c.pattern}, LetterCase::Exact);
    ASSERT_TRUE(pattern);
    EXPECT_EQ(query_matches(c.query, c.name, *pattern), c.matches) << c.query << " " << c.name << " " << c.pattern;
    // Cut anywhere, it must not read behind the end (the sanitizer watches) nor hang.
    for (std::size_t size = 0; size <= c.query.size(); ++size) {
      const std::string cut = c.query.substr(0, size);
      query_matches(cut, c.name, *pattern);
    }
  }
}

}  // namespace
}  // namespace ballast::traffic
