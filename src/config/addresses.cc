// The half of units.h that knows addresses: RFC 4291 and RFC 5952 for IPv6, RFC 4632 for networks.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "config/units.h"
#include "config/words.h"

namespace ballast::config {
namespace {

using V4 = std::array<std::uint8_t, 4>;
using V6 = std::array<std::uint8_t, 16>;

constexpr V6 v4_mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

// A whole number without sign or leading zeros, at most `most`.
std::optional<unsigned> number(std::string_view text, unsigned most) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

std::optional<V4> parse_v4(std::string_view text) {
  V4 bytes{};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i == 3)) return std::nullopt;
    const auto value = number(text.substr(0, dot), 255);
    if (!value) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(*value);
    text.remove_prefix(i == 3 ? text.size() : dot + 1);
  }
  return bytes;
}

// The groups of one side of "::", at most eight; the last may be an IPv4 address.
std::optional<std::vector<std::uint8_t>> parse_groups(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  if (text.empty()) return bytes;
  for (;;) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (colon == std::string_view::npos && group.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(group);
      if (!v4) return std::nullopt;
      bytes.insert(bytes.end(), v4->begin(), v4->end());
    } else {
      unsigned value = 0;
      const auto parsed = std::from_chars(group.data(), group.data() + group.size(), value, 16);
      if (group.empty() || group.size() > 4 || parsed.ec != std::errc() || parsed.ptr != group.data() + group.size()) {
        return std::nullopt;
      }
      bytes.push_back(static_cast<std::uint8_t>(value >> 8));
      bytes.push_back(static_cast<std::uint8_t>(value & 0xFF));
    }
    if (bytes.size() > 16) return std::nullopt;
    if (colon == std::string_view::npos) return bytes;
    text.remove_prefix(colon + 1);
  }
}

std::optional<V6> parse_v6(std::string_view text) {
  const std::size_t gap = text.find("::");
  const auto front = parse_groups(text.substr(0, gap));
  if (!front) return std::nullopt;
  V6 bytes{};
  std::copy(front->begin(), front->end(), bytes.begin());
  if (gap == std::string_view::npos) return front->size() == 16 ? std::optional(bytes) : std::nullopt;
  const auto back = parse_groups(text.substr(gap + 2));
  if (!back || front->size() + back->size() > 14) return std::nullopt;
  std::copy_backward(back->begin(), back->end(), bytes.end());
  return bytes;
}

std::string show_v6(const V6& bytes) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = static_cast<unsigned>(bytes[2 * i]) << 8 | bytes[2 * i + 1];
  std::size_t gap = 8;
  std::size_t gap_length = 1;  // a single zero group is written out
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > gap_length) {
      gap = i;
      gap_length = end - i;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < 8;) {
    if (i == gap) {
      text += "::";
      i += gap_length;
    } else {
      if (!text.empty() && text.back() != ':') text += ':';
      text += fmt::format("{:x}", groups[i++]);
    }
  }
  return text;
}

bool is_v4_mapped(const V6& bytes) {
  return std::equal(bytes.begin(), bytes.begin() + 12, v4_mapped_prefix.begin());
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// A name of RFC 1123 (with underscores, which container networks use), or an IPv4 address.
Result<> check_host(std::string_view host, std::string_view whole) {
  if (host.find_first_not_of("0123456789.") == std::string_view::npos) {
    if (parse_v4(host)) return {};
    return fail(Code::Invalid, fmt::format("{}: {} is not an IPv4 address", quote(whole), quote(host)));
  }
  std::size_t label = 0;
  for (std::size_t i = 0; i <= host.size(); ++i) {
    if (i == host.size() || host[i] == '.') {
      if (label == 0 && !(i == host.size() && i > 0)) break;  // one dot at the end is allowed
      label = 0;
      if (i == host.size() && host.size() <= 253) return {};
    } else if (!is_host_character(host[i]) || ++label > 63) {
      break;
    }
  }
  return fail(Code::Invalid, fmt::format("{}: {} is not a host name", quote(whole), quote(host)));
}

Result<Address> parse_unix(std::string_view text) {
  constexpr std::size_t path_bytes_max = 107;  // sockaddr_un
  const std::string_view path = text.substr(5);
  if (path.empty() || path[0] != '/') {
    return fail(Code::Invalid,
                fmt::format("{}: a Unix socket needs an absolute path: unix:/run/app.sock", quote(text)));
  }
  if (path.size() > path_bytes_max || path.find('\0') != std::string_view::npos) {
    return fail(Code::Invalid,
                fmt::format("{}: the path of a Unix socket has at most {} bytes", quote(text), path_bytes_max));
  }
  Address address;
  address.unix_path = path;
  return address;
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text);
  if (text.find("://") != std::string_view::npos) {
    return fail(Code::Invalid, fmt::format("{} is a URL; write host:port", quote(text)));
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return fail(Code::Invalid, fmt::format("{} has no port; write host:port", quote(text)));
  }
  const std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  Address address;
  if (host.starts_with('[')) {
    const auto v6 = host.ends_with(']') ? parse_v6(host.substr(1, host.size() - 2)) : std::nullopt;
    if (!v6)
      return fail(Code::Invalid, fmt::format("{} is not an IPv6 address and port; write [v6]:port", quote(text)));
    address.host = show_v6(*v6);
  } else if (host.find(':') != std::string_view::npos) {
    return fail(Code::Invalid, fmt::format("{}: an IPv6 address stands in brackets: [v6]:port", quote(text)));
  } else if (host == "*") {
    return fail(Code::Invalid, fmt::format("{}: write \":{}\" for every address", quote(text), crop(port_text)));
  } else if (!host.empty()) {
    if (auto checked = check_host(host, text); !checked) return fail(checked.error());
    address.host = host;
  }
  const auto port = number(port_text, 65535);
  if (!port) {
    return fail(Code::Invalid, fmt::format("{}: {} is not a port from 0 to 65535", quote(text), quote(port_text)));
  }
  address.port = static_cast<std::uint16_t>(*port);
  return address;
}

