#include "traffic/control/events.h"

#include <gmock/gmock.h>

namespace ballast::traffic {
namespace {

using testing::ElementsAre;

std::vector<std::string> kinds(const EventLog& log, std::uint64_t after = 0) {
  std::vector<std::string> found;
  for (const model::Event& event : log.since(after)) found.push_back(event.kind);
  return found;
}

TEST(EventLog, IdsGrowEvenWithinAMillisecond) {
  EventLog log;
  for (int i = 0; i < 50; ++i) log.keep("a", "b", "c");
  const auto events = log.since(0);
  for (std::size_t i = 1; i < events.size(); ++i) EXPECT_GT(events[i].id, events[i - 1].id);
  EXPECT_EQ(log.since(events.back().id).size(), 0U);
}

// The one before has gone on while the next one started: what the next says is still new to who has heard the first.
TEST(EventLog, WhatFollowsIsNewToWhoHasHeardTheOneBefore) {
  EventLog before;
  before.keep("one", "", "");
  EventLog next;
  next.restore(before.since(0));
  std::uint64_t heard = 0;
  for (int i = 0; i < 5; ++i) before.keep("two", "", "");
  heard = before.since(0).back().id;
  while (std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
             .count() <= static_cast<std::int64_t>(heard)) {
  }
  next.keep("done", "", "");
  EXPECT_THAT(kinds(next, heard), ElementsAre("done"));
  // And what the one before had to say comes to its place.
  next.restore(before.since(0));
  EXPECT_THAT(kinds(next), ElementsAre("one", "two", "two", "two", "two", "two", "done"));
}

TEST(EventLog, TheNewestAreKept) {
  EventLog before;
  for (std::size_t i = 0; i < EventLog::kept_max; ++i) before.keep("old", "", "");
  EventLog next;
  next.restore(before.since(0));
  next.keep("new", "", "");
  EXPECT_EQ(next.since(0).size(), EventLog::kept_max);
  EXPECT_EQ(next.since(0).back().kind, "new");
}

}  // namespace
}  // namespace ballast::traffic
