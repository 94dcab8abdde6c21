#include "config/diagnostics.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::config {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

TEST(Diagnostics, ShowTheLineAndPointAtTheToken) {
  Diagnostics d;
  const int file = d.add_file("site.yaml", "a: 1\n  intervall: 5s\nname: \"Grüße\" # x\nlast: ${X}y");
  d.warning({file, 4, 7}, "fourth");
  d.error({file, 2, 3}, "second", {"allowed: interval", "first at there"});
  d.error({file, 3, 7}, "third");
  d.error({file, 1, 5}, "past the end of its line");
  EXPECT_EQ(d.render(),
            "site.yaml:1:5: error: past the end of its line\n"
            "   1 | a: 1\n"
            "     |     ^\n"
            "site.yaml:2:3: error: second\n"
            "   2 |   intervall: 5s\n"
            "     |   ^~~~~~~~~\n"
            "     = allowed: interval\n"
            "     = first at there\n"
            "site.yaml:3:7: error: third\n"
            "   3 | name: \"Grüße\" # x\n"
            "     |       ^~~~~~~\n"
            "site.yaml:4:7: warning: fourth\n"
            "   4 | last: ${X}y\n"
            "     |       ^~~~~\n"
            "3 errors, 1 warning\n");
}

TEST(Diagnostics, OfAWholeFileHaveNoLine) {
  Diagnostics d;
  d.error({d.add_file("x.yaml", "text"), 0, 0}, "cannot be");
  EXPECT_EQ(d.render(), "x.yaml: error: cannot be\n1 error\n");
}

TEST(Diagnostics, CropLongLinesAroundThePlace) {
  Diagnostics d;
  const int file = d.add_file("x", std::string(1'000, 'a') + " here: " + std::string(1'000, 'b'));
  d.error({file, 1, 1'002}, "in the middle");
  EXPECT_EQ(d.render(),
            fmt::format("x:1:1002: error: in the middle\n   1 | ...{} here: {}...\n     | {}^~~~\n1 error\n",
                        std::string(99, 'a'), std::string(54, 'b'), std::string(103, ' ')));
}

TEST(Diagnostics, LetNoControlCharacterThrough) {
  Diagnostics d;
  const int file = d.add_file("x", "a:\t\x1b[2J");
  d.error({file, 1, 4}, "odd");
  EXPECT_EQ(d.render(), "x:1:4: error: odd\n   1 | a:??[2J\n     |    ^~~~\n1 error\n");
}

TEST(Diagnostics, ShowFiftyAndCountTheRest) {
  Diagnostics d;
  const int file = d.add_file("x", "a");
  for (int i = 0; i < 1'000; ++i) d.error({file, 1, 1}, fmt::format("number {}", i));
  const std::string text = d.render();
  EXPECT_THAT(text, HasSubstr("error: number 49\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("error: number 50\n")));
  EXPECT_THAT(text, EndsWith("and 950 more\n1000 errors\n"));
  EXPECT_TRUE(d.full());
  EXPECT_EQ(d.sorted().size(), Diagnostics::kept_max);
}

TEST(Diagnostics, MarksAnywhereAreSafe) {
  Diagnostics d;
  const int file = d.add_file("x", "ü\n");
  for (int line = -1; line < 4; ++line) {
    for (int column = -1; column < 6; ++column) d.error({file, line, column}, "x");
  }
  d.error({7, 1, 1}, "no such file");
  EXPECT_THAT(d.render(), HasSubstr("configuration:1:1: error: no such file\n"));
}

}  // namespace
}  // namespace ballast::config
