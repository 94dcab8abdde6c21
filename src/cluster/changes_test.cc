#include "cluster/changes.h"

#include <gmock/gmock.h>

#include "config/recorded_files.h"

namespace ballast::cluster {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

// Settings by the name of their file, which is all that is looked at here.
config::Settings named(const std::string& name) {
  config::Settings settings;
  settings.files = {name};
  config::Recording recording;
  recording.path = name;
  recording.files[name] = "text of " + name;
  settings.recording = std::make_shared<const config::Recording>(std::move(recording));
  return settings;
}

// The part of the Service that changes go to.
class Applier final : public model::Service {
 public:
  model::Status status() override { return {}; }
  std::vector<model::Event> events(std::uint64_t) override { return {}; }
  Result<model::ExplainAnswer> explain(const model::ExplainQuery&) override { return model::ExplainAnswer{}; }
  std::vector<model::Change> plan(const config::Settings&) override { return {}; }
  Result<model::ApplyReport> apply(config::Settings next) override {
    if (refusal.has_value()) return fail(*refusal);
    now = std::move(next);
    return model::ApplyReport{.generation = ++generation, .changes = {{.path = "x", .text = "y"}}};
  }
  Result<model::ApplyReport> reload() override { return apply(named("file.yaml")); }
  const config::Settings& settings() const override { return now; }
  Result<> upgrade() override { return {}; }
  Result<> drain(std::string_view, std::string_view) override { return done(); }
  Result<> enable(std::string_view, std::string_view) override { return done(); }
  Result<> set_weight(std::string_view, std::string_view, int) override { return done(); }
  Result<> reset_weight(std::string_view, std::string_view) override { return done(); }
  Result<> set_maintenance(std::string_view, Maintenance) override { return done(); }
  Result<> done() const { return refusal.has_value() ? Result<>(fail(*refusal)) : Result<>(); }

  std::string in_force() const { return now.files.front(); }
  config::Settings now = named("file.yaml");
  std::uint64_t generation = 0;
  std::optional<Error> refusal;
};

class ChangesTest : public testing::Test {
 protected:
  ChangesTest() { start(Changes::Start::Anew); }
  ~ChangesTest() override { std::remove(file_.c_str()); }

  void start(Changes::Start how) {
    changes_.reset();
    changes_ = std::make_unique<Changes>(
        *loop_, service_,
        Changes::Options{.file = file_,
                         .subject = "file.yaml",
                         .read = [](const std::string& recording) -> Result<config::Settings> {
                           return named(config::read_recording(recording)->path);
                         },
                         .event = [this](const auto& event) { events_.push_back(event.kind); }});
    changes_->begin(how);
  }
  Result<model::ApplyReport> apply(const std::string& name, std::optional<std::chrono::milliseconds> within = {}) {
    return changes_->apply(named(name), {.actor = {.user = "alice", .way = "api"}, .confirm_within = within});
  }
  // Until something is in force, for ten seconds at most.
  void run_until(const std::string& name) {
    const io::Instant end = io::Clock::now() + 10s;
    while (service_.in_force() != name && io::Clock::now() < end) turn();
    EXPECT_EQ(service_.in_force(), name);
  }
  void turn() {
    struct Stop final : io::Timer {
      explicit Stop(io::Loop& on) : loop(on) { loop.timers().arm(*this, loop.now() + 5ms); }
      void expired() override { loop.stop(); }
      io::Loop& loop;
    };
    const Stop stop(*loop_);
    loop_->run();
  }
  std::vector<std::string> kinds() const {
    std::vector<std::string> found;
    const auto entries = changes_->list({.before = 0, .count = 100});
    for (const model::HistoryEntry& each : *entries)
      found.push_back(each.kind + " " + each.subject + (each.done ? "" : " refused"));
    return found;
  }

