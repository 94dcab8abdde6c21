#include "traffic/explain/rings.h"

#include <utility>

#include "base/check.h"

namespace ballast::traffic {

void FairRing::bound(std::size_t max) {
  max_ = max;
  while (size_ > max_) drop_one();
}

void FairRing::put(std::size_t bucket, ExplainRecordPtr record) {
  CHECK(bucket < buckets_.size());
  if (max_ == 0) return;
  if (size_ == max_) drop_one();
  buckets_[bucket].push_back(std::move(record));
  ++size_;
}

void FairRing::drop_one() {
  const auto fuller = [](const auto& a, const auto& b) {
    if (a.size() != b.size()) return a.size() < b.size();
    // Of two that hold as much, the one whose oldest is older.
    return !a.empty() && a.front()->at > b.front()->at;
  };
  auto& largest = *std::ranges::max_element(buckets_, fuller);
  dropped_ = std::max(dropped_, largest.front()->at);
  largest.pop_front();
  --size_;
}

void FairRing::add_to(std::vector<ExplainRecordPtr>& all) const {
  for (const auto& bucket : buckets_) all.insert(all.end(), bucket.begin(), bucket.end());
}

ExplainRings::ExplainRings() : errors_(Cause::count), slow_(slow_buckets), connections_(Cause::count) {}

void ExplainRings::bound(std::size_t records) {
  on_ = records != 0;
  const std::size_t quarter = on_ ? std::max<std::size_t>(records / 4, 1) : 0;
  errors_.bound(on_ ? std::max<std::size_t>(records - std::min(records, 2 * quarter), 1) : 0);
  slow_.bound(quarter);
  connections_.bound(quarter);
}

ExplainRings::Content ExplainRings::content() const {
  Content content;
  content.records.reserve(errors_.size() + slow_.size() + connections_.size());
  for (const FairRing* ring : {&errors_, &slow_, &connections_}) {
    ring->add_to(content.records);
    content.dropped = std::max(content.dropped, ring->dropped());
  }
  return content;
}

}  // namespace ballast::traffic
