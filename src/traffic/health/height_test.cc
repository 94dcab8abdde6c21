#include "traffic/health/height.h"

#include <vector>

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

using namespace std::chrono_literals;

const HealthTime start{1'000'000s};

TEST(Height, IsFoundInTheAnswer) {
  struct Case {
    std::string answer;
    std::string path;
    std::string wanted;
  };
  for (const Case& each : std::vector<Case>{
           {R"({"jsonrpc":"2.0","id":1,"result":"0x10d4f"})", "result", "68943"},
           {R"({"result":"1234"})", "result", "1234"},
           {R"({"result":1234})", "result", "1234"},
           {R"({"result":{"sync_info":{"latest_block_height":"77"}}})", "result.sync_info.latest_block_height", "77"},
           {R"({"result":[{"n":5},{"n":6}]})", "result.1.n", "6"},
           {R"({"error":null,"result":1})", "result", "1"},
           {R"({"result":18446744073709551615})", "result", "18446744073709551615"},
           {R"({"error":{"code":-32601,"message":"no such method"}})", "result",
            R"(the answer is an error: {"code":-32601,"message":"no such method"})"},
           {R"({"result":{"a":1}})", "result.b", R"(the answer has no result.b: {"result":{"a":1}})"},
           {R"({"result":[1]})", "result.1", R"(the answer has no result.1: {"result":[1]})"},
           {R"({"result":"0x"})", "result", R"(result is no height: "0x")"},
           {R"({"result":"12 "})", "result", R"(result is no height: "12 ")"},
           {R"({"result":-1})", "result", "result is no height: -1"},
           {R"({"result":1.5})", "result", "result is no height: 1.5"},
           {R"({"result":false})", "result", "result is no height: false"},
           {R"({"result":"0x1ffffffffffffffff"})", "result", R"(result is no height: "0x1ffffffffffffffff")"},
           {R"([1])", "0", "the answer is not a JSON object"},
           {"<html>", "result", "the answer is not a JSON object"},
           {"", "result", "the answer is not a JSON object"},
       }) {
    const auto height = height_in(each.answer, each.path);
    EXPECT_EQ(height ? std::to_string(*height) : height.error().text(), each.wanted) << each.answer;
  }
}

TEST(Height, MustGrowAndKeepUp) {
  const config::JsonRpc check{.lag_max = 10, .stalled_after = 60s};
  struct Step {
    std::chrono::seconds at;
    std::uint64_t height;
    std::optional<std::uint64_t> best;
    HeightVerdict wanted;
    std::string words;
  };
  std::optional<HeightRecord> record;
  for (const Step& step : std::vector<Step>{
           {0s, 100, {}, HeightVerdict::Growing, "height 100"},
           {30s, 100, {}, HeightVerdict::Growing, "height 100"},
           {59s, 100, 110, HeightVerdict::Growing, "height 100"},
           {60s, 100, 100, HeightVerdict::Stalled, "height 100 has not grown for 60 s"},
           {61s, 101, 100, HeightVerdict::Growing, "height 101"},
           {70s, 101, 112, HeightVerdict::Behind, "height 101, 11 behind the best peer's 112, at most 10 are allowed"},
           {71s, 102, 112, HeightVerdict::Growing, "height 102"},
           // Going back is not growing: the time of 102 goes on.
           {100s, 99, 99, HeightVerdict::Growing, "height 99"},
           {130s, 102, 102, HeightVerdict::Growing, "height 102"},
           {131s, 102, 102, HeightVerdict::Stalled, "height 102 has not grown for 60 s"},
           {132s, 103, 103, HeightVerdict::Growing, "height 103"},
       }) {
    const HeightJudged judged =
        judge_height(check, record, {.height = step.height, .best_peer = step.best}, start + step.at);
    EXPECT_EQ(judged.verdict, step.wanted) << step.at.count();
    EXPECT_EQ(judged.words, step.words);
    record = judged.record;
    EXPECT_EQ(record->seen_at, start + step.at);
  }
}

TEST(Height, MayStandStillWhereThatIsAllowed) {
  const config::JsonRpc check{.stalled_after = 0s};
  const HeightRecord record{.height = 5, .grew_at = start, .seen_at = start};
  EXPECT_EQ(judge_height(check, record, {.height = 5, .best_peer = {}}, start + 1000h).verdict, HeightVerdict::Growing);
}

}  // namespace
}  // namespace ballast::traffic
