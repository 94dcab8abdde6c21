#include "traffic/control/sticky_secret.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "traffic/control/events.h"

namespace ballast::traffic {
namespace {

namespace fs = std::filesystem;

StickySecret::Key key_of_byte(std::uint8_t byte) {
  StickySecret::Key key;
  key.fill(byte);
  return key;
}

TEST(StickySecret, ATokenIsOfItsKeyGroupAndTarget) {
  const StickySecret secret(key_of_byte(7));
  const std::string token = secret.token({.group = "site", .target = "10.0.0.1:80"});
  EXPECT_EQ(token.size(), 32U);
  EXPECT_EQ(token.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(StickySecret(key_of_byte(7)).token({.group = "site", .target = "10.0.0.1:80"}), token);
  // Made by another program (Python's hmac): clients hold it, so that it may never become another.
  EXPECT_EQ(token, "2e8adaa8e07f4a65dfc92b3bfab60677");

  std::set<std::string> all{token};
  EXPECT_TRUE(all.insert(StickySecret(key_of_byte(8)).token({.group = "site", .target = "10.0.0.1:80"})).second);
  EXPECT_TRUE(all.insert(secret.token({.group = "other", .target = "10.0.0.1:80"})).second);
  EXPECT_TRUE(all.insert(secret.token({.group = "site", .target = "10.0.0.1:81"})).second);
  // The same letters, divided otherwise.
  EXPECT_TRUE(all.insert(secret.token({.group = "si", .target = "te10.0.0.1:80"})).second);
  EXPECT_TRUE(all.insert(secret.token({.group = "site\n11 10.0.0.1:80", .target = ""})).second);
}

TEST(StickySecret, TheKeySurvivesTheFile) {
  const std::string text = write_sticky_key(key_of_byte(0xa5));
  const auto read = read_sticky_key(text);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, key_of_byte(0xa5));
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(read_sticky_key(Bytes(text).substr(0, size)).has_value()) << size;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string other = text;
    other[at] = 'x';
    EXPECT_FALSE(read_sticky_key(other).has_value()) << at;
  }
  EXPECT_FALSE(read_sticky_key(text + text).has_value());
}

class StickySecretFile : public testing::Test {
 protected:
  StickySecretFile() {
    std::string pattern = fs::temp_directory_path() / "sticky_secret_XXXXXX";
    base_ = ::mkdtemp(pattern.data());
    settings_.state_directory = base_ / "state";
  }
  ~StickySecretFile() override { fs::remove_all(base_); }

  void want_cookies() { settings_.target_groups.emplace_back().sticky.emplace(); }
  fs::path file() const { return base_ / "state/sticky-key"; }
  std::string token() {
    StickySecret secret;
    secret.prepare(settings_, events_);
    return secret.token({.group = "site", .target = "a:1"});
  }

  fs::path base_;
  config::Settings settings_;
  EventLog events_;
};

TEST_F(StickySecretFile, IsMadeWhenItIsNeededAndKept) {
  StickySecret idle;
  idle.prepare(settings_, events_);
  EXPECT_FALSE(fs::exists(file())) << "no group sets a cookie";
  want_cookies();
  const std::string first = token();
  ASSERT_TRUE(fs::exists(file()));
  EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(token(), first) << "the next process";
  fs::remove(file());
  EXPECT_NE(token(), first) << "another key";
  EXPECT_TRUE(events_.since(0).empty());
}

TEST_F(StickySecretFile, OneThatCannotBeReadIsSaidAndReplaced) {
  want_cookies();
  fs::create_directory(base_ / "state");
  std::ofstream(file()) << "nonsense";
  const std::string first = token();
  ASSERT_EQ(events_.since(0).size(), 1U);
  EXPECT_EQ(events_.since(0).front().kind, "state.not_loaded");
  EXPECT_EQ(token(), first);
}

TEST_F(StickySecretFile, OneThatCannotBeKeptIsSaid) {
  want_cookies();
  std::ofstream(base_ / "state") << "a file, where the folder should be";
  StickySecret secret;
  secret.prepare(settings_, events_);
  secret.prepare(settings_, events_);
  ASSERT_FALSE(events_.since(0).empty());
  EXPECT_EQ(events_.since(0).back().kind, "state.not_saved");
  EXPECT_EQ(secret.token({.group = "g", .target = "t"}).size(), 32U);
}

}  // namespace
}  // namespace ballast::traffic
