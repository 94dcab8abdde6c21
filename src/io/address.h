// SocketAddress: where a socket is, numerically: IPv4, IPv6 or a Unix path. A value.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/result.h"

namespace ballast::io {

class SocketAddress {
 public:
  SocketAddress() = default;
  static Result<SocketAddress> unix_path(std::string_view path);
  // `host` must be numeric; NotFound where it is a name (see dns.h).
  static Result<SocketAddress> numeric(std::string_view host, std::uint16_t port);
  // Of what to_string() gives.
  static Result<SocketAddress> read(std::string_view text);
  static SocketAddress any(std::uint16_t port);  // every IPv6 and IPv4 address
  // Of 16 bytes as bytes() gives them: mapped ones are IPv4.
  static SocketAddress from_bytes(const std::array<std::uint8_t, 16>& bytes, std::uint16_t port);
  static SocketAddress from_kernel(const sockaddr_storage& storage, socklen_t size);

  bool is_unix() const { return storage_.plain.sa_family == AF_UNIX; }
  int family() const { return storage_.plain.sa_family; }
  std::uint16_t port() const;
  void set_port(std::uint16_t port);
  // The address as 16 bytes, IPv4 mapped into IPv6; all zero for a Unix socket.
  std::array<std::uint8_t, 16> bytes() const;
  std::string path() const;       // of a Unix socket
  std::string host() const;       // "10.0.0.1", "::1", "unix"
  std::string to_string() const;  // "10.0.0.1:80", "[::1]:80", "unix:/path"

  const sockaddr* get() const { return &storage_.plain; }
  socklen_t size() const { return size_; }
  friend bool operator==(const SocketAddress& a, const SocketAddress& b) { return a.to_string() == b.to_string(); }

 private:
  union Storage {
    sockaddr_un local;  // the largest first: it is the one that is made zero
    sockaddr plain;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  Storage storage_{};
  socklen_t size_ = 0;
};

// The remote end of a connection in 18 bytes, for what is kept per idle connection.
struct Peer {
  std::array<std::uint8_t, 16> bytes{};
  std::uint16_t port = 0;
  // "10.0.0.1", "2001:db8::1"
  std::string host() const;
};

}  // namespace ballast::io
