#include "traffic/balance/sticky_targets.h"

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

TEST(StickyTargets, AreFoundByTheirWholeToken) {
  const StickyTargets targets({{"cc", 2}, {"aa", 0}, {"bb", std::nullopt}});
  ASSERT_NE(targets.find("aa"), nullptr);
  EXPECT_EQ(targets.find("aa")->slot, 0U);
  EXPECT_EQ(targets.find("cc")->slot, 2U);
  ASSERT_NE(targets.find("bb"), nullptr) << "one that takes no requests is known all the same";
  EXPECT_EQ(targets.find("bb")->slot, std::nullopt);
  for (const Bytes token : {"", "a", "aaa", "AA", "ab", "zz"}) EXPECT_EQ(targets.find(token), nullptr) << token;
  EXPECT_EQ(StickyTargets().find("aa"), nullptr);
}

TEST(StickyTargets, OfTwoWithOneTokenTheOneThatTakesRequests) {
  for (const bool drained_first : {false, true}) {
    std::vector<StickyTargets::Each> each{{"aa", std::nullopt}, {"aa", 5}};
    if (!drained_first) std::swap(each[0], each[1]);
    const StickyTargets targets(each);
    ASSERT_NE(targets.find("aa"), nullptr);
    EXPECT_EQ(targets.find("aa")->slot, 5U);
  }
}

}  // namespace
}  // namespace ballast::traffic
