#include "traffic/acme/challenges.h"

#include <gtest/gtest.h>

namespace ballast::traffic::acme {
namespace {

TEST(Challenges, AnswersTokensThatArePendingAlone) {
  Challenges challenges;
  challenges.by_token = {{"one", "one.thumbprint"}, {"two", "two.thumbprint"}};
  const std::string* answer = challenges.answer_to("/.well-known/acme-challenge/two");
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(*answer, "two.thumbprint");
  for (const char* path : {"/.well-known/acme-challenge/", "/.well-known/acme-challenge/three",
                           "/.well-known/acme-challenge/one/", "/.well-known/acme-challenge/on",
                           "/.well-known/acme-challenge//one", "/one", "/x/.well-known/acme-challenge/one", "/"}) {
    EXPECT_EQ(challenges.answer_to(path), nullptr) << path;
  }
}

}  // namespace
}  // namespace ballast::traffic::acme
