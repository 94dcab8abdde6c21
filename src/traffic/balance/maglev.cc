#include "traffic/balance/maglev.h"

#include <algorithm>
#include <numeric>

#include "traffic/balance/hash.h"

namespace ballast::traffic {
namespace {

constexpr std::uint32_t unclaimed = 0xffffffffu;

// Primes. Small groups get a table that stays in the first cache level; every size leaves a candidate 100 entries or
// more up to 655 of them, which keeps equal weights within a few percent of each other.
std::uint32_t table_size(std::size_t entries) {
  if (entries <= 64) return 8191;
  if (entries <= 16'384) return 65'537;
  return 655'373;
}

// One candidate's order of preference over the table: start, start + step, start + 2 step, ... modulo its prime size.
struct Preference {
  std::uint32_t next = 0;
  std::uint32_t step = 1;
  double share = 1;   // of the heaviest's weight
  double credit = 0;  // claims earned
};

}  // namespace

MaglevTable MaglevTable::build(std::span<const Entry> entries) {
  MaglevTable built;
  if (entries.empty()) return built;
  const std::uint32_t size = table_size(entries.size());

  // By identity, so that the outcome does not depend on the order of the list.
  std::vector<std::uint32_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return entries[a].identity != entries[b].identity ? entries[a].identity < entries[b].identity : a < b;
  });
  double heaviest = 0;
  for (const Entry& entry : entries) heaviest = std::max(heaviest, entry.weight);
  std::vector<Preference> preferences;
  preferences.reserve(entries.size());
  for (const std::uint32_t i : order) {
    const std::uint64_t identity = entries[i].identity;
    preferences.push_back({
        .next = static_cast<std::uint32_t>(hash_number(HashPurpose::MaglevStart, identity) % size),
        .step = static_cast<std::uint32_t>(hash_number(HashPurpose::MaglevStep, identity) % (size - 1) + 1),
        .share = entries[i].weight / heaviest,
    });
  }

  built.table_.assign(size, unclaimed);
  std::uint32_t left = size;
  // In each round the heaviest claims one entry and the others as many as they have earned; so it ends within `size`
  // rounds.
  while (left != 0) {
    for (std::size_t turn = 0; turn < preferences.size() && left != 0; ++turn) {
      Preference& preference = preferences[turn];
      preference.credit += preference.share;
      if (preference.credit < 1.0) continue;
      preference.credit -= 1.0;
      const auto advance = [&] {
        preference.next += preference.step;
        if (preference.next >= size) preference.next -= size;
      };
      while (built.table_[preference.next] != unclaimed) advance();
      built.table_[preference.next] = order[turn];
      advance();
      --left;
    }
  }
  return built;
}

}  // namespace ballast::traffic
