// What the configuration says of outliers, and refuses.
#include <gmock/gmock.h>

#include "config/load.h"
#include "config/memory_files.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  Outliers outliers;
  std::string errors;
  std::string warnings;
};

Read read(const std::string& group) {
  MemoryFiles files;
  const std::string text =
      "{ listeners: { l: { address: ':80', default: { redirect: { to: / } } } }, target_groups: { g: " + group + " } }";
  const auto loaded = load_text("x.yaml", text, {.files = files});
  if (!loaded) return {.errors = loaded.error().render()};
  return {.outliers = loaded->settings.target_groups[0].outliers, .warnings = loaded->warnings.render()};
}

TEST(OutliersSettings, AreOnByDefaultForErrorsInARow) {
  const Outliers standard = read("{}").outliers;
  EXPECT_EQ(standard, Outliers{});
  EXPECT_TRUE(standard.enabled);
  EXPECT_EQ(standard.errors, 5);
  EXPECT_EQ(standard.eject, 30s);
  EXPECT_EQ(standard.eject_max, 5min);
  EXPECT_EQ(standard.success_rate, std::nullopt);
  EXPECT_EQ(standard.slower, std::nullopt);
  EXPECT_FALSE(read("{ outliers: off }").outliers.enabled);
  EXPECT_EQ(read("{ protocol: tcp, outliers: { errors: 0 } }").outliers, (Outliers{.errors = 0}));
}

TEST(OutliersSettings, AtLength) {
  EXPECT_EQ(
      read("{ outliers: { errors: 3, eject: 10s, eject_max: 1m, share_max: 30%, interval: 5s, "
           "success_rate: { margin: 10%, deviations: 2, requests_min: 50, targets_min: 3, failed_answers: gateway "
           "}, slower: { factor: 5, gap: 200ms, failures: 20%, requests_min: 30, floor: 25% } } }")
          .outliers,
      (Outliers{.errors = 3,
                .eject = 10s,
                .eject_max = 60s,
                .share_max_percent = 30,
                .interval = 5s,
                .success_rate = SuccessRate{.margin_percent = 10,
                                            .deviations = 2,
                                            .requests_min = 50,
                                            .targets_min = 3,
                                            .failed_answers = FailedAnswers::Gateway},
                .slower = Slower{
                    .factor = 5, .gap = 200ms, .failures_percent = 20, .requests_min = 30, .floor_percent = 25}}));
  EXPECT_EQ(read("{ outliers: { slower: {}, success_rate: {} } }").outliers,
            (Outliers{.success_rate = SuccessRate{}, .slower = Slower{}}));
  // Who sets the one need not think of the other.
  EXPECT_EQ(read("{ outliers: { eject: 10m } }").outliers.eject_max, 10min);
}

TEST(OutliersSettings, WhatCannotBeIsRefused) {
  const struct {
    std::string group;
    std::string wanted;  // empty: it is good
  } rows[] = {
      {"{ outliers: { errors: -1 } }", "less than 0"},
      {"{ outliers: on }", "\"on\" cannot stand here"},
      {"{ outliers: { eject: 1m, eject_max: 30s } }", "eject_max is shorter than eject"},
      {"{ outliers: { eject: 10ms } }", "less than 100ms"},
      {"{ outliers: { share_max: 101% } }", "101%"},
      {"{ outliers: { slower: { factor: 1 } } }", "less than 2"},
      {"{ outliers: { slower: { floor: 0% } } }", "floor cannot be 0%"},
      {"{ outliers: { slower: { failures: 0% } } }", "failures cannot be 0%"},
      {"{ outliers: { success_rate: { margin: 0% } } }", "margin cannot be 0%"},
      {"{ outliers: { success_rate: { failed_answers: 500 } } }", "\"500\" is not known here"},
      {"{ outliers: { error: 5 } }", "did you mean \"errors\"?"},
      {"{ protocol: tcp, outliers: { slower: {} } }", "a tcp group sees no answers whose time could be compared"},
      {"{ protocol: tls, outliers: { success_rate: {} } }", ""},
      {"{ protocol: udp, health_check: off, outliers: { errors: 5 } }", "a udp group has no answers"},
      {"{ protocol: udp, health_check: off, outliers: off }", ""},
      {"{ protocol: udp, health_check: off }", ""},
  };
  for (const auto& row : rows) {
    const Read found = read(row.group);
    EXPECT_THAT(found.errors, row.wanted.empty() ? testing::Matcher<std::string>(IsEmpty()) : HasSubstr(row.wanted))
        << row.group;
  }
  EXPECT_FALSE(read("{ protocol: udp, health_check: off }").outliers.enabled);
}

TEST(OutliersSettings, WhatHasNoEffectIsSaid) {
  const std::string three = "targets: [ '10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80' ]";
  const struct {
    std::string group;
    std::string wanted;
  } rows[] = {
      {"{ " + three + " }", ""},
      {"{ outliers: { share_max: 33% }, " + three + " }",
       "share_max: 33% of 3 targets is less than one: none is ever ejected"},
      {"{ outliers: { share_max: 34% }, " + three + " }", ""},
      {"{ outliers: { success_rate: {} }, " + three + " }",
       "success_rate has no effect: there are 3 targets, and targets_min is 4"},
      {"{ outliers: { success_rate: { targets_min: 3 } }, " + three + " }", ""},
      // A name may stand for any number of them.
      {"{ outliers: { success_rate: {} }, targets: [ 'a.test:80', '10.0.0.2:80' ] }", ""},
      {"{ outliers: { share_max: 10% }, targets: [ '10.0.0.2:80' ] }", ""},
  };
  for (const auto& row : rows) {
    const Read found = read(row.group);
    EXPECT_THAT(found.errors, IsEmpty());
    EXPECT_THAT(found.warnings, row.wanted.empty() ? testing::Matcher<std::string>(IsEmpty()) : HasSubstr(row.wanted))
        << row.group;
  }
}

}  // namespace
}  // namespace ballast::config
