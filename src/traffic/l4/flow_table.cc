#include "traffic/l4/flow_table.h"

#include <cstring>

#include "base/check.h"
#include "traffic/balance/hash.h"

namespace ballast::traffic {

FlowTable::FlowTable(std::uint64_t secret) : flows_(0, Hash{secret}), clients_(0, Hash{scramble(secret)}) {}

// Each word is mixed with what came before under the secret, so that no difference of two keys is known to cancel out.
std::size_t FlowTable::Hash::operator()(const FlowKey& key) const {
  std::uint64_t near[2];
  std::memcpy(near, key.near.data(), sizeof near);
  const std::uint64_t ports = static_cast<std::uint64_t>(key.client.port) << 16 | key.port;
  std::uint64_t state = scramble((*this)(key.client.bytes) ^ ports ^ secret);
  state = scramble(state ^ near[0]) + secret;
  return scramble(state ^ near[1]);
}

std::size_t FlowTable::Hash::operator()(const Address& address) const {
  std::uint64_t words[2];
  std::memcpy(words, address.data(), sizeof words);
  const std::uint64_t state = scramble(words[0] ^ secret) + secret;
  return scramble(state ^ words[1]);
}

template <FlowEntry::Links FlowEntry::* links>
void FlowTable::append(List& list, FlowEntry& entry) {
  (entry.*links) = {.previous = list.last, .next = nullptr};
  (list.last != nullptr ? (list.last->*links).next : list.first) = &entry;
  list.last = &entry;
  ++list.size;
}

template <FlowEntry::Links FlowEntry::* links>
void FlowTable::take_out(List& list, FlowEntry& entry) {
  FlowEntry::Links& own = entry.*links;
  (own.previous != nullptr ? (own.previous->*links).next : list.first) = own.next;
  (own.next != nullptr ? (own.next->*links).previous : list.last) = own.previous;
  own = {};
  --list.size;
}

FlowEntry* FlowTable::find(const FlowKey& key) const {
  const auto found = flows_.find(key);
  return found != flows_.end() ? found->second : nullptr;
}

std::size_t FlowTable::size_of(const io::Peer& client) const {
  const auto found = clients_.find(client.bytes);
  return found != clients_.end() ? found->second.size : 0;
}

FlowTable::Room FlowTable::room_for(const FlowKey& key, FlowBounds bounds) const {
  const auto client = clients_.find(key.client.bytes);
  if (client != clients_.end() && client->second.size >= bounds.per_client) return {true, client->second.first};
  if (size() < bounds.flows) return {true, nullptr};
  if (young_.first == nullptr) return {false, nullptr};
  return {true, young_.first};
}

void FlowTable::add(FlowEntry& entry) {
  CHECK(flows_.emplace(entry.key_, &entry).second);
  append<&FlowEntry::of_client_>(clients_[entry.key_.client.bytes], entry);
  if (entry.young_) append<&FlowEntry::of_age_>(young_, entry);
}

void FlowTable::remove(FlowEntry& entry) {
  CHECK(flows_.erase(entry.key_) == 1);
  const auto client = clients_.find(entry.key_.client.bytes);
  take_out<&FlowEntry::of_client_>(client->second, entry);
  if (client->second.size == 0) clients_.erase(client);
  if (entry.young_) take_out<&FlowEntry::of_age_>(young_, entry);
}

void FlowTable::touch(FlowEntry& entry) {
  List& client = clients_.find(entry.key_.client.bytes)->second;
  if (client.last != &entry) {
    take_out<&FlowEntry::of_client_>(client, entry);
    append<&FlowEntry::of_client_>(client, entry);
  }
  if (!entry.young_ || young_.last == &entry) return;
  take_out<&FlowEntry::of_age_>(young_, entry);
  append<&FlowEntry::of_age_>(young_, entry);
}

void FlowTable::grow_old(FlowEntry& entry) {
  if (!entry.young_) return;
  take_out<&FlowEntry::of_age_>(young_, entry);
  entry.young_ = false;
}

}  // namespace ballast::traffic
