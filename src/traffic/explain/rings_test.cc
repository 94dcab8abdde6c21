#include "traffic/explain/rings.h"

#include <map>

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

using WallTime = FairRing::WallTime;

WallTime second(int number) {
  return WallTime(std::chrono::seconds(number));
}

std::shared_ptr<ExplainRecord> record(Cause cause, int at) {
  auto made = std::make_shared<ExplainRecord>();
  made->cause = cause;
  made->at = second(at);
  return made;
}

std::map<std::string, int> counts(const std::vector<ExplainRecordPtr>& records) {
  std::map<std::string, int> found;
  for (const auto& each : records) ++found[to_string(each->cause)];
  return found;
}

std::vector<ExplainRecordPtr> all(const FairRing& ring) {
  std::vector<ExplainRecordPtr> records;
  ring.add_to(records);
  return records;
}

TEST(FairRing, OneKindMayFillIt) {
  FairRing ring(Cause::count);
  ring.bound(10);
  for (int i = 0; i < 10; ++i) ring.put(1, record(Reason::RequestMalformed, i));
  EXPECT_EQ(ring.size(), 10U);
  EXPECT_EQ(ring.dropped(), WallTime{}) << "nothing has been pushed out";
  ring.put(1, record(Reason::RequestMalformed, 10));
  EXPECT_EQ(ring.size(), 10U);
  EXPECT_EQ(ring.dropped(), second(0));
  EXPECT_EQ(all(ring).front()->at, second(1)) << "the oldest goes first";
}

TEST(FairRing, AFloodPushesOutItself) {
  FairRing ring(Cause::count);
  ring.bound(30);
  for (int i = 0; i < 3; ++i) ring.put(2, record(Reason::ConnectRefused, i));
  for (int i = 0; i < 9; ++i) ring.put(3, record(Reason::TargetTimeout, 10 + i));
  for (int i = 0; i < 10'000; ++i) ring.put(1, record(Reason::RequestMalformed, 100 + i));
  EXPECT_EQ(counts(all(ring)),
            (std::map<std::string, int>{{"connect_refused", 3}, {"target_timeout", 9}, {"request_malformed", 18}}));
  EXPECT_EQ(ring.dropped(), second(100 + 10'000 - 18 - 1));
}

// With k kinds each keeps its youngest max / k, whatever the others do.
TEST(FairRing, EachKindKeepsItsShare) {
  FairRing ring(Cause::count);
  ring.bound(30);
  for (int i = 0; i < 100; ++i) ring.put(1, record(Reason::RequestMalformed, i));
  for (int i = 0; i < 100; ++i) ring.put(2, record(Reason::ConnectRefused, 100 + i));
  for (int i = 0; i < 10; ++i) ring.put(3, record(Reason::TargetTimeout, 200 + i));
  for (const auto& [name, count] : counts(all(ring))) EXPECT_GE(count, 10) << name;
  for (const auto& each : all(ring)) {
    if (each->cause == Cause(Reason::ConnectRefused)) EXPECT_GE(each->at, second(190 - 5)) << "the youngest stay";
  }
}

TEST(FairRing, ShrinksByTheSameRule) {
  FairRing ring(Cause::count);
  ring.bound(10);
  ring.put(2, record(Reason::ConnectRefused, 0));
  for (int i = 1; i < 10; ++i) ring.put(1, record(Reason::RequestMalformed, i));
  ring.bound(2);
  EXPECT_EQ(counts(all(ring)), (std::map<std::string, int>{{"connect_refused", 1}, {"request_malformed", 1}}));
  ring.bound(0);
  EXPECT_EQ(ring.size(), 0U);
  ring.put(1, record(Reason::RequestMalformed, 20));
  EXPECT_EQ(ring.size(), 0U) << "switched off";
  EXPECT_EQ(ring.dropped(), second(9));
}

TEST(ExplainRings, AFloodOfOneKindLeavesTheOthers) {
  ExplainRings rings;
  EXPECT_FALSE(rings.is_on());
  rings.bound(40);
  EXPECT_TRUE(rings.is_on());
  rings.put_slow(7, record({}, 1));
  rings.put_connection(record(tls::HandshakeEnd::NoCertificate, 2));
  for (int i = 0; i < 1000; ++i) rings.put_error(record(Reason::RequestMalformed, 10 + i));
  const ExplainRings::Content content = rings.content();
  EXPECT_EQ(content.records.size(), 22U) << "half of them are for errors";
  EXPECT_EQ(counts(content.records)["tls_no_certificate"], 1);
  EXPECT_EQ(counts(content.records)[""], 1);
  EXPECT_EQ(content.dropped, second(10 + 1000 - 20 - 1));
}

TEST(ExplainRings, ASlowRuleLeavesTheOthers) {
  ExplainRings rings;
  rings.bound(40);
  rings.put_slow(1, record({}, 1));
  for (int i = 0; i < 100; ++i) rings.put_slow(2, record({}, 10 + i));
  const auto kept = rings.content().records;
  EXPECT_EQ(kept.size(), 10U);
  EXPECT_TRUE(std::ranges::any_of(kept, [](const auto& each) { return each->at == second(1); }));
}

TEST(ExplainRings, KeepsAtLeastOneOfEachKind) {
  ExplainRings rings;
  rings.bound(1);
  rings.put_error(record(Reason::NoTarget, 1));
  rings.put_slow(0, record({}, 2));
  rings.put_connection(record(Reason::NotTls, 3));
  EXPECT_EQ(rings.content().records.size(), 3U);
  rings.bound(0);
  EXPECT_FALSE(rings.is_on());
  EXPECT_TRUE(rings.content().records.empty());
}

}  // namespace
}  // namespace ballast::traffic
