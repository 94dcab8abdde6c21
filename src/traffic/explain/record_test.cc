#include "traffic/explain/record.h"

#include <gtest/gtest.h>

#include "traffic/plan.h"

namespace ballast::traffic {
namespace {

using namespace std::chrono_literals;
using Text = ExplainRecord::Text;

TEST(ExplainRecord, TellsWhatWasPutIntoIt) {
  const TargetShare target({.name = "10.0.0.1:80", .host = "10.0.0.1"}, io::SocketAddress::any(80), 1);
  const io::Instant start = io::Instant(100s);
  ExplainRecord record;
  record.cause = Reason::TargetMalformed;
  record.status = 502;
  record.defect = http::Defect::BareLf;
  record.defect_at = 31;
  record.took = 1500us;
  record.answered = 1200us;
  record.put(Text::Id, "abc");
  record.put(Text::Path, "/pay");
  record.put({.target = &target,
              .began = start + 100us,
              .connect = 300us,
              .status = 0,
              .reason = Reason::ConnectRefused,
              .again = Again::NextTarget,
              .text = "more"},
             start);
  const model::Explained told = record.to_model();
  EXPECT_EQ(told.id, "abc");
  EXPECT_EQ(told.path, "/pay");
  EXPECT_EQ(told.query, "");
  EXPECT_EQ(told.status, 502);
  EXPECT_EQ(told.reason, "target_malformed");
  EXPECT_EQ(told.advice, advice(Reason::TargetMalformed));
  EXPECT_EQ(told.happened, happened(Reason::TargetMalformed));
  EXPECT_EQ(told.defect, "bare_lf");
  EXPECT_EQ(told.defect_class, "ambiguous");
  EXPECT_EQ(told.defect_at, 31U);
  EXPECT_EQ(told.took, 1500us);
  EXPECT_EQ(told.answered, 1200us);
  ASSERT_EQ(told.attempts.size(), 1U);
  EXPECT_EQ(told.attempts[0].target, "10.0.0.1:80");
  EXPECT_EQ(told.attempts[0].began, 100us);
  EXPECT_EQ(told.attempts[0].connect, 300us);
  EXPECT_EQ(told.attempts[0].tls, -1us);
  EXPECT_EQ(told.attempts[0].head, -1us);
  EXPECT_EQ(told.attempts[0].reason, "connect_refused");
  EXPECT_EQ(told.attempts[0].next, "next_target");
  EXPECT_EQ(told.attempts[0].text, "more");
  EXPECT_FALSE(told.attempts[0].reused);
}

TEST(ExplainRecord, CutsWhatIsLong) {
  struct Case {
    std::string text;
    std::string kept;
  };
  const std::string plain(253, 'a');
  for (const Case& each : {
           Case{std::string(256, 'a'), std::string(256, 'a')},
           Case{std::string(257, 'a'), plain + "…"},
           // Not within a character.
           Case{std::string(252, 'a') + "ééé", std::string(252, 'a') + "…"},
           Case{"", ""},
       }) {
    ExplainRecord record;
    record.put(Text::Path, each.text);
    EXPECT_EQ(record.get(Text::Path), each.kept) << each.text.size();
  }
}

TEST(ExplainRecord, HoldsNoMoreThanItsRoom) {
  const TargetShare target({.name = std::string(200, 't'), .host = ""}, io::SocketAddress::any(80), 1);
  ExplainRecord record;
  for (std::size_t i = 0; i < ExplainRecord::text_count; ++i) {
    record.put(static_cast<Text>(i), std::string(4000, 'x'));
  }
  const std::string first(record.get(Text::Id));
  for (int i = 0; i < 20; ++i) {
    record.put({.target = &target, .status = 500 + i, .text = std::string(1000, 'y')}, io::Instant{});
  }
  const model::Explained told = record.to_model();
  EXPECT_EQ(told.id, first);
  ASSERT_EQ(told.attempts.size(), attempts_noted_max);
  EXPECT_EQ(told.attempts.back().status, 500 + static_cast<int>(attempts_noted_max) - 1);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < ExplainRecord::text_count; ++i) bytes += record.get(static_cast<Text>(i)).size();
  for (const auto& each : told.attempts) bytes += each.target.size() + each.text.size();
  EXPECT_LE(bytes, ExplainRecord::room_bytes);
  EXPECT_GE(bytes, ExplainRecord::room_bytes - 200) << "the room is used";
}

TEST(Again, EachHasItsTexts) {
  for (int i = 1; i < again_count; ++i) {
    EXPECT_FALSE(to_string(static_cast<Again>(i)).empty()) << i;
    EXPECT_EQ(is_again(static_cast<Again>(i)), !explain(static_cast<Again>(i)).starts_with("not again: ")) << i;
  }
}

}  // namespace
}  // namespace ballast::traffic
