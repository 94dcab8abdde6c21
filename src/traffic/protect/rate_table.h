// RateTable: how much each key has used up of one rate, for all workers together and without a lock.
//
// A bucket is one number, the time at which it will be full again (GCRA: the theoretical arrival time). A request moves
// it on by `interval`, the time that one takes to come back, and is refused where that would lie further ahead than a
// whole burst. A bucket whose time is past carries no state at all: its place is free.
//
// The table has a fixed number of sets of eight places; a key has its set and its place by a keyed hash (sip_hash.h),
// which is also all that is kept of it. Where all eight are in use by others, the one that is full again soonest makes
// room, and the newcomer begins afresh: who is limited longest is kept longest, and no client pays for others.
//
// Two words cannot be changed at once. What a race can cost:
//   - The time is only ever changed by compare-and-swap: of one bucket no request is lost or counted twice.
//   - A place that is free is taken over by its key alone. Who was just about to charge it for the key it had notices
//     that, and charges another place; the newcomer has paid for one request that was not its own, and is refused one
//     early at most.
//   - A place in use is taken over by its key, then its time is reset unless it has been changed meanwhile. In between
//     a second request of the newcomer, on another worker, is judged by the debt of its predecessor and may be refused.
//   - A charge that is made and checked just before its place is taken over is forgotten with it: one request each.
//   - Two workers may take two places for the same new key in the same moment, where the one sees a place as free that
//     the other does not yet. Each then admits one request; afterwards all of them find the first one.
// In each case it is one request, of a client that came in the same moment on another worker, and for a whole bucket at
// most as many as there are workers. A limit of a hundred does not become a hundred and ten by it.
//
// Any thread. Clocks of callers may differ by some milliseconds: a clock behind the others refuses that much longer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/deadline.h"

namespace ballast::traffic {

struct Rate {
  io::Duration interval{};   // in which one request comes back
  io::Duration tolerance{};  // how far ahead a bucket may be: (burst - 1) intervals

  struct Of {
    std::uint32_t requests = 1;
    io::Duration per{};
    std::uint32_t burst = 1;
  };
  static Rate of(const Of& what);
};

class RateTable {
 public:
  // At least so many places, in whole sets; memory that is not used yet is not taken from the machine.
  explicit RateTable(std::size_t keys);
  ~RateTable();
  RateTable(const RateTable&) = delete;

  struct Verdict {
    bool admitted = true;
    io::Duration wait{};         // refused: until one would be admitted
    bool has_displaced = false;  // another key that was in use was forgotten
  };
  Verdict ask(std::uint64_t hash, const Rate& rate, io::Instant now);

  // A key that is not free now, for another process's table. Beside workers that ask: each entry is one that was true.
  struct Entry {
    std::uint64_t hash = 0;
    std::int64_t time = 0;  // nanoseconds of the monotonic clock
  };
  std::vector<Entry> in_use(io::Instant now) const;
  // Before anybody asks. Where its set is full it is left out.
  void put(const Entry& entry);
  std::size_t places() const { return (mask_ + 1) * ways; }

 private:
  static constexpr int ways = 8;
  // Two cache lines: the keys of a set are looked through in one.
  struct alignas(128) Set {
    std::uint64_t keys[ways];
    std::int64_t times[ways];  // nanoseconds of the monotonic clock; past: free
  };
  struct Place {
    int way = 0;
    bool has_displaced = false;
  };
  static bool find_or_take(Set& set, std::uint64_t hash, std::int64_t now, Place& place);
  enum class Charge : std::uint8_t { Admitted, Refused, Gone };
  static Charge charge(Set& set, int way, std::uint64_t hash, const Rate& rate, std::int64_t now, std::int64_t& wait);

  std::size_t mask_ = 0;  // of sets
  Set* sets_ = nullptr;
};

}  // namespace ballast::traffic
