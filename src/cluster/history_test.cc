#include "cluster/history.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

namespace ballast::cluster {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

model::HistoryEntry applied(std::string subject) {
  return {.at = model::WallTime(std::chrono::milliseconds(1'795'255'200'123)),
          .actor = {.user = "alice", .way = "api"},
          .kind = "apply",
          .subject = std::move(subject),
          .text = "1 change",
          .changes = {{.path = "listeners.web", .text = "it's \"new\"; DROP TABLE entries", .needs_restart = true}},
          .generation = 7};
}

std::vector<std::uint64_t> ids(const std::vector<model::HistoryEntry>& entries) {
  std::vector<std::uint64_t> found;
  for (const model::HistoryEntry& each : entries) found.push_back(each.id);
  return found;
}

class HistoryTest : public testing::Test {
 protected:
  HistoryTest()
      : folder_(fs::temp_directory_path() /
                ("ballast-history-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()))) {
    fs::remove_all(folder_);
  }
  ~HistoryTest() override { fs::remove_all(folder_); }
  std::string path() const { return folder_ / "history.db"; }
  std::unique_ptr<History> open() const {
    auto history = History::open(path());
    EXPECT_TRUE(history) << history.error().text();
    return std::move(*history);
  }
  fs::path folder_;
};

TEST_F(HistoryTest, WhatWasAddedIsThereAfterARestart) {
  EXPECT_EQ(*open()->add(applied("a.yaml"), "recorded a"), 1U);
  const auto again = open();
  const auto entry = again->entry(1);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->actor.user, "alice");
  EXPECT_EQ(entry->subject, "a.yaml");
  EXPECT_EQ(entry->at, applied("").at);
  EXPECT_EQ(entry->changes.at(0).text, "it's \"new\"; DROP TABLE entries");
  EXPECT_TRUE(entry->changes.at(0).needs_restart);
  EXPECT_EQ(entry->generation, 7U);
  EXPECT_TRUE(entry->has_configuration);
  EXPECT_EQ(*again->configuration(1), "recorded a");
  EXPECT_EQ(static_cast<int>(fs::status(path()).permissions()), 0600) << "configurations may hold secrets";
}

TEST_F(HistoryTest, PagesGoBackFromTheNewest) {
  const auto history = open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(history->add(applied("x"), ""));
  EXPECT_THAT(ids(*history->list({.before = 0, .count = 2})), ElementsAre(5, 4));
  EXPECT_THAT(ids(*history->list({.before = 4, .count = 9})), ElementsAre(3, 2, 1));
  EXPECT_THAT(ids(*history->list({.before = 1, .count = 9})), IsEmpty());
}

TEST_F(HistoryTest, WhatIsNotThereIsSaid) {
  const auto history = open();
  EXPECT_THAT(history->entry(1).error().text(), HasSubstr("the history is empty"));
  ASSERT_TRUE(history->add(applied("x"), ""));
  EXPECT_EQ(history->entry(2).error().code(), Code::NotFound);
  EXPECT_THAT(history->entry(2).error().text(), HasSubstr("it goes from 1 to 1"));
  EXPECT_EQ(history->configuration(1).error().code(), Code::NotFound);
  model::HistoryEntry refused = applied("bad.yaml");
  refused.done = false;
  ASSERT_TRUE(history->add(refused, "never in force"));
  EXPECT_FALSE(history->configuration(2)) << "nobody can go back to what was refused";
}

TEST_F(HistoryTest, OldOnesGoAndWhatIsNeededStays) {
  const auto history = std::move(*History::open(":memory:"));  // a thousand times the disk takes ten seconds
  ASSERT_TRUE(history->add(applied("first"), "first"));
  ASSERT_TRUE(history->add(applied("second"), "second"));
  ASSERT_TRUE(history->add(applied("third"), "third"));
  const Unconfirmed waits{.entry = 3, .back_to = 2, .until = model::WallTime(std::chrono::seconds(99))};
  ASSERT_TRUE(history->set_unconfirmed(waits));
  model::HistoryEntry drain{.kind = "drain", .subject = "a/b"};
  for (std::uint64_t i = 0; i < History::entries_max; ++i) ASSERT_TRUE(history->add(drain, ""));
  EXPECT_FALSE(history->entry(1));
  EXPECT_EQ(*history->configuration(2), "second") << "the unconfirmed change goes back to it";
  EXPECT_EQ(*history->configuration(3), "third") << "it is in force";
  EXPECT_EQ(*history->in_force(), 3U);
  ASSERT_TRUE(history->set_unconfirmed(std::nullopt));
  ASSERT_TRUE(history->add(drain, ""));
  EXPECT_FALSE(history->configuration(2));
  EXPECT_TRUE(history->configuration(3));
}

TEST_F(HistoryTest, AnUnconfirmedChangeIsRemembered) {
  ASSERT_TRUE(open()->set_unconfirmed(
      Unconfirmed{.entry = 5, .back_to = 4, .until = model::WallTime(std::chrono::milliseconds(1234))}));
  const auto history = open();
  const auto waits = history->unconfirmed();
  ASSERT_TRUE(waits && waits->has_value());
  EXPECT_EQ((*waits)->entry, 5U);
  EXPECT_EQ((*waits)->back_to, 4U);
  EXPECT_EQ((*waits)->until, model::WallTime(std::chrono::milliseconds(1234)));
  ASSERT_TRUE(history->set_unconfirmed(std::nullopt));
  EXPECT_FALSE(history->unconfirmed()->has_value());
}

// A newer version has added a column and a table; this one goes on with the file.
TEST_F(HistoryTest, OfANewerVersionIsGoneOnWith) {
  ASSERT_TRUE(open()->add(applied("x"), "one"));
  const auto database = Sqlite::open(path());
  ASSERT_TRUE(database->execute("ALTER TABLE entries ADD COLUMN mood TEXT; CREATE TABLE moods (id INTEGER)"));
  const auto history = open();
  EXPECT_EQ(*history->add(applied("y"), "two"), 2U);
  EXPECT_EQ(history->list({})->size(), 2U);
}

TEST_F(HistoryTest, ThatIsNoneIsAnError) {
  fs::create_directories(folder_);
  std::ofstream(path()) << "this is not a database, and longer than its head of a hundred bytes, "
                           "so that nobody could take it for an empty or a young one.";
  const auto history = History::open(path());
  ASSERT_FALSE(history);
  EXPECT_EQ(history.error().code(), Code::Malformed);
  EXPECT_THAT(history.error().text(), HasSubstr("history.db"));
}

}  // namespace
}  // namespace ballast::cluster
