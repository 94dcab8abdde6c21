// FlowTable: the flows of one udp listener at one worker, found by who sends to which of our addresses, and who has to
// go when there is no room.
//
// A flow is young until its client has sent again after an answer: only then is it sure that somebody is at that
// address. Like the kernel's connection tracking, the table makes room by dropping the young flow that has rested
// longest, never an old one: a flood from invented addresses costs nobody a flow that works. One client address has a
// bound of its own, at which its own longest resting flow goes, whatever its age: most of those are questions already
// answered, each from another port.
//
// Entries are intrusive and belong to the caller, who removes one before it goes. Pure, no clock: order is the order of
// touch(). Worker's thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "io/address.h"

namespace ballast::traffic {

struct FlowKey {
  io::Peer client;
  std::array<std::uint8_t, 16> near = {};  // of a listener on all addresses, the one the client asked; else zero
  std::uint16_t port = 0;                  // the listener's, of a range
  friend bool operator==(const FlowKey& a, const FlowKey& b) {
    return a.client.port == b.client.port && a.port == b.port && a.client.bytes == b.client.bytes && a.near == b.near;
  }
};

class FlowTable;

// Base of what is kept of a flow.
class FlowEntry {
 public:
  explicit FlowEntry(const FlowKey& key) : key_(key) {}
  FlowEntry(const FlowEntry&) = delete;
  const FlowKey& key() const { return key_; }
  bool is_young() const { return young_; }
  struct Links {
    FlowEntry* previous = nullptr;
    FlowEntry* next = nullptr;
  };

 protected:
  ~FlowEntry() = default;

 private:
  friend class FlowTable;
  const FlowKey key_;
  Links of_client_;
  Links of_age_;  // among the young
  bool young_ = true;
};

struct FlowBounds {
  std::size_t flows = 0;
  std::size_t per_client = 0;
};

class FlowTable {
 public:
  // `secret` keeps clients from choosing ports and addresses that collide.
  explicit FlowTable(std::uint64_t secret);
  FlowTable(const FlowTable&) = delete;

  FlowEntry* find(const FlowKey& key) const;
  // Whether one more flow of that client may come, and which has to go first; the caller removes that one.
  struct Room {
    bool is_there = false;
    FlowEntry* leaves = nullptr;
  };
  Room room_for(const FlowKey& key, FlowBounds bounds) const;
  void add(FlowEntry& entry);
  void remove(FlowEntry& entry);
  // Something passed: it has rested least now.
  void touch(FlowEntry& entry);
  // Its client is known to be there.
  void grow_old(FlowEntry& entry);

  std::size_t size() const { return flows_.size(); }
  std::size_t size_of(const io::Peer& client) const;
  // Any of them, to end them one after another; nullptr when there is none.
  FlowEntry* any() const { return flows_.empty() ? nullptr : flows_.begin()->second; }
  template <typename Visit>
  void for_each(const Visit& visit) const {
    for (const auto& [key, entry] : flows_) visit(*entry);
  }

 private:
  using Address = std::array<std::uint8_t, 16>;
  struct Hash {
    std::uint64_t secret;
    std::size_t operator()(const FlowKey& key) const;
    std::size_t operator()(const Address& address) const;
  };
  // Longest rested first.
  struct List {
    FlowEntry* first = nullptr;
    FlowEntry* last = nullptr;
    std::size_t size = 0;
  };
  template <FlowEntry::Links FlowEntry::* links>
  static void append(List& list, FlowEntry& entry);
  template <FlowEntry::Links FlowEntry::* links>
  static void take_out(List& list, FlowEntry& entry);

  std::unordered_map<FlowKey, FlowEntry*, Hash> flows_;
  std::unordered_map<Address, List, Hash> clients_;
  List young_;
};

}  // namespace ballast::traffic
