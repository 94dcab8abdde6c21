#include "io/address.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>

#include <arpa/inet.h>

#include <fmt/format.h>

namespace ballast::io {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(const std::uint8_t* bytes) {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes);
}

std::string host_of(const std::array<std::uint8_t, 16>& bytes) {
  char text[INET6_ADDRSTRLEN];
  if (is_mapped(bytes.data())) return inet_ntop(AF_INET, bytes.data() + 12, text, sizeof text);
  return inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
}

}  // namespace

Result<SocketAddress> SocketAddress::unix_path(std::string_view path) {
  SocketAddress address;
  if (path.size() >= sizeof address.storage_.local.sun_path) {
    return fail(Code::TooLarge, fmt::format("unix socket path {} is longer than {} bytes", path,
                                            sizeof address.storage_.local.sun_path - 1));
  }
  address.storage_.local.sun_family = AF_UNIX;
  std::memcpy(address.storage_.local.sun_path, path.data(), path.size());
  address.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

Result<SocketAddress> SocketAddress::numeric(std::string_view host, std::uint16_t port) {
  SocketAddress address;
  const std::string text(host);
  if (inet_pton(AF_INET, text.c_str(), &address.storage_.v4.sin_addr) == 1) {
    address.storage_.v4.sin_family = AF_INET;
    address.storage_.v4.sin_port = htons(port);
    address.size_ = sizeof(sockaddr_in);
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), &address.storage_.v6.sin6_addr) == 1) {
    address.storage_.v6.sin6_family = AF_INET6;
    address.storage_.v6.sin6_port = htons(port);
    address.size_ = sizeof(sockaddr_in6);
    return address;
  }
  return fail(Code::NotFound, fmt::format("{} is a name, not a numeric address", host));
}

Result<SocketAddress> SocketAddress::read(std::string_view text) {
  constexpr std::string_view unix_prefix = "unix:";
  if (text.starts_with(unix_prefix)) return unix_path(text.substr(unix_prefix.size()));
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  const std::string_view digits = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) {
    return fail(Code::Invalid, fmt::format("{} is not an address with a port", text));
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return numeric(host, port);
}

SocketAddress SocketAddress::any(std::uint16_t port) {
  SocketAddress address;
  address.storage_.v6.sin6_family = AF_INET6;
  address.storage_.v6.sin6_port = htons(port);
  address.storage_.v6.sin6_addr = in6addr_any;
  address.size_ = sizeof(sockaddr_in6);
  return address;
}

SocketAddress SocketAddress::from_bytes(const std::array<std::uint8_t, 16>& bytes, std::uint16_t port) {
  SocketAddress address;
  if (is_mapped(bytes.data())) {
    address.storage_.v4.sin_family = AF_INET;
    std::memcpy(&address.storage_.v4.sin_addr, bytes.data() + 12, 4);
    address.size_ = sizeof(sockaddr_in);
  } else {
    address.storage_.v6.sin6_family = AF_INET6;
    std::memcpy(&address.storage_.v6.sin6_addr, bytes.data(), 16);
    address.size_ = sizeof(sockaddr_in6);
  }
  address.set_port(port);
  return address;
}

SocketAddress SocketAddress::from_kernel(const sockaddr_storage& storage, socklen_t size) {
  SocketAddress address;
  address.size_ = std::min<socklen_t>(size, sizeof address.storage_);
  std::memcpy(&address.storage_, &storage, address.size_);
  return address;
}

std::uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(storage_.v4.sin_port);
  if (family() == AF_INET6) return ntohs(storage_.v6.sin6_port);
  return 0;
}

void SocketAddress::set_port(std::uint16_t port) {
  if (family() == AF_INET) storage_.v4.sin_port = htons(port);
  if (family() == AF_INET6) storage_.v6.sin6_port = htons(port);
}

std::array<std::uint8_t, 16> SocketAddress::bytes() const {
  std::array<std::uint8_t, 16> bytes{};
  if (family() == AF_INET) {
    std::copy(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
    std::memcpy(bytes.data() + 12, &storage_.v4.sin_addr, 4);
  } else if (family() == AF_INET6) {
    std::memcpy(bytes.data(), &storage_.v6.sin6_addr, 16);
  }
  return bytes;
}

std::string SocketAddress::host() const {
  return is_unix() ? "unix" : host_of(bytes());
}

std::string SocketAddress::path() const {
  if (!is_unix()) return {};
  const char* path = storage_.local.sun_path;
  return {path, strnlen(path, sizeof storage_.local.sun_path)};
}

std::string SocketAddress::to_string() const {
  if (is_unix()) return "unix:" + path();
  const std::string text = host();
  return text.find(':') == std::string::npos ? fmt::format("{}:{}", text, port())
                                             : fmt::format("[{}]:{}", text, port());
}

std::string Peer::host() const {
  return host_of(bytes);
}

}  // namespace ballast::io
