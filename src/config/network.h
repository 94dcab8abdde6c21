// Network: addresses with the same first bits. A value.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace ballast::config {

// An IPv4 or IPv6 network in CIDR form; v4 is kept as v4-mapped v6 (prefix + 96).
struct Network {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t prefix_bits = 128;
  std::string to_string() const;
  friend bool operator==(const Network&, const Network&) = default;
};

}  // namespace ballast::config
