#include "traffic/control/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/settings.h"
#include "traffic/worker.h"

namespace ballast::traffic {
namespace {

using Text = ExplainRecord::Text;
using testing::ElementsAre;

struct Made {
  std::string_view id;
  std::string_view listener;
  Cause cause;
  int status = 0;
  int at = 0;
  bool slow = false;
};

ExplainRecordPtr record(const Made& made) {
  auto record = std::make_shared<ExplainRecord>();
  record->put(Text::Id, made.id);
  record->put(Text::Listener, made.listener);
  record->cause = made.cause;
  record->status = made.status;
  record->slow = made.slow;
  record->at = std::chrono::system_clock::time_point(std::chrono::seconds(made.at));
  return record;
}

std::vector<std::string> ids(const model::ExplainQuery& query) {
  const std::vector<ExplainRecordPtr> records{
      record({"aaaaaaaa1", "web", Reason::ConnectRefused, 502, 1}),
      record({"aaaaaaaa2", "api", Reason::TargetTimeout, 504, 5}),
      record({"slow", "web", {}, 200, 3, true}),
      record({"both", "web", Reason::TargetTimeout, 504, 4, true}),
      record({"hello", "web", tls::HandshakeEnd::NoCertificate, 0, 2}),
  };
  std::vector<std::string> found;
  for (const model::Explained& each : pick(records, query)) found.push_back(each.id);
  return found;
}

TEST(ExplainPick, TheNewestFirst) {
  EXPECT_THAT(ids({}), ElementsAre("aaaaaaaa2", "both", "slow", "hello", "aaaaaaaa1"));
  EXPECT_THAT(ids({.count = 2}), ElementsAre("aaaaaaaa2", "both"));
  EXPECT_THAT(ids({.count = 0}), ElementsAre());
}

TEST(ExplainPick, ByWhatIsAsked) {
  EXPECT_THAT(ids({.status = 504}), ElementsAre("aaaaaaaa2", "both"));
  EXPECT_THAT(ids({.status = 200}), ElementsAre("slow"));
  EXPECT_THAT(ids({.listener = "api"}), ElementsAre("aaaaaaaa2"));
  EXPECT_THAT(ids({.reason = "target_timeout"}), ElementsAre("aaaaaaaa2", "both"));
  EXPECT_THAT(ids({.reason = "tls_no_certificate"}), ElementsAre("hello"));
  EXPECT_THAT(ids({.slow = true}), ElementsAre("both", "slow"));
  EXPECT_THAT(ids({.listener = "web", .status = 504, .count = 1}), ElementsAre("both"));
}

TEST(ExplainPick, ByItsIdOrItsBeginning) {
  EXPECT_THAT(ids({.id = "slow"}), ElementsAre("slow"));
  EXPECT_THAT(ids({.id = "slo"}), ElementsAre()) << "too little of it";
  EXPECT_THAT(ids({.id = "aaaaaaaa"}), ElementsAre("aaaaaaaa2", "aaaaaaaa1"));
  EXPECT_THAT(ids({.id = "aaaaaaaa1"}), ElementsAre("aaaaaaaa1"));
  EXPECT_THAT(ids({.id = "aaaaaaaa12"}), ElementsAre());
}

class ExplainWorkers : public testing::Test {
 protected:
  std::unique_ptr<Worker> make(int index) {
    auto worker = Worker::make({.index = index, .loads = &loads_});
    return worker.has_value() ? std::move(*worker) : nullptr;
  }
  // What it does with a Plan and with a record comes before the question.
  void serve(Worker& worker, std::uint32_t keep, ExplainRecordPtr kept) {
    auto plan = std::make_shared<Plan>();
    plan->explain.keep = keep;
    worker.adopt(plan);
    worker.loop().post([&worker, kept = std::move(kept)]() mutable { worker.records().put_error(std::move(kept)); });
  }
  Result<model::ExplainAnswer> ask(const model::ExplainQuery& query) {
    return explain({.workers = workers_, .settings = settings_, .started = model::WallTime(std::chrono::seconds(1))},
                   query);
  }

  WorkerLoads loads_{2};
  config::Settings settings_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

TEST_F(ExplainWorkers, AreAllAsked) {
  settings_.explain.keep = 40;
  for (int i = 0; i < 2; ++i) workers_.push_back(make(i));
  for (const auto& worker : workers_) worker->start({workers_[0].get(), workers_[1].get()});
  serve(*workers_[0], 40, record({"aaaaaaaa1", "web", Reason::ConnectRefused, 502, 1}));
  serve(*workers_[1], 40, record({"aaaaaaaa2", "web", Reason::ConnectRefused, 502, 2}));
  const Result<model::ExplainAnswer> answer = ask({});
  ASSERT_TRUE(answer.has_value());
  ASSERT_EQ(answer->records.size(), 2U);
  EXPECT_EQ(answer->records[0].id, "aaaaaaaa2");
  EXPECT_EQ(answer->kept, 2U);
  EXPECT_EQ(answer->keep, 40U);
  EXPECT_EQ(answer->workers_missing, 0);
  EXPECT_EQ(answer->complete_since, model::WallTime(std::chrono::seconds(1))) << "nothing was dropped since the start";
  // Each keeps its part.
  for (int i = 0; i < 100; ++i) {
    workers_[0]->loop().post([worker = workers_[0].get(), i] {
      worker->records().put_error(record({"x", "web", Reason::NoTarget, 503, 100 + i}));
    });
  }
  const Result<model::ExplainAnswer> full = ask({.count = 1000});
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(full->kept, 11U) << "10 errors of 20 records of one worker, and the one of the other";
  EXPECT_EQ(full->complete_since, model::WallTime(std::chrono::seconds(190)));
}

TEST_F(ExplainWorkers, OneThatDoesNotAnswerIsNamed) {
  for (int i = 0; i < 2; ++i) workers_.push_back(make(i));
  workers_[0]->start({workers_[0].get(), workers_[1].get()});  // the other one's thread does nothing
  serve(*workers_[0], 40, record({"aaaaaaaa1", "web", Reason::ConnectRefused, 502, 1}));
  const Result<model::ExplainAnswer> answer = ask({});
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->records.size(), 1U);
  EXPECT_EQ(answer->workers_missing, 1);
}

TEST_F(ExplainWorkers, WhatCannotBeAskedIsRefused) {
  settings_.listeners.push_back({.name = "web"});
  const auto reason = ask({.reason = "conect_refused"});
  ASSERT_FALSE(reason.has_value());
  EXPECT_EQ(
      reason.error().text(),
      "there is no reason \"conect_refused\"; did you mean \"connect_refused\"?; docs/guide/errors.md lists them");
  const auto listener = ask({.listener = "wob"});
  ASSERT_FALSE(listener.has_value());
  EXPECT_EQ(listener.error().code(), Code::NotFound);
  EXPECT_TRUE(ask({.listener = "web"}).has_value());
}

}  // namespace
}  // namespace ballast::traffic
