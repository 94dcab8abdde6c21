#include "config/htpasswd.h"

#include <gtest/gtest.h>

namespace ballast::config {
namespace {

const std::string ann = "ann:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
const std::string bob = "bob:$2b$04$ABCDEFGHIJKLMNOPQRSTUuehC1EpP/PASx2IdPqZEHtFv7CrmycOO";

TEST(Htpasswd, OfBcryptIsTaken) {
  const auto users = parse_htpasswd("# staff\n\n" + ann + "\r\n" + bob + ":comment");
  ASSERT_TRUE(users.has_value()) << users.error().text();
  EXPECT_EQ(users->hash_of.size(), 2U);
  EXPECT_EQ(users->hash_of.at("ann"), ann.substr(4));
  EXPECT_EQ(users->hash_of.at("bob"), bob.substr(4));
  EXPECT_EQ(users->cost_max, 5);
}

TEST(Htpasswd, OfEverythingElseIsRefusedWithItsReason) {
  const std::string only = "only bcrypt is taken; set it anew: htpasswd -B FILE USER";
  const struct {
    std::string text;
    std::string error;
  } cases[] = {
      {"", "it holds no user; make one with: htpasswd -B -c FILE USER"},
      {"# nobody\n", "it holds no user; make one with: htpasswd -B -c FILE USER"},
      {ann + "\neve:$apr1$salt$hash", "line 2, user \"eve\": the password is kept as Apache's MD5, " + only},
      {"eve:{SHA}0DPiKuNIrrVmD8IUCuw1hQxNqZc=",
       "line 1, user \"eve\": the password is kept as SHA-1 without salt, " + only},
      {"eve:$6$salt$hash", "line 1, user \"eve\": the password is kept as SHA-512, " + only},
      {"eve:$5$salt$hash", "line 1, user \"eve\": the password is kept as SHA-256, " + only},
      {"eve:$1$salt$hash", "line 1, user \"eve\": the password is kept as MD5, " + only},
      {"eve:$y$j9T$salt$hash", "line 1, user \"eve\": the password is kept as yescrypt, " + only},
      {"eve:$2x$05$abc", "line 1, user \"eve\": the password is kept as the faulty early bcrypt, " + only},
      {"eve:secret", "line 1, user \"eve\": the password is kept as plain text or crypt, " + only},
      {"eve:", "line 1, user \"eve\": the password is kept as plain text or crypt, " + only},
      {"eve", "line 1: there is no \":\" between a user and a hash"},
      {":" + ann.substr(4), "line 1: \"\" cannot be a user's name"},
      {"a\tb:" + ann.substr(4), "line 1: \"a?b\" cannot be a user's name"},
      {ann + "\n" + ann, "line 2: the user \"ann\" is there twice"},
      {"eve:$2y$15$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
       "line 1, user \"eve\": bcrypt's cost 15 is not within 4 to 14; set it anew: htpasswd -B -C 10 FILE USER"},
      {"eve:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0",
       "line 1, user \"eve\": the bcrypt hash is not whole"},
      {"eve:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl!a",
       "line 1, user \"eve\": the bcrypt hash is not whole"},
  };
  for (const auto& each : cases) {
    const auto users = parse_htpasswd(each.text);
    ASSERT_FALSE(users.has_value()) << each.text;
    EXPECT_EQ(users.error().text(), each.error);
  }
}

TEST(Htpasswd, CutAnywhereIsWholeOrRefused) {
  const std::string text = ann + "\n" + bob + "\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto users = parse_htpasswd(text.substr(0, size));
    const bool at_a_line = size == ann.size() || size == ann.size() + 1 || size == text.size() - 1;
    EXPECT_EQ(users.has_value(), at_a_line) << size;
  }
}

}  // namespace
}  // namespace ballast::config
