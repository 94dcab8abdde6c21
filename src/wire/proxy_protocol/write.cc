#include <fmt/format.h>

#include "base/check.h"
#include "io/address.h"
#include "wire/proxy_protocol/header.h"
#include "wire/proxy_protocol/tlv.h"

namespace ballast::proxy_protocol {
namespace {

std::string host_of(const Endpoint& endpoint) {
  return io::Peer{endpoint.bytes, endpoint.port}.host();
}

void write_line(Buffer& out, const Outgoing& what) {
  // Of two addresses of different kinds the line has no form, and of UDP neither.
  if (!what.source.has_value() || what.source->is_v4() != what.destination.is_v4() ||
      what.transport == Transport::Datagram) {
    out.append(Bytes("PROXY UNKNOWN\r\n"));
    return;
  }
  out.append(
      Bytes(fmt::format("PROXY {} {} {} {} {}\r\n", what.source->is_v4() ? "TCP4" : "TCP6", host_of(*what.source),
                        host_of(what.destination), what.source->port, what.destination.port)));
}

void append_u16(Buffer& out, std::size_t value) {
  out.append(static_cast<char>(value >> 8U));
  out.append(static_cast<char>(value & 0xFFU));
}

void append_address(Buffer& out, const Endpoint& endpoint, std::size_t size) {
  const auto* bytes = reinterpret_cast<const char*>(endpoint.bytes.data());
  out.append(Bytes(bytes + endpoint.bytes.size() - size, size));
}

void append_tlv(Buffer& out, Type type, Bytes value) {
  out.append(static_cast<char>(type));
  append_u16(out, value.size());
  out.append(value);
}

void write_binary(Buffer& out, const Outgoing& what) {
  constexpr char version_and_local = 0x20;
  constexpr char version_and_proxy = 0x21;
  if (!what.source.has_value()) {
    out.append(signature);
    out.append(version_and_local);
    out.append(static_cast<char>(Family::Unspecified));
    append_u16(out, 0);
    return;
  }
  // An IPv4 address beside an IPv6 one is written in its IPv6 form.
  const bool v4 = what.source->is_v4() && what.destination.is_v4();
  const bool datagram = what.transport == Transport::Datagram;
  const Family family = v4 ? (datagram ? Family::Udp4 : Family::Tcp4) : (datagram ? Family::Udp6 : Family::Tcp6);
  const std::size_t address_bytes = v4 ? 4 : 16;
  Buffer body;
  append_address(body, *what.source, address_bytes);
  append_address(body, what.destination, address_bytes);
  append_u16(body, what.source->port);
  append_u16(body, what.destination.port);
  if (!what.authority.empty()) append_tlv(body, Type::Authority, what.authority);
  if (!what.unique_id.empty()) append_tlv(body, Type::UniqueId, what.unique_id);
  append_tlv(body, Type::Crc32c, Bytes("\0\0\0\0", 4));
  CHECK(fixed_bytes + body.size() <= header_bytes_max);

  Buffer header;
  header.append(signature);
  header.append(version_and_proxy);
  header.append(static_cast<char>(family));
  append_u16(header, body.size());
  header.append(body.view());
  const std::uint32_t checksum = crc32c(header.view());
  const Bytes but_checksum = header.view().substr(0, header.size() - 4);
  out.append(but_checksum);
  append_u16(out, checksum >> 16U);
  append_u16(out, checksum & 0xFFFFU);
}

}  // namespace

void write(Buffer& out, Version version, const Outgoing& what) {
  if (version == Version::V1) {
    write_line(out, what);
  } else {
    write_binary(out, what);
  }
}

}  // namespace ballast::proxy_protocol
