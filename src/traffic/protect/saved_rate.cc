#include "traffic/protect/saved_rate.h"

#include <cstring>

#include <fmt/format.h>

namespace ballast::traffic {
namespace {

// As RateShare::holds_for().
std::string meaning_of(const config::RateLimit& limit) {
  return fmt::format("{} in {} ms, burst {}, key {} {}, ipv6 {}, {} keys", limit.requests, limit.per.count(),
                     limit.burst, static_cast<int>(limit.key.kind), limit.key.name, limit.ipv6_prefix, limit.keys);
}

}  // namespace

SavedRate save(const RateShare& share, SavedKeys keys, io::Instant now) {
  SavedRate saved{.place = share.place, .meaning = meaning_of(share.settings), .secret = share.secret};
  for (const RateCell& cell : share.cells) {
    saved.admitted += cell.admitted.get();
    saved.limited += cell.limited.get();
    saved.reported += cell.reported.get();
    saved.displaced += cell.displaced.get();
  }
  if (keys == SavedKeys::LeftOut) return saved;
  const std::vector<RateTable::Entry> entries = share.table.in_use(now);
  saved.keys.resize(entries.size() * sizeof(RateTable::Entry));
  if (!entries.empty()) std::memcpy(saved.keys.data(), entries.data(), saved.keys.size());
  return saved;
}

std::shared_ptr<RateShare> restore(const SavedRate& saved, const config::RateLimit& limit, int workers) {
  if (saved.meaning != meaning_of(limit)) return nullptr;
  // Without its keys a fresh secret is as good.
  const SipKey secret = saved.keys.empty() ? SipKey::random() : saved.secret;
  auto share = std::make_shared<RateShare>(saved.place, limit, workers, secret);
  RateTable::Entry entry;
  for (std::size_t at = 0; at + sizeof entry <= saved.keys.size(); at += sizeof entry) {
    std::memcpy(&entry, saved.keys.data() + at, sizeof entry);
    share->table.put(entry);
  }
  // Nobody counts yet.
  RateCell& cell = share->cells.front();
  cell.admitted.add(saved.admitted);
  cell.limited.add(saved.limited);
  cell.reported.add(saved.reported);
  cell.displaced.add(saved.displaced);
  return share;
}

}  // namespace ballast::traffic