  std::string file_ =
      testing::TempDir() + "changes_test." + testing::UnitTest::GetInstance()->current_test_info()->name();
  std::unique_ptr<io::Loop> loop_ = std::move(*io::Loop::make());
  Applier service_;
  std::vector<std::string> events_;
  std::unique_ptr<Changes> changes_;
};

TEST_F(ChangesTest, EveryChangeIsNotedAndOneCanGoBack) {
  ASSERT_TRUE(apply("a.yaml"));
  service_.refusal = Error(Code::InUse, "cannot bind :80\nmore of it");
  EXPECT_FALSE(apply("b.yaml"));
  service_.refusal.reset();
  ASSERT_TRUE(changes_->drain({"site", "10.0.0.1:80"}, {.user = "bob", .way = "api"}));
  ASSERT_TRUE(changes_->rollback(1, {.actor = {.user = "bob", .way = "api"}, .confirm_within = {}}));
  EXPECT_EQ(service_.in_force(), "file.yaml");
  EXPECT_THAT(kinds(), ElementsAre("rollback to 1", "drain site/10.0.0.1:80", "apply b.yaml refused", "apply a.yaml",
                                   "start file.yaml"));
  EXPECT_EQ(changes_->entry(3)->text, "cannot bind :80");
  EXPECT_EQ(changes_->entry(2)->actor.user, "alice");
  EXPECT_EQ(*changes_->configuration(2), "text of a.yaml");
  EXPECT_EQ(changes_->rollback(3, {}).error().code(), Code::NotFound);
  EXPECT_EQ(changes_->rollback(99, {}).error().code(), Code::NotFound);
}

// It is asked again in a moment.
TEST_F(ChangesTest, WhatIsOnlyPutOffIsNoChange) {
  service_.refusal = Error(Code::Cancelled, "busy").safe_to_retry(Retry::Always);
  EXPECT_FALSE(apply("a.yaml"));
  EXPECT_FALSE(changes_->drain({"a", "b"}, {}));
  EXPECT_THAT(kinds(), ElementsAre("start file.yaml"));
}

TEST_F(ChangesTest, AChangeThatNobodyConfirmsIsTakenBack) {
  ASSERT_TRUE(apply("a.yaml"));
  ASSERT_TRUE(apply("b.yaml", 20ms));
  EXPECT_TRUE(changes_->unconfirmed()->has_value());
  run_until("a.yaml");
  EXPECT_THAT(kinds(), ElementsAre("taken_back to 2", "apply b.yaml", "apply a.yaml", "start file.yaml"));
  EXPECT_THAT(events_, ElementsAre("config.taken_back"));
  EXPECT_FALSE(changes_->unconfirmed()->has_value());
}

TEST_F(ChangesTest, OfSeveralUnconfirmedAllGo) {
  ASSERT_TRUE(apply("a.yaml", 1h));
  ASSERT_TRUE(apply("b.yaml", 20ms));
  run_until("file.yaml");
}

TEST_F(ChangesTest, ConfirmedItStays) {
  ASSERT_TRUE(apply("a.yaml", 30ms));
  ASSERT_TRUE(changes_->confirm({.user = "alice", .way = "api"}));
  EXPECT_EQ(changes_->confirm({}).error().code(), Code::NotFound);
  for (int i = 0; i < 12; ++i) turn();
  EXPECT_EQ(service_.in_force(), "a.yaml");
  EXPECT_THAT(kinds(), ElementsAre("confirm of 2", "apply a.yaml", "start file.yaml"));
}

TEST_F(ChangesTest, AFurtherChangeConfirms) {
  ASSERT_TRUE(apply("a.yaml", 30ms));
  ASSERT_TRUE(apply("b.yaml"));
  for (int i = 0; i < 12; ++i) turn();
  EXPECT_EQ(service_.in_force(), "b.yaml");
}

TEST_F(ChangesTest, ARefusedChangeConfirmsNothing) {
  ASSERT_TRUE(apply("a.yaml", 50ms));
  service_.refusal = Error(Code::Invalid, "no");
  EXPECT_FALSE(apply("b.yaml"));
  service_.refusal.reset();
  run_until("file.yaml");
}

TEST_F(ChangesTest, TheProcessThatFollowsTakesBack) {
  ASSERT_TRUE(apply("a.yaml", 100ms));
  start(Changes::Start::Continued);
  run_until("file.yaml");
}

TEST_F(ChangesTest, AFreshStartHasForgotten) {
  ASSERT_TRUE(apply("a.yaml", 10ms));
  start(Changes::Start::Anew);
  for (int i = 0; i < 8; ++i) turn();
  EXPECT_EQ(service_.in_force(), "a.yaml");
}

// While another process is about to follow.
TEST_F(ChangesTest, WhatCannotBeTakenBackYetIsTriedAgain) {
  ASSERT_TRUE(apply("a.yaml", 10ms));
  service_.refusal = Error(Code::Cancelled, "busy").safe_to_retry(Retry::Always);
  for (int i = 0; i < 8; ++i) turn();
  service_.refusal.reset();
  run_until("file.yaml");
}

TEST_F(ChangesTest, WhatCannotBeTakenBackIsSaid) {
  ASSERT_TRUE(apply("a.yaml", 10ms));
  service_.refusal = Error(Code::InUse, "cannot bind :80");
  const io::Instant end = io::Clock::now() + 10s;
  while (events_.empty() && io::Clock::now() < end) turn();
  EXPECT_THAT(events_, ElementsAre("config.not_taken_back"));
  EXPECT_FALSE(changes_->unconfirmed()->has_value());
}

TEST_F(ChangesTest, TimesAreBounded) {
  EXPECT_EQ(apply("a.yaml", 0ms).error().code(), Code::Invalid);
  EXPECT_EQ(apply("a.yaml", 25h).error().code(), Code::Invalid);
  EXPECT_EQ(service_.in_force(), "file.yaml");
}

TEST(ChangesWithoutHistory, ChangesAreMadeAllTheSame) {
  const std::unique_ptr<io::Loop> loop = std::move(*io::Loop::make());
  Applier service;
  std::vector<std::string> texts;
  Changes changes(*loop, service,
                  {.file = "/proc/nowhere/history.db",
                   .subject = "file.yaml",
                   .read = [](const std::string&) { return config::Settings{}; },
                   .event = [&](const auto& event) { texts.push_back(event.text); }});
  changes.begin(Changes::Start::Anew);
  EXPECT_THAT(texts, ElementsAre(HasSubstr("cannot be gone back to")));
  EXPECT_TRUE(changes.apply(named("a.yaml"), {}));
  EXPECT_EQ(service.in_force(), "a.yaml");
  EXPECT_EQ(changes.list({}).error().code(), Code::Unsupported);
  // One that could not be taken back is not made.
  EXPECT_FALSE(changes.apply(named("b.yaml"), {.actor = {}, .confirm_within = 1h}));
  EXPECT_EQ(service.in_force(), "a.yaml");
}

}  // namespace
}  // namespace ballast::cluster
