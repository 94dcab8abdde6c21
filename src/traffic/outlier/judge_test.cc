#include "traffic/outlier/judge.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace ballast::traffic::outlier {
namespace {

using namespace std::chrono_literals;
using Kind = Happened::Kind;

HealthTime at(std::chrono::milliseconds time) {
  return HealthTime{} + 1h + time;
}

// A group of so many targets that are well.
struct Group {
  explicit Group(std::size_t count) : members(count, Member{.seen = {.in_service = true, .is_well = true}}) {}
  config::Outliers settings;
  int minimum_healthy = 1;
  std::vector<Member> members;

  Group& fails(std::size_t index, std::uint64_t in_row) {
    members[index].seen.failures_in_row = in_row;
    members[index].seen.last_failure = "connection refused";
    return *this;
  }
  Group& unwell(std::size_t index) {
    members[index].seen.is_well = false;
    return *this;
  }
  // "0 out, 2 spared": who, in order, and what.
  std::string look(std::chrono::milliseconds time) {
    told.clear();
    std::string text;
    for (const Happened& each : judge({.settings = settings, .minimum_healthy = minimum_healthy}, members, at(time))) {
      constexpr std::string_view names[] = {"out", "spared", "back", "weighed"};
      text += std::string(text.empty() ? "" : ", ") + std::to_string(each.member) + " " +
              std::string(names[static_cast<std::size_t>(each.kind)]);
      told += each.words + "\n";
      // As the keeper does.
      if (each.kind == Kind::Returned) members[each.member].seen.failures_in_row = 0;
    }
    return text;
  }
  std::string told;
};

TEST(Judge, EjectsAfterErrorsInARow) {
  Group group(2);
  EXPECT_EQ(group.fails(0, 4).look(0ms), "");
  EXPECT_EQ(group.fails(0, 5).look(500ms), "0 out");
  EXPECT_EQ(group.told, "5 failures in a row (the last: connection refused); out for 30s\n");
  EXPECT_EQ(group.members[0].record.ejections, (std::array<std::uint64_t, 2>{1, 0}));
  EXPECT_EQ(group.look(1s), "");
  EXPECT_EQ(group.look(30s), "");
  EXPECT_EQ(group.look(30500ms), "0 back");
  EXPECT_EQ(group.told, "its time is over\n");
  EXPECT_EQ(group.members[0].record.words, "");
}

TEST(Judge, NotForAnyNumberWhereErrorsIsZero) {
  Group group(3);
  group.settings.errors = 0;
  EXPECT_EQ(group.fails(0, 1'000'000).look(0ms), "");
}

// out, of how many, who is unwell, minimum_healthy, share_max.
TEST(Judge, EjectsNoMoreThanThereIsRoomFor) {
  const struct {
    std::string_view what;
    std::size_t targets;
    std::size_t failing;
    std::size_t unwell;
    int minimum;
    int share;
    std::size_t out;
    std::string_view why_not;
  } rows[] = {
      {"the only target", 1, 1, 0, 1, 100, 0, "it is the only target"},
      {"one of two", 2, 1, 0, 1, 50, 1, ""},
      {"one of three", 3, 2, 0, 1, 50, 1, "1 of 3 targets are out, and share_max is 50%"},
      {"two of four", 4, 3, 0, 1, 50, 2, "2 of 4 targets are out, and share_max is 50%"},
      {"a share below one", 3, 1, 0, 1, 33, 0, "0 of 3 targets are out, and share_max is 33%"},
      {"none", 2, 1, 0, 1, 0, 0, "0 of 2 targets are out, and share_max is 0%"},
      {"the minimum", 4, 3, 0, 3, 100, 1, "3 are healthy, and minimum_healthy is 3"},
      {"all but one", 4, 3, 0, 1, 100, 3, ""},
      {"what checks keep out counts", 4, 2, 1, 1, 50, 1, "2 of 4 targets are out, and share_max is 50%"},
      {"the last that is well", 2, 1, 1, 1, 100, 0, "it is the last that is healthy, and minimum_healthy is 1"},
      {"a group that fails open", 4, 2, 2, 3, 100, 0, "2 are healthy, and minimum_healthy is 3"},
  };
  for (const auto& row : rows) {
    Group group(row.targets);
    group.minimum_healthy = row.minimum;
    group.settings.share_max_percent = row.share;
    for (std::size_t i = 0; i < row.failing; ++i) group.fails(i, 7);
    for (std::size_t i = 0; i < row.unwell; ++i) group.unwell(row.targets - 1 - i);
    group.look(0ms);
    const auto out = static_cast<std::size_t>(std::ranges::count_if(group.members, is_ejected));
    EXPECT_EQ(out, row.out) << row.what;
    EXPECT_EQ(group.told.find("not ejected: ") != std::string::npos, !row.why_not.empty()) << row.what << group.told;
    if (!row.why_not.empty()) {
      EXPECT_NE(group.told.find("7 failures in a row (the last: connection refused); not ejected: " +
                                std::string(row.why_not) + "\n"),
                std::string::npos)
          << row.what << ": " << group.told;
    }
  }
}

TEST(Judge, SaysOnceInAWhileThatOneIsSpared) {
  Group group(1);
  EXPECT_EQ(group.fails(0, 5).look(0ms), "0 spared");
  EXPECT_EQ(group.fails(0, 9).look(1s), "");
  EXPECT_EQ(group.fails(0, 99).look(599s), "");
  EXPECT_EQ(group.fails(0, 200).look(600s), "0 spared");
}

TEST(Judge, WhatAllHaveIsNobodysFault) {
  Group group(3);
  EXPECT_EQ(group.fails(0, 9).fails(1, 1).fails(2, 2).look(0ms), "0 spared");
  EXPECT_EQ(group.told,
            "9 failures in a row (the last: connection refused); not ejected: every other target fails as well\n");
  // Those that get no requests do not count: it must go on at somebody who answers.
  EXPECT_EQ(group.unwell(2).fails(2, 0).look(11min), "0 spared");
  EXPECT_EQ(group.fails(1, 0).look(22min), "0 spared");  // one is out already, of three
  group.members[2].seen.is_well = true;
  EXPECT_EQ(group.look(33min), "0 out");
}

TEST(Judge, OnlyWhoIsInServiceAndWell) {
  Group group(4);
  group.members[0].seen.in_service = false;  // it drains
  EXPECT_EQ(group.fails(0, 9).look(0ms), "");
  EXPECT_EQ(group.unwell(1).fails(1, 9).look(0ms), "");
}

TEST(Judge, StaysOutLongerEachTime) {
  Group group(2);
  group.settings.eject = 10s;
  group.settings.eject_max = 35s;
  std::chrono::milliseconds now = 0ms;
  for (const auto time : {10s, 20s, 35s, 35s}) {
    EXPECT_EQ(group.fails(0, 5).look(now), "0 out");
    EXPECT_EQ(group.look(now + time - 1ms), "");
    now += time;
    EXPECT_EQ(group.look(now), "0 back");
    now += 1s;
  }
  EXPECT_EQ(group.fails(0, 5).look(now), "0 out");
  EXPECT_EQ(group.told, "5 failures in a row (the last: connection refused); out for 35s, the 5. time lately\n");
}

TEST(Judge, ForgetsStepByStepWhileItBehaves) {
  Group group(2);
  group.settings.eject = 10s;
  group.fails(0, 5).look(0s);
  EXPECT_EQ(group.look(10s), "0 back");
  group.fails(0, 5).look(11s);
  EXPECT_EQ(group.look(31s), "0 back");
  EXPECT_EQ(group.members[0].record.times, 2);
  group.look(40s);
  EXPECT_EQ(group.members[0].record.times, 2);
  group.look(41s);
  EXPECT_EQ(group.members[0].record.times, 1);
  group.look(50s);
  EXPECT_EQ(group.members[0].record.times, 1);
  group.look(51s);
  EXPECT_EQ(group.members[0].record.times, 0);
  group.fails(0, 5).look(52s);
  EXPECT_EQ(group.told, "5 failures in a row (the last: connection refused); out for 10s\n");
}

TEST(Judge, CallsBackBeforeAGroupWouldFailOpen) {
  Group group(4);
  group.settings.share_max_percent = 100;
  group.minimum_healthy = 2;
  group.fails(0, 5).look(0s);
  EXPECT_EQ(group.fails(1, 5).look(5s), "1 out");
  EXPECT_EQ(group.look(6s), "");
  // The one with the least of its time left.
  EXPECT_EQ(group.unwell(2).look(7s), "0 back");
  EXPECT_EQ(group.told, "before its time: too few others are healthy\n");
  EXPECT_EQ(group.unwell(3).look(8s), "1 back");
  // Who is unwell by his checks would not help.
  EXPECT_EQ(group.unwell(0).unwell(1).look(9s), "");
}

TEST(Judge, ForgivesAllWhereItIsTurnedOff) {
  Group group(2);
  group.fails(0, 5).look(0s);
  group.members[1].record.weight = 0.25;
  group.members[1].record.weight_words = "slow";
  group.members[1].seen.weight = 2;
  group.settings.enabled = false;
  EXPECT_EQ(group.look(1s), "0 back, 1 weighed");
  EXPECT_EQ(group.told, "`outliers` is off now\n`slower` is off now: weight 0.5 -> 2\n");
  EXPECT_EQ(group.members[1].record.weight, 1);
  EXPECT_EQ(group.members[1].record.weight_words, "");
  EXPECT_EQ(group.look(2s), "");
}

TEST(Judge, GivesWeightsBackWithoutSlower) {
  Group group(2);
  group.members[1].record.weight = 0.5;
  group.settings.slower.emplace();
  EXPECT_EQ(group.look(0s), "");
  group.settings.slower.reset();
  EXPECT_EQ(group.look(1s), "1 weighed");
}

}  // namespace
}  // namespace ballast::traffic::outlier
