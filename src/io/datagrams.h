// Datagrams: UDP sockets, bound ones for clients and connected ones for targets, and batches of datagrams in and out of
// them.
//
// A BoundDatagrams is one address with as many sockets as there are workers (SO_REUSEPORT): the kernel gives all
// datagrams of one flow to one socket as long as the set stays, so the set is bound and closed whole. A
// ConnectedDatagrams is one flow's way to a target; the kernel tells it of ICMP errors. A DatagramBatch is a thread's
// memory for one call in each direction; what it holds is valid until the next receive(). Nothing here waits.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/result.h"
#include "io/address.h"
#include "io/owned_fd.h"

namespace ballast::io {

// Whether the near address of each datagram must be told and set: the socket is bound to all addresses.
enum class NearAddress : std::uint8_t { Fixed, OfEach };

class BoundDatagrams {
 public:
  // As the kernel allows; without CAP_NET_ADMIN at most net.core.rmem_max.
  static constexpr int receive_queue_bytes = 4 * 1024 * 1024;

  // "cannot bind 0.0.0.0:53/udp: Address already in use (another program has it: ss -lunp 'sport = :53')".
  static Result<BoundDatagrams> bind(const SocketAddress& address, int sockets);
  // The sockets of one address that another process has bound so; never none.
  static Result<BoundDatagrams> take_over(std::vector<OwnedFd> sockets);
  BoundDatagrams(BoundDatagrams&& other) noexcept = default;
  BoundDatagrams& operator=(BoundDatagrams&& other) noexcept;
  ~BoundDatagrams();

  const SocketAddress& address() const { return address_; }  // with the real port where 0 was asked for
  NearAddress near_address() const { return near_; }
  int count() const { return static_cast<int>(fds_.size()); }
  int fd(int socket) const { return fds_[static_cast<std::size_t>(socket)]; }
  // What the kernel says of lost datagrams counts from a time before this process.
  bool was_taken_over() const { return taken_over_; }

 private:
  explicit BoundDatagrams(NearAddress near) : near_(near) {}
  std::vector<int> fds_;
  SocketAddress address_;
  NearAddress near_;
  bool taken_over_ = false;
};

// Where a socket for datagrams is bound; Invalid: it is none.
Result<SocketAddress> address_of_datagrams(int fd);

class ConnectedDatagrams {
 public:
  ConnectedDatagrams() = default;
  // The Error's code is Exhausted where there is no descriptor or no free port.
  static Result<ConnectedDatagrams> connect(const SocketAddress& to);
  ConnectedDatagrams(ConnectedDatagrams&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ConnectedDatagrams& operator=(ConnectedDatagrams&& other) noexcept;
  ~ConnectedDatagrams() { close(); }

  void close();
  // Gives the open descriptor up; the caller's from here on.
  int release() { return std::exchange(fd_, -1); }
  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

 private:
  explicit ConnectedDatagrams(int fd) : fd_(fd) {}
  int fd_ = -1;
};

struct Datagram {
  Bytes bytes;
  Peer from;                               // of a bound socket
  std::array<std::uint8_t, 16> near = {};  // the address it came to, with NearAddress::OfEach; else zero
};

enum class DatagramState : std::uint8_t {
  Done,
  WouldBlock,  // nothing there, or no room
  Refused,     // of a connected socket: an ICMP error came back for an earlier datagram; this call did nothing
  TooLarge,    // for the way it would take
  Failed,
};

struct DatagramsMoved {
  DatagramState state = DatagramState::Done;
  std::size_t count = 0;  // of datagrams; with Done all of them
};

class DatagramBatch {
 public:
  // In one call: enough to share its cost, few enough for others to have their turn.
  static constexpr std::size_t size_max = 32;
  // The largest there is over IPv4 and IPv6 is a little smaller, so nothing is ever cut off. The kernel gives memory
  // for what is written only.
  static constexpr std::size_t slot_bytes = 65536;

  DatagramBatch();

  DatagramsMoved receive(int fd);
  std::span<const Datagram> datagrams() const { return {datagrams_.data(), count_}; }
  // Datagrams that the kernel had no room for, on this socket since it was bound (wraps), as the last receive() was
  // told; 0: it was not.
  std::uint32_t overflowed() const { return overflowed_; }

  // To the far end of a connected socket, or to `to` from `near`.
  static DatagramsMoved send(int connected_fd, std::span<const Datagram> datagrams);
  struct Far {
    Peer to;
    std::array<std::uint8_t, 16> near;  // zero: as the socket is bound
    int family = AF_INET;               // of the bound socket
  };
  static DatagramsMoved send_to(int bound_fd, const Far& far, std::span<const Datagram> datagrams);

 private:
  std::unique_ptr<char[]> memory_;
  std::array<Datagram, size_max> datagrams_;
  std::size_t count_ = 0;
  std::uint32_t overflowed_ = 0;
};

}  // namespace ballast::io
