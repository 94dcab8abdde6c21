#include "traffic/protect/rate_table.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>

#include "base/check.h"
#include "io/pages.h"

namespace ballast::traffic {
namespace {

// Plain words in pages that are zero and not touched before they are used: an atomic would have to be constructed.
std::atomic_ref<std::uint64_t> shared(std::uint64_t& word) {
  return std::atomic_ref<std::uint64_t>(word);
}
std::atomic_ref<std::int64_t> shared(std::int64_t& word) {
  return std::atomic_ref<std::int64_t>(word);
}

}  // namespace

Rate Rate::of(const Of& what) {
  const io::Duration interval{(what.per.count() + what.requests / 2) / what.requests};
  return {.interval = interval, .tolerance = interval * (what.burst - 1)};
}

RateTable::RateTable(std::size_t keys) {
  const std::size_t sets = std::bit_ceil(std::max<std::size_t>(1, (keys + ways - 1) / ways));
  mask_ = sets - 1;
  sets_ = static_cast<Set*>(io::take_pages(sets * sizeof(Set)));
  CHECK(sets_ != nullptr);
  io::forget_pages(sets_, sets * sizeof(Set));
}

RateTable::~RateTable() {
  std::free(sets_);
}

// The place that the key has, or one that it takes: the first that is free, else the one that will be soonest. All
// workers that look at the same moment choose the same. False: another has taken that one first.
bool RateTable::find_or_take(Set& set, std::uint64_t hash, std::int64_t now, Place& place) {
  for (place.way = 0; place.way < ways; ++place.way) {
    if (shared(set.keys[place.way]).load(std::memory_order_acquire) == hash) return true;
  }
  std::uint64_t key = 0;
  std::int64_t time = 0;
  bool is_free = false;
  for (int way = 0; way < ways; ++way) {
    const std::uint64_t its_key = shared(set.keys[way]).load(std::memory_order_acquire);
    const std::int64_t its_time = shared(set.times[way]).load(std::memory_order_acquire);
    // Since the first look another worker has taken a place for the same key.
    if (its_key == hash) {
      place.way = way;
      return true;
    }
    // Since the time was read: it is that of this key no longer.
    if (shared(set.keys[way]).load(std::memory_order_acquire) != its_key) return false;
    if (is_free || (way != 0 && its_time >= time)) continue;
    place.way = way;
    key = its_key;
    time = its_time;
    is_free = time <= now;
  }
  if (!shared(set.keys[place.way]).compare_exchange_strong(key, hash, std::memory_order_acq_rel)) return false;
  place.has_displaced = !is_free;
  if (place.has_displaced) {
    shared(set.times[place.way]).compare_exchange_strong(time, now, std::memory_order_acq_rel);
  }
  return true;
}

// Ends: where the swap fails another request was charged, and of those there is at most a burst before this is refused.
RateTable::Charge RateTable::charge(Set& set, int way, std::uint64_t hash, const Rate& rate, std::int64_t now,
                                    std::int64_t& wait) {
  const auto time = shared(set.times[way]);
  const auto is_gone = [&] { return shared(set.keys[way]).load(std::memory_order_acquire) != hash; };
  std::int64_t seen = time.load(std::memory_order_acquire);
  while (true) {
    const std::int64_t from = std::max(seen, now);
    wait = from - now - rate.tolerance.count();
    if (wait > 0) return is_gone() ? Charge::Gone : Charge::Refused;
    if (time.compare_exchange_weak(seen, from + rate.interval.count(), std::memory_order_acq_rel,
                                   std::memory_order_acquire)) {
      break;
    }
    if (is_gone()) return Charge::Gone;
  }
  return is_gone() ? Charge::Gone : Charge::Admitted;
}

std::vector<RateTable::Entry> RateTable::in_use(io::Instant instant) const {
  const std::int64_t now = std::chrono::duration_cast<io::Duration>(instant.time_since_epoch()).count();
  std::vector<Entry> entries;
  for (std::size_t i = 0; i <= mask_; ++i) {
    for (int way = 0; way < ways; ++way) {
      const Entry entry{.hash = shared(sets_[i].keys[way]).load(std::memory_order_acquire),
                        .time = shared(sets_[i].times[way]).load(std::memory_order_acquire)};
      if (entry.time > now && shared(sets_[i].keys[way]).load(std::memory_order_acquire) == entry.hash) {
        entries.push_back(entry);
      }
    }
  }
  return entries;
}

void RateTable::put(const Entry& entry) {
  Set& set = sets_[entry.hash & mask_];
  for (int way = 0; way < ways; ++way) {
    if (set.times[way] != 0) continue;
    set.keys[way] = entry.hash;
    set.times[way] = entry.time;
    return;
  }
}

RateTable::Verdict RateTable::ask(std::uint64_t hash, const Rate& rate, io::Instant instant) {
  constexpr int attempts_max = 8;  // a place is lost to others so often only where the table is far too small
  const std::int64_t now = std::chrono::duration_cast<io::Duration>(instant.time_since_epoch()).count();
  Set& set = sets_[hash & mask_];
  Verdict verdict;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    Place place;
    if (!find_or_take(set, hash, now, place)) continue;
    verdict.has_displaced = verdict.has_displaced || place.has_displaced;
    std::int64_t wait = 0;
    const Charge charged = charge(set, place.way, hash, rate, now, wait);
    if (charged == Charge::Gone) continue;
    // A newcomer is never refused for the debt that stood in the place it took.
    verdict.admitted = charged == Charge::Admitted || place.has_displaced;
    if (!verdict.admitted) verdict.wait = io::Duration(wait);
    return verdict;
  }
  return verdict;
}

}  // namespace ballast::traffic
