#include "traffic/outlier/failure_run.h"

#include <string>

#include <gtest/gtest.h>

namespace ballast::traffic::outlier {
namespace {

// Two workers: `+` and `-` are an answer and a failure of the first, `P` and `M` of the second; `|` is a look.
struct Played {
  FailureRun run;
  std::uint64_t longest = 0;
};
Played play(std::string_view what) {
  AnswerRun workers[2];
  Played played;
  for (const char c : what) {
    if (c == '+') workers[0].answered();
    if (c == '-') workers[0].failed();
    if (c == 'P') workers[1].answered();
    if (c == 'M') workers[1].failed();
    if (c == '|') {
      played.run.look(std::array{workers[0].get(), workers[1].get()});
      played.longest = std::max(played.longest, played.run.length());
    }
  }
  return played;
}

TEST(FailureRun, CountsFailuresOfAllWorkersUntilAnAnswer) {
  const struct {
    std::string_view what;
    std::uint64_t length;
    std::uint64_t answers;
  } rows[] = {
      {"|", 0, 0},
      {"-----|", 5, 0},
      {"--|MMM|", 5, 0},
      {"--|--|-|", 5, 0},
      {"----+|", 0, 1},
      {"+----|", 4, 1},  // of one worker the order is known
      {"-+--|--|", 4, 1},
      {"---|P|", 0, 1},  // an answer of any worker ends the row
      {"---|P|--|", 2, 1},
      {"--P--|", 0, 1},  // between two looks the order of two workers is not: never longer than is certain
      {"--P--|-----|", 5, 1},
      {"P---|M|", 1, 1},
      {"+P--MM|", 2, 2},
      {"+P--MMM|", 2, 2},  // the last answer was of one of the two
      {"+P--|M|", 1, 2},
  };
  for (const auto& row : rows) {
    const Played played = play(row.what);
    EXPECT_EQ(played.run.length(), row.length) << row.what;
    EXPECT_EQ(played.run.answers(), row.answers) << row.what;
  }
}

// Whatever is played: the row that is told was there at some time, and it is told whole once nobody answers any more.
TEST(FailureRun, IsNeverLongerThanTheTruth) {
  std::uint64_t seed = 1;
  for (int round = 0; round < 2000; ++round) {
    std::string what;
    std::uint64_t row = 0;
    std::uint64_t longest = 0;
    for (int i = 0; i < 30; ++i) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      const char c = "+-PM--MM|"[(seed >> 33) % 9];
      what += c;
      if (c == '+' || c == 'P') row = 0;
      if (c == '-' || c == 'M') longest = std::max(longest, ++row);
    }
    const Played played = play(what + "|");
    EXPECT_LE(played.longest, longest) << what;
    EXPECT_LE(played.run.length(), row) << what;
    EXPECT_GE(play(what + "|---M|").run.length(), 4u) << what;
  }
}

TEST(FailureRun, BeginsAnewWhereItIsForgiven) {
  AnswerRun worker;
  FailureRun run;
  for (int i = 0; i < 5; ++i) worker.failed();
  run.look(std::array{worker.get()});
  run.restart();
  EXPECT_EQ(run.length(), 0u);
  worker.failed();
  run.look(std::array{worker.get()});
  EXPECT_EQ(run.length(), 1u);
}

TEST(AnswerRun, KeepsBothOfOneMoment) {
  AnswerRun run;
  for (int i = 0; i < 3; ++i) run.answered();
  for (int i = 0; i < 2; ++i) run.failed();
  EXPECT_EQ(run.get().answers, 3u);
  EXPECT_EQ(run.get().failures_in_row, 2u);
  run.answered();
  EXPECT_EQ(run.get().answers, 4u);
  EXPECT_EQ(run.get().failures_in_row, 0u);
  // The row stops at what its bits hold, and does not become an answer.
  for (std::uint64_t i = 0; i < AnswerRun::run_max + 10; ++i) run.failed();
  EXPECT_EQ(run.get().answers, 4u);
  EXPECT_EQ(run.get().failures_in_row, AnswerRun::run_max);
  run.answered();
  EXPECT_EQ(run.get().answers, 5u);
  EXPECT_EQ(run.get().failures_in_row, 0u);
}

}  // namespace
}  // namespace ballast::traffic::outlier
