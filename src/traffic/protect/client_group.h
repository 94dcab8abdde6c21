// Which clients count as one: an IPv4 address alone, the addresses of IPv6 that share a prefix together, since each
// customer has a whole network of them. Pure functions.
#pragma once

#include <algorithm>
#include <cstdint>

#include "traffic/protect/network_set.h"

namespace ballast::traffic {

inline bool is_ipv4(const AddressBytes& address) {
  constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(mapped, mapped + sizeof mapped, address.begin());
}

inline AddressBytes client_group(AddressBytes address, int ipv6_prefix) {
  if (is_ipv4(address)) return address;
  for (int bit = ipv6_prefix; bit < 128;) {
    auto& byte = address[static_cast<std::size_t>(bit / 8)];
    byte = static_cast<std::uint8_t>(byte & ~(0xffU >> static_cast<unsigned>(bit % 8)));
    bit += 8 - bit % 8;
  }
  return address;
}

}  // namespace ballast::traffic
