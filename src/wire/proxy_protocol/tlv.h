// The numbers of version 2, for its parser and its writer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace ballast::proxy_protocol {

inline constexpr Bytes signature{"\r\n\r\n\0\r\nQUIT\n", 12};
inline constexpr std::size_t fixed_bytes = 16;  // signature, version and command, family, length

enum class Family : std::uint8_t {
  Unspecified = 0x00,
  Tcp4 = 0x11,
  Udp4 = 0x12,
  Tcp6 = 0x21,
  Udp6 = 0x22,
  UnixStream = 0x31,
  UnixDatagram = 0x32,
};

enum class Type : std::uint8_t {
  Alpn = 0x01,
  Authority = 0x02,
  Crc32c = 0x03,
  UniqueId = 0x05,
  Ssl = 0x20,
  SslVersion = 0x21,
  SslCommonName = 0x22,
  SslCipher = 0x23,
};

inline std::uint16_t read_u16(Bytes bytes) {
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[0]) << 8 | static_cast<std::uint8_t>(bytes[1]));
}
inline std::uint32_t read_u32(Bytes bytes) {
  return static_cast<std::uint32_t>(read_u16(bytes)) << 16U | read_u16(bytes.substr(2));
}

}  // namespace ballast::proxy_protocol
