// MaglevTable: a consistent-hashing lookup table with weights; one load a lookup, and little moves when a candidate
// goes.
//
// Source: Eisenbud and others, "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, 3.4. What a
// candidate gets depends on its identity and weight alone, never on its place in the list. Built once by the control
// thread for each Plan; immutable, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ballast::traffic {

class MaglevTable {
 public:
  struct Entry {
    std::uint64_t identity = 0;  // stable over restarts: the hash of the target's address
    double weight = 1;           // above zero
  };

  MaglevTable() = default;
  static MaglevTable build(std::span<const Entry> entries);

  // Index into the entries the table was built from; only for a table of at least one.
  std::uint32_t at(std::uint64_t hash) const {
    return table_[static_cast<std::size_t>((static_cast<unsigned __int128>(hash) * table_.size()) >> 64)];
  }
  std::size_t size() const { return table_.size(); }
  std::span<const std::uint32_t> table() const { return table_; }

 private:
  std::vector<std::uint32_t> table_;
};

}  // namespace ballast::traffic
