#include <array>

#include "wire/proxy_protocol/header.h"

namespace ballast::proxy_protocol {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  constexpr std::uint32_t polynomial = 0x82F63B78;  // reflected
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1U) != 0 ? (value >> 1U) ^ polynomial : value >> 1U;
    table[i] = value;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> table = make_table();

}  // namespace

std::uint32_t crc32c(Bytes bytes, std::uint32_t before) {
  std::uint32_t value = ~before;
  for (const char byte : bytes) value = table[(value ^ static_cast<std::uint8_t>(byte)) & 0xFFU] ^ (value >> 8U);
  return ~value;
}

}  // namespace ballast::proxy_protocol
