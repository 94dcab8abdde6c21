#include <algorithm>
#include <charconv>

#include "io/address.h"
#include "wire/proxy_protocol/header.h"
#include "wire/proxy_protocol/tlv.h"

namespace ballast::proxy_protocol {
namespace {

constexpr Bytes line_start = "PROXY ";

Outcome failed(Defect defect) {
  return {Progress::Failed, defect};
}
constexpr Outcome complete{Progress::Complete, Defect::None};

bool begins_alike(Bytes bytes, Bytes wanted) {
  const std::size_t size = std::min(bytes.size(), wanted.size());
  return bytes.substr(0, size) == wanted.substr(0, size);
}

// Version 1

// A whole number without sign or leading zeros.
std::optional<std::uint16_t> port_of(Bytes text) {
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  if (text.empty() || !whole || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return port;
}

struct Place {
  Bytes address;
  Bytes port;
};

bool read_endpoint(const Place& place, int family, Endpoint& endpoint) {
  constexpr std::size_t address_bytes_max = 45;  // INET6_ADDRSTRLEN without its end
  const auto port = port_of(place.port);
  if (!port.has_value() || place.address.size() > address_bytes_max) return false;
  const auto address = io::SocketAddress::numeric(place.address, *port);
  if (!address || address->family() != family) return false;
  endpoint = {address->bytes(), *port};
  return true;
}

// What stands up to the next space, which is taken too; none where there is no space.
std::optional<Bytes> word(Bytes& rest) {
  const std::size_t space = rest.find(' ');
  if (space == Bytes::npos || space == 0) return std::nullopt;
  const Bytes found = rest.substr(0, space);
  rest.remove_prefix(space + 1);
  return found;
}

bool read_line(Bytes line, Header& header) {
  Bytes rest = line.substr(line_start.size());
  // Whatever follows is for the sender to know.
  if (rest == "UNKNOWN" || rest.starts_with("UNKNOWN ")) {
    header.origin = Origin::Unknown;
    return true;
  }
  const auto family = word(rest);
  if (family != "TCP4" && family != "TCP6") return false;
  const auto source = word(rest);
  const auto destination = word(rest);
  const auto source_port = word(rest);
  if (!source || !destination || !source_port) return false;
  const int number = family == "TCP4" ? AF_INET : AF_INET6;
  header.origin = Origin::Told;
  return read_endpoint({*source, *source_port}, number, header.source) &&
         read_endpoint({*destination, rest}, number, header.destination);
}

Outcome parse_line(Bytes bytes, Header& header) {
  const Bytes looked_at = bytes.substr(0, line_bytes_max);
  const auto is_odd = [](char c) { return c < 0x20 || c > 0x7E; };
  const auto odd = std::find_if(looked_at.begin(), looked_at.end(), is_odd);
  const auto end = static_cast<std::size_t>(odd - looked_at.begin());
  if (odd == looked_at.end()) {
    return bytes.size() >= line_bytes_max ? failed(Defect::LineTooLong) : Outcome{};
  }
  if (*odd != '\r') return failed(Defect::BadLine);
  if (end + 1 == line_bytes_max) return failed(Defect::LineTooLong);
  if (end + 1 == looked_at.size()) return {};
  if (looked_at[end + 1] != '\n') return failed(Defect::BadLine);
  header.version = Version::V1;
  header.size = end + 2;
  return read_line(looked_at.substr(0, end), header) ? complete : failed(Defect::BadLine);
}

// Version 2

// Takes one TLV off the front; false where it is longer than what is left.
struct Tlv {
  std::uint8_t type = 0;
  Bytes value;
};
bool take_tlv(Bytes& rest, Tlv& tlv) {
  constexpr std::size_t head_bytes = 3;
  if (rest.size() < head_bytes) return false;
  const std::size_t size = read_u16(rest.substr(1));
  if (rest.size() - head_bytes < size) return false;
  tlv = {static_cast<std::uint8_t>(rest[0]), rest.substr(head_bytes, size)};
  rest.remove_prefix(head_bytes + size);
  return true;
}

// A field of text that may come once.
Defect set_once(Bytes& field, Bytes value) {
  if (field.data() != nullptr) return Defect::RepeatedField;
  field = value;
  return Defect::None;
}

Defect read_ssl(Bytes value, Header& header) {
  constexpr std::size_t head_bytes = 5;
  if (header.ssl.has_value()) return Defect::RepeatedField;
  if (value.size() < head_bytes) return Defect::BadField;
  const auto client = static_cast<std::uint8_t>(value[0]);
  Ssl& ssl = header.ssl.emplace();
  ssl.over_tls = (client & 1U) != 0;
  ssl.certificate_on_connection = (client & 2U) != 0;
  ssl.certificate_on_session = (client & 4U) != 0;
  ssl.verified = (client & 6U) != 0 && read_u32(value.substr(1)) == 0;
  Bytes rest = value.substr(head_bytes);
  Tlv tlv;
  while (!rest.empty()) {
    if (!take_tlv(rest, tlv)) return Defect::BadField;
    Defect defect = Defect::None;
    if (tlv.type == static_cast<std::uint8_t>(Type::SslVersion)) defect = set_once(ssl.version, tlv.value);
    if (tlv.type == static_cast<std::uint8_t>(Type::SslCommonName)) defect = set_once(ssl.common_name, tlv.value);
    if (tlv.type == static_cast<std::uint8_t>(Type::SslCipher)) defect = set_once(ssl.cipher, tlv.value);
    if (defect != Defect::None) return defect;
  }
  return Defect::None;
}

bool checksum_is_right(Bytes whole, Bytes value) {
  const auto at = static_cast<std::size_t>(value.data() - whole.data());
  constexpr Bytes zeros("\0\0\0\0", 4);
  const std::uint32_t got = crc32c(whole.substr(at + value.size()), crc32c(zeros, crc32c(whole.substr(0, at))));
  return got == read_u32(value);
}

// `whole` is the header, `rest` what stands behind its addresses.
Defect read_tlvs(Bytes whole, Bytes rest, Header& header) {
  Bytes checksum;
  Tlv tlv;
  while (!rest.empty()) {
    if (!take_tlv(rest, tlv)) return Defect::BadField;
    Defect defect = Defect::None;
    switch (static_cast<Type>(tlv.type)) {
      case Type::Alpn:
        defect = set_once(header.alpn, tlv.value);
        break;
      case Type::Authority:
        defect = set_once(header.authority, tlv.value);
        break;
      case Type::UniqueId:
        defect = tlv.value.size() > unique_id_bytes_max ? Defect::BadField : set_once(header.unique_id, tlv.value);
        break;
      case Type::Crc32c:
        defect = tlv.value.size() != 4 ? Defect::BadField : set_once(checksum, tlv.value);
        break;
      case Type::Ssl:
        defect = read_ssl(tlv.value, header);
        break;
      default:
        break;  // unknown ones, and those that only fill, are to be passed over
    }
    if (defect != Defect::None) return defect;
  }
  if (!checksum.empty() && !checksum_is_right(whole, checksum)) return Defect::BadChecksum;
  return Defect::None;
}

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Endpoint endpoint(Bytes address, std::uint16_t port) {
  Endpoint result;
  result.port = port;
  std::copy(mapped_prefix.begin(), mapped_prefix.end(), result.bytes.begin());
  std::copy(address.begin(), address.end(), result.bytes.end() - static_cast<std::ptrdiff_t>(address.size()));
  return result;
}

// How many bytes both addresses have; none for a family that must not be sent.
std::optional<std::size_t> addresses_bytes(Family family) {
  switch (family) {
    case Family::Unspecified:
      return 0;
    case Family::Tcp4:
    case Family::Udp4:
      return 2 * (4 + 2);
    case Family::Tcp6:
    case Family::Udp6:
      return 2 * (16 + 2);
    case Family::UnixStream:
    case Family::UnixDatagram:
      return 2 * 108;
  }
  return std::nullopt;
}

void read_addresses(Bytes block, Family family, Header& header) {
  const bool datagram = family == Family::Udp4 || family == Family::Udp6 || family == Family::UnixDatagram;
  header.transport = datagram ? Transport::Datagram : Transport::Stream;
  if (block.empty() || block.size() == 2 * 108) return;
  const std::size_t size = (block.size() - 4) / 2;
  header.origin = Origin::Told;
  header.source = endpoint(block.substr(0, size), read_u16(block.substr(2 * size)));
  header.destination = endpoint(block.substr(size, size), read_u16(block.substr(2 * size + 2)));
}

Outcome parse_binary(Bytes bytes, Header& header) {
  if (bytes.size() > 12 && (static_cast<std::uint8_t>(bytes[12]) & 0xFEU) != 0x20) return failed(Defect::BadVersion);
  if (bytes.size() < fixed_bytes) return {};
  const bool local = (static_cast<std::uint8_t>(bytes[12]) & 1U) == 0;
  const auto family = static_cast<Family>(bytes[13]);
  const auto needed = addresses_bytes(family);
  const std::size_t length = read_u16(bytes.substr(14));
  if (!local && !needed.has_value()) return failed(Defect::BadFamily);
  if (!local && length < *needed) return failed(Defect::BadLength);
  if (fixed_bytes + length > header_bytes_max) return failed(Defect::TooLarge);
  if (bytes.size() < fixed_bytes + length) return {};
  header.version = Version::V2;
  header.size = fixed_bytes + length;
  header.origin = local ? Origin::Local : Origin::Unknown;
  if (local) return complete;
  const Bytes whole = bytes.substr(0, header.size);
  read_addresses(whole.substr(fixed_bytes, *needed), family, header);
  const Defect defect = read_tlvs(whole, whole.substr(fixed_bytes + *needed), header);
  return defect == Defect::None ? complete : failed(defect);
}

}  // namespace

bool Endpoint::is_v4() const {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
}

Outcome parse(Bytes bytes, Header& header) {
  header = {};
  if (bytes.empty()) return {};
  if (begins_alike(bytes, line_start)) return bytes.size() < line_start.size() ? Outcome{} : parse_line(bytes, header);
  if (begins_alike(bytes, signature)) return bytes.size() < signature.size() ? Outcome{} : parse_binary(bytes, header);
  return failed(Defect::NotProxy);
}

std::string_view to_string(Defect defect) {
  switch (defect) {
    case Defect::None:
      return "";
    case Defect::NotProxy:
      return "not_proxy";
    case Defect::LineTooLong:
      return "line_too_long";
    case Defect::BadLine:
      return "bad_line";
    case Defect::BadVersion:
      return "bad_version";
    case Defect::BadFamily:
      return "bad_family";
    case Defect::BadLength:
      return "bad_length";
    case Defect::TooLarge:
      return "too_large";
    case Defect::BadField:
      return "bad_field";
    case Defect::RepeatedField:
      return "repeated_field";
    case Defect::BadChecksum:
      return "bad_checksum";
  }
  return "";
}

}  // namespace ballast::proxy_protocol