Result<Address> parse_listen_address(std::string_view text) {
  // Each port is a socket, and a watch of it in every worker.
  constexpr int ports_max = 4096;
  const std::size_t colon = text.rfind(':');
  const std::size_t dash = text.rfind('-');
  const bool is_range =
      !text.starts_with("unix:") && colon != std::string_view::npos && dash != std::string_view::npos && dash > colon;
  if (!is_range) return parse_address(text);
  auto address = parse_address(text.substr(0, dash));
  if (!address) return address;
  const auto last = number(text.substr(dash + 1), 65535);
  if (!last || address->port == 0 || *last <= address->port) {
    return fail(Code::Invalid, fmt::format("{}: {} is not a range of ports; write FIRST-LAST, such as 7000-7010",
                                           quote(text), quote(text.substr(colon + 1))));
  }
  address->port_last = static_cast<std::uint16_t>(*last);
  if (address->port_count() > ports_max) {
    return fail(Code::Invalid, fmt::format("{}: {} ports are too many for one listener; at most {}", quote(text),
                                           address->port_count(), ports_max));
  }
  return address;
}

Result<Address> parse_target_address(std::string_view text) {
  const bool bare_v6 = text.starts_with('[') && text.ends_with(']');
  if (!bare_v6 && text.find(':') != std::string_view::npos) return parse_address(text);
  auto address = parse_address(std::string(text) + ":0");
  if (!address) return address;
  address->same_port = true;
  return address;
}

Result<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  Network network;
  unsigned width = 128;
  if (const auto v4 = parse_v4(host)) {
    network.bytes = v4_mapped_prefix;
    std::copy(v4->begin(), v4->end(), network.bytes.begin() + 12);
    width = 32;
  } else if (const auto v6 = parse_v6(host)) {
    network.bytes = *v6;
  } else {
    return fail(Code::Invalid, fmt::format("{} is not a network; write 10.0.0.0/8 or fd00::/8", quote(text)));
  }
  const auto bits = slash == std::string_view::npos ? std::optional(width) : number(text.substr(slash + 1), width);
  if (!bits) {
    return fail(Code::Invalid,
                fmt::format("{}: {} is not a prefix from 0 to {}", quote(text), quote(text.substr(slash + 1)), width));
  }
  network.prefix_bits = static_cast<std::uint8_t>(*bits + (128 - width));
  Network whole = network;
  for (unsigned bit = network.prefix_bits; bit < 128; ++bit) {
    whole.bytes[bit / 8] = static_cast<std::uint8_t>(whole.bytes[bit / 8] & ~(0x80U >> (bit % 8)));
  }
  if (whole != network) {
    return fail(Code::Invalid,
                fmt::format("{} has bits set beyond its prefix; write {}", quote(text), whole.to_string()));
  }
  return network;
}

std::string Network::to_string() const {
  if (prefix_bits >= 96 && is_v4_mapped(bytes)) {
    return fmt::format("{}.{}.{}.{}/{}", bytes[12], bytes[13], bytes[14], bytes[15], prefix_bits - 96);
  }
  return fmt::format("{}/{}", show_v6(bytes), prefix_bits);
}

}  // namespace ballast::config
