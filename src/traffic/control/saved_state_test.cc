#include "traffic/control/saved_state.h"

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

SavedState an_example() {
  SavedState state;
  SavedTarget target{.configured = "app:80", .address = "10.0.0.1:80"};
  target.record.state = model::TargetState::Unhealthy;
  target.record.reason = model::TargetReason::ResponseCodeMismatch;
  target.record.words = "GET / gave 500";
  target.record.verdict = Verdict::Unhealthy;
  target.record.verdict_reason = model::TargetReason::ResponseCodeMismatch;
  target.record.was_healthy = true;
  target.record.failures = 3;
  target.since = model::WallTime(std::chrono::milliseconds(1'700'000'000'123));
  target.passed = 4;
  target.outlier = {.words = "5 failures in a row",
                    .times = 2,
                    .ejections = {3, 1},
                    .weight = 0.25,
                    .weight_words = "answers in 104 ms"};
  target.ejected_until = target.since + std::chrono::seconds(30);
  target.counts = {{"requests", 5}};
  state.groups.push_back({.name = "site",
                          .targets = {target},
                          .names = {{.host = "app", .port = 80, .addresses = {"10.0.0.1:80"}}},
                          .counts = {{"retries", 2}}});
  state.listeners.push_back({.name = "web", .counts = {{"requests", 7}, {"errors.no_target", 1}}});
  state.events.push_back({.id = 9, .at = target.since, .kind = "started", .subject = "ballast", .text = "so"});
  state.generation = 12;
  state.configuration = "{}";
  return state;
}

TEST(SavedState, IsReadAsItWasWritten) {
  const SavedState before = an_example();
  const auto after = read_state(write_state(before));
  ASSERT_TRUE(after);
  EXPECT_EQ(write_state(*after), write_state(before));
  const SavedTarget& target = after->groups.at(0).targets.at(0);
  EXPECT_EQ(target.record.verdict, Verdict::Unhealthy);
  EXPECT_EQ(target.record.reason, model::TargetReason::ResponseCodeMismatch);
  EXPECT_EQ(target.record.state, model::TargetState::Unhealthy);
  EXPECT_TRUE(target.record.was_healthy);
  EXPECT_EQ(target.outlier.words, "5 failures in a row");
  EXPECT_EQ(target.outlier.times, 2);
  EXPECT_EQ(target.outlier.weight, 0.25);
  EXPECT_EQ(target.outlier.ejections, (std::array<std::uint64_t, 2>{3, 1}));
  EXPECT_EQ(target.ejected_until, target.since + std::chrono::seconds(30));
  EXPECT_EQ(after->group("site")->names.at(0).addresses.at(0), "10.0.0.1:80");
  EXPECT_EQ(after->group("other"), nullptr);
  EXPECT_EQ(after->events.at(0).id, 9U);
}

TEST(SavedState, OfAnotherVersionIsReadAsFarAsItIsKnown) {
  const auto state = read_state(R"({"groups": [{"name": "site", "colour": 1, "targets": [5, {"configured": "a:1",
      "state": "levitating", "passes": -1, "counts": {"requests": "many", "reuses": 3}}]}, null], "events": {},
      "listeners": [{"counts": []}], "generation": "x"})");
  ASSERT_TRUE(state);
  const SavedTarget& target = state->groups.at(0).targets.at(0);
  EXPECT_EQ(target.record.state, model::TargetState::Initial);
  EXPECT_EQ(target.record.passes, 0);
  EXPECT_EQ(target.outlier.weight, 1);
  EXPECT_EQ(target.ejected_until, std::nullopt);
  EXPECT_EQ(target.counts, (Counts{{"reuses", 3}}));
  EXPECT_EQ(state->generation, 0U);
  for (const char* text : {"", "[]", "nonsense", "\xff"}) EXPECT_FALSE(read_state(text)) << text;
}

TEST(SavedState, WhatWasMadeOfItsTrafficIsWithinBounds) {
  const auto state = read_state(R"({"groups": [{"name": "site", "targets": [
      {"configured": "a:1", "outlier": {"weight": 0, "times": 99999999, "ejections": [1, "x", 3], "words": "out"}},
      {"configured": "b:1", "outlier": {"weight": 7.5, "times": -2, "ejections": 5, "ejected_until": 1000}},
      {"configured": "c:1", "outlier": {"weight": "half"}}, {"configured": "d:1", "outlier": [1]}]}]})");
  ASSERT_TRUE(state);
  const auto& targets = state->groups.at(0).targets;
  EXPECT_EQ(targets.at(0).outlier.weight, 0.01);
  EXPECT_EQ(targets.at(0).outlier.times, outlier::times_max);
  EXPECT_EQ(targets.at(0).outlier.ejections, (std::array<std::uint64_t, 2>{1, 0}));
  EXPECT_EQ(targets.at(0).outlier.words, "");  // out until never would be out for ever
  EXPECT_EQ(targets.at(1).outlier.weight, 1);
  EXPECT_EQ(targets.at(1).outlier.times, 0);
  EXPECT_TRUE(targets.at(1).ejected_until.has_value());
  EXPECT_EQ(targets.at(2).outlier.weight, 1);
  EXPECT_EQ(targets.at(3).outlier.weight, 1);
}

TEST(SavedState, CountsGoOnWhereTheyWere) {
  std::vector<ListenerCell> cells(2);
  cells[0].traffic.finished({.status = 200, .bytes_in = 10, .bytes_out = 20, .took = std::chrono::milliseconds(3)});
  cells[1].traffic.finished({.status = 502, .took = std::chrono::hours(1)});
  cells[1].errors[static_cast<std::size_t>(Reason::ConnectRefused)].add();
  cells[0].connections.add(4);
  const Counts counts = counts_of(cells);
  EXPECT_EQ(counts.at("requests"), 2U);
  EXPECT_EQ(counts.at("responses.5xx"), 1U);
  EXPECT_EQ(counts.at("duration.5000"), 1U);
  EXPECT_EQ(counts.at("duration.more"), 1U);
  EXPECT_EQ(counts.at("errors.connect_refused"), 1U);
  EXPECT_EQ(counts.size(), 9U) << "those that are open now are not handed on";

  std::vector<ListenerCell> next(2);
  add(next[0], counts);
  EXPECT_EQ(counts_of(next), counts);
  next[1].traffic.finished({.status = 200});
  EXPECT_EQ(difference(counts_of(next), counts), (Counts{{"requests", 1}, {"responses.2xx", 1}, {"duration.100", 1}}));
}

TEST(SavedState, WhatCameSinceIsCountsAlone) {
  const SavedState before = an_example();
  SavedState now = before;
  now.listeners[0].counts["requests"] += 3;
  now.groups[0].targets[0].counts["requests"] += 1;
  now.groups.push_back({.name = "new", .counts = {{"retries", 1}}});
  const SavedState since = counts_since(now, before);
  EXPECT_EQ(since.listener("web")->counts, (Counts{{"requests", 3}}));
  EXPECT_EQ(since.group("site")->counts, Counts{});
  EXPECT_EQ(since.group("site")->targets.at(0).counts, (Counts{{"requests", 1}}));
  EXPECT_EQ(since.group("new")->counts, (Counts{{"retries", 1}}));
  EXPECT_TRUE(since.events.empty());
}

}  // namespace
}  // namespace ballast::traffic
