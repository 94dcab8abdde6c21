// NetworkSet: networks as sorted ranges that do not overlap, so that thousands of them are asked as fast as one: an
// address is found by halving. Immutable, part of the Plan; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "config/network.h"

namespace ballast::traffic {

using AddressBytes = std::array<std::uint8_t, 16>;  // v4 as v4-mapped v6

class NetworkSet {
 public:
  NetworkSet() = default;
  explicit NetworkSet(std::span<const config::Network> networks);

  bool contains(const AddressBytes& address) const;
  bool empty() const { return ranges_.empty(); }
  std::size_t ranges() const { return ranges_.size(); }

 private:
  using Number = unsigned __int128;
  struct Range {
    Number first;
    Number last;
  };
  static Number number_of(const AddressBytes& address);
  std::vector<Range> ranges_;  // by first; none touches the next
};

}  // namespace ballast::traffic
