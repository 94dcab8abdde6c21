// AddressCounts: how many connections of a listener each client address has open, for all workers together and without
// a lock. An IPv6 client is its /64.
//
// A table of words, each a fingerprint of an address (40 bits of a keyed hash) and its count: one word, so that both
// change at once. An address has a set of eight words; a word whose count is zero is free for any address. With a set
// full of others a connection is admitted and not counted: the table has four words for each connection that the
// listener may have, so that this happens to nobody but by a chance of one in hundreds of thousands.
//
// AddressHold: one counted connection. It goes along with the connection, from one worker to another too, and counts it
// off where it ends, on any thread. It keeps the table: a listener's limit may have been changed or dropped meanwhile,
// and the listener itself may be gone.
//
// Two connections of an address that had none, at two workers in the same moment, may take two words for it; both are
// counted when they are found, so that the limit may be passed by one for each worker at most.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "traffic/protect/network_set.h"
#include "traffic/protect/sip_hash.h"

namespace ballast::traffic {

class AddressHold;

class AddressCounts : public std::enable_shared_from_this<AddressCounts> {
 public:
  // For so many connections at once.
  explicit AddressCounts(std::size_t connections);

  // False: it has as many as it may; `hold` is left empty. True with an empty hold: it could not be counted.
  bool enter(const AddressBytes& address, std::uint32_t limit, AddressHold& hold);
  // Connections that were not counted because the table had no room.
  std::uint64_t uncounted() const { return uncounted_.load(std::memory_order_relaxed); }
  // Of an address, now.
  std::uint32_t count(const AddressBytes& address) const;

 private:
  friend class AddressHold;
  static constexpr std::size_t ways = 8;
  struct alignas(64) Set {
    std::atomic<std::uint64_t> words[ways];
  };
  struct Key {
    std::size_t set;
    std::uint64_t fingerprint;  // in the upper bits of a word
  };
  Key key_of(const AddressBytes& address) const;

  const SipKey secret_ = SipKey::random();
  std::vector<Set> sets_;
  std::atomic<std::uint64_t> uncounted_ = 0;
};

class AddressHold {
 public:
  AddressHold() = default;
  AddressHold(AddressHold&& other) noexcept = default;
  AddressHold& operator=(AddressHold&& other) noexcept = default;

 private:
  friend class AddressCounts;
  struct Held {
    Held(std::shared_ptr<AddressCounts> of, std::atomic<std::uint64_t>& in) : counts(std::move(of)), word(in) {}
    Held(const Held&) = delete;
    ~Held() { word.fetch_sub(1, std::memory_order_acq_rel); }
    std::shared_ptr<AddressCounts> counts;
    std::atomic<std::uint64_t>& word;
  };
  // Not within: a connection at rest that is not counted has eight bytes for it.
  std::unique_ptr<Held> held_;
};

}  // namespace ballast::traffic
