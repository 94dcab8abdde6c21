#include "traffic/protect/address_count.h"

#include <algorithm>
#include <bit>

#include "traffic/protect/client_group.h"

namespace ballast::traffic {
namespace {

constexpr unsigned count_bits = 24;  // a limit is a million at most
constexpr std::uint64_t count_mask = (std::uint64_t{1} << count_bits) - 1;
constexpr int ipv6_prefix = 64;
// 32 MiB; a listener with more than a million connections has fewer than four words for each.
constexpr std::size_t words_max = std::size_t{1} << 22U;

}  // namespace

AddressCounts::AddressCounts(std::size_t connections)
    : sets_(std::bit_ceil(std::clamp<std::size_t>(connections * 4, 64, words_max)) / ways) {}

AddressCounts::Key AddressCounts::key_of(const AddressBytes& address) const {
  const AddressBytes group = client_group(address, ipv6_prefix);
  const std::uint64_t hash = sip_hash(secret_, {reinterpret_cast<const char*>(group.data()), group.size()});
  return {.set = hash & (sets_.size() - 1), .fingerprint = hash & ~count_mask};
}

bool AddressCounts::enter(const AddressBytes& address, std::uint32_t limit, AddressHold& hold) {
  const Key key = key_of(address);
  Set& set = sets_[key.set];
  while (true) {
    std::uint64_t count = 0;
    std::atomic<std::uint64_t>* mine = nullptr;
    std::atomic<std::uint64_t>* free = nullptr;
    std::uint64_t seen_mine = 0;
    std::uint64_t seen_free = 0;
    for (std::atomic<std::uint64_t>& word : set.words) {
      const std::uint64_t seen = word.load(std::memory_order_acquire);
      if ((seen & count_mask) == 0) {
        if (free == nullptr) {
          free = &word;
          seen_free = seen;
        }
        continue;
      }
      if ((seen & ~count_mask) != key.fingerprint) continue;
      count += seen & count_mask;
      if (mine == nullptr) {
        mine = &word;
        seen_mine = seen;
      }
    }
    std::atomic<std::uint64_t>* taken = mine != nullptr ? mine : free;
    if (count >= limit) return false;
    if (taken == nullptr) {
      uncounted_.fetch_add(1, std::memory_order_relaxed);
      return true;
    }
    std::uint64_t before = mine != nullptr ? seen_mine : seen_free;
    const std::uint64_t after = (mine != nullptr ? seen_mine : key.fingerprint) + 1;
    if (!taken->compare_exchange_strong(before, after, std::memory_order_acq_rel)) continue;
    hold.held_.reset(new AddressHold::Held(shared_from_this(), *taken));
    return true;
  }
}

std::uint32_t AddressCounts::count(const AddressBytes& address) const {
  const Key key = key_of(address);
  std::uint64_t count = 0;
  for (const std::atomic<std::uint64_t>& word : sets_[key.set].words) {
    const std::uint64_t seen = word.load(std::memory_order_acquire);
    if ((seen & ~count_mask) == key.fingerprint) count += seen & count_mask;
  }
  return static_cast<std::uint32_t>(count);
}

}  // namespace ballast::traffic
