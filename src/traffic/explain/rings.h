// What one worker keeps for `ballast explain`: three rings of records, each kept fair.
//
// FairRing holds so many records, each in a bucket. When it is full, the oldest of the bucket that holds most goes. So
// one kind of trouble may fill a ring while there is no other, and still pushes out none of another kind as long as
// that has less than its share: with k kinds there, each keeps at least its youngest max / k. A fixed bound for each
// reason would leave most of the ring empty on most days, or be no bound on the day of a flood.
//
// The rings: errors of requests (half of the records; a bucket a reason), slow requests (a quarter; a bucket for some
// of the rules, so that a path that is always slow does not hide another) and connections that brought no request (a
// quarter; a bucket a cause). Whoever floods one of them leaves the other two alone.
//
// Worker's thread. Memory: `keep` records of less than 3 KiB in all workers together, each from when it is made: at
// most 3 MiB by default, 60 MiB at the largest setting; and what an answer to the operator still holds.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <vector>

#include "traffic/explain/record.h"

namespace ballast::traffic {

using ExplainRecordPtr = std::shared_ptr<const ExplainRecord>;

class FairRing {
 public:
  using WallTime = std::chrono::system_clock::time_point;
  explicit FairRing(std::size_t buckets) : buckets_(buckets) {}

  // At most so many; what is too much goes by the same rule.
  void bound(std::size_t max);
  void put(std::size_t bucket, ExplainRecordPtr record);
  void add_to(std::vector<ExplainRecordPtr>& all) const;
  std::size_t size() const { return size_; }
  // The youngest that was pushed out ended then; epoch: none was.
  WallTime dropped() const { return dropped_; }

 private:
  void drop_one();

  std::vector<std::list<ExplainRecordPtr>> buckets_;  // each the oldest first
  std::size_t max_ = 0;
  std::size_t size_ = 0;
  WallTime dropped_{};
};

class ExplainRings {
 public:
  ExplainRings();

  // `records`: this worker's part of all; 0: nothing is kept, and what there was is let go.
  void bound(std::size_t records);
  bool is_on() const { return on_; }
  // Of a request that ended with a cause; of one that was only slow, by its rule; of a connection.
  void put_error(ExplainRecordPtr record) { errors_.put(record->cause.index(), record); }
  void put_slow(std::size_t rule, ExplainRecordPtr record) { slow_.put(rule % slow_buckets, std::move(record)); }
  void put_connection(ExplainRecordPtr record) { connections_.put(record->cause.index(), record); }

  // Everything, in no order.
  struct Content {
    std::vector<ExplainRecordPtr> records;
    FairRing::WallTime dropped{};  // as FairRing's, of all three
  };
  Content content() const;

 private:
  static constexpr std::size_t slow_buckets = 61;
  FairRing errors_;
  FairRing slow_;
  FairRing connections_;
  bool on_ = false;
};

}  // namespace ballast::traffic
