#include "io/identity.h"

#include <gmock/gmock.h>

namespace ballast::io {
namespace {

TEST(IdentityTest, ByNameAndByNumber) {
  const auto root = identity_of("root");
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ(root->user, 0U);
  EXPECT_THAT(root->groups, testing::Contains(root->group));
  const auto number = identity_of("0");
  ASSERT_TRUE(number.has_value());
  EXPECT_EQ(number->user, 0U);
}

TEST(IdentityTest, NobodyOfThatName) {
  for (const char* name : {"no-such-user", "", "4000000000", "0x"}) {
    const auto none = identity_of(name);
    ASSERT_FALSE(none.has_value()) << name;
    EXPECT_THAT(none.error().text(), testing::HasSubstr("there is no user"));
  }
}

}  // namespace
}  // namespace ballast::io
