#include "io/datagrams.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/uio.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ballast::io {
namespace {

constexpr std::size_t batch = DatagramBatch::size_max;

int open_socket(int family) {
  return ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

void set(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

// The forced form is for the privileged.
void set_receive_queue(int fd, int bytes) {
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0) set(fd, SOL_SOCKET, SO_RCVBUF, bytes);
}

std::string_view hint_for(int error) {
  switch (error) {
    case EACCES:
      return " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
    case EADDRNOTAVAIL:
      return " (no interface of this machine has that address: ip addr)";
    default:
      return {};
  }
}

bool is_any(const SocketAddress& address) {
  const auto bytes = address.bytes();
  const bool zero = std::all_of(bytes.begin() + (address.family() == AF_INET ? 12 : 0), bytes.end(),
                                [](std::uint8_t byte) { return byte == 0; });
  return zero;
}

DatagramState state_of(int error) {
  switch (error) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
      return DatagramState::WouldBlock;
    case EMSGSIZE:
      return DatagramState::TooLarge;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
      return DatagramState::Refused;
    default:
      return DatagramState::Failed;
  }
}

constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(std::uint32_t));
struct Control {
  alignas(cmsghdr) std::array<char, control_bytes> bytes;
};

DatagramsMoved send_all(int fd, std::span<mmsghdr> messages) {
  std::size_t sent = 0;
  while (sent < messages.size()) {
    const int count =
        ::sendmmsg(fd, messages.data() + sent, static_cast<unsigned>(messages.size() - sent), MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      return {.state = state_of(errno), .count = sent};
    }
    sent += static_cast<std::size_t>(count);
  }
  return {.state = DatagramState::Done, .count = sent};
}

// Writes whose near address a datagram is to have; gives the bytes used.
std::size_t put_near(Control& control, const DatagramBatch::Far& far) {
  auto* head = static_cast<cmsghdr*>(static_cast<void*>(control.bytes.data()));
  if (far.family == AF_INET) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, far.near.data() + 12, 4);
    *head = {};
    head->cmsg_level = IPPROTO_IP;
    head->cmsg_type = IP_PKTINFO;
    head->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(head), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
  }
  in6_pktinfo info{};
  std::memcpy(&info.ipi6_addr, far.near.data(), 16);
  *head = {};
  head->cmsg_level = IPPROTO_IPV6;
  head->cmsg_type = IPV6_PKTINFO;
  head->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(head), &info, sizeof info);
  return CMSG_SPACE(sizeof info);
}

// An IPv6 socket names IPv4 addresses in their mapped form.
socklen_t put_address(sockaddr_storage& storage, const DatagramBatch::Far& far) {
  if (far.family == AF_INET6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(far.to.port);
    std::memcpy(&address.sin6_addr, far.to.bytes.data(), 16);
    std::memcpy(&storage, &address, sizeof address);
    return sizeof address;
  }
  const SocketAddress to = SocketAddress::from_bytes(far.to.bytes, far.to.port);
  std::memcpy(&storage, to.get(), to.size());
  return to.size();
}

}  // namespace

Result<BoundDatagrams> BoundDatagrams::bind(const SocketAddress& address, int sockets) {
  const auto refuse = [&](int error) {
    const Error cause = Error::from_errno(error, fmt::format("cannot bind {}/udp", address.to_string()));
    std::string hint(hint_for(error));
    if (error == EADDRINUSE) hint = fmt::format(" (another program has it: ss -lunp 'sport = :{}')", address.port());
    return fail(Error(cause.code(), cause.text() + hint));
  };
  BoundDatagrams bound(is_any(address) ? NearAddress::OfEach : NearAddress::Fixed);
  bound.address_ = address;
  // With SO_REUSEPORT the kernel lets another program of the same user have the address too, and half of the
  // datagrams: so it is asked for without first.
  {
    const int alone = open_socket(address.family());
    if (alone < 0) return fail(Error::from_errno(errno, fmt::format("open a socket for {}", address.to_string())));
    if (address.family() == AF_INET6) set(alone, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    const int error = ::bind(alone, address.get(), address.size()) == 0 ? 0 : errno;
    ::close(alone);
    if (error != 0) return refuse(error);
  }
  for (int i = 0; i < sockets; ++i) {
    const int fd = open_socket(address.family());
    if (fd < 0) return fail(Error::from_errno(errno, fmt::format("open a socket for {}", address.to_string())));
    bound.fds_.push_back(fd);
    if (address.family() == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (sockets > 1) set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    set_receive_queue(fd, receive_queue_bytes);
    set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    if (bound.near_ == NearAddress::OfEach) {
      if (address.family() == AF_INET) set(fd, IPPROTO_IP, IP_PKTINFO, 1);
      if (address.family() == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    }
    if (::bind(fd, bound.address_.get(), bound.address_.size()) != 0) return refuse(errno);
    if (i != 0) continue;
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) == 0) {
      bound.address_ = SocketAddress::from_kernel(storage, size);
    }
  }
  return bound;
}

Result<SocketAddress> address_of_datagrams(int fd) {
  int type = 0;
  socklen_t type_size = sizeof type;
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_size) != 0 || type != SOCK_DGRAM ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return fail(Code::Invalid, "what was handed over is not a socket for datagrams");
  }
  return SocketAddress::from_kernel(storage, size);
}

Result<BoundDatagrams> BoundDatagrams::take_over(std::vector<OwnedFd> sockets) {
  const Result<SocketAddress> address = address_of_datagrams(sockets.empty() ? -1 : sockets.front().get());
  if (!address) return fail(address.error());
  BoundDatagrams bound(is_any(*address) ? NearAddress::OfEach : NearAddress::Fixed);
  bound.address_ = *address;
  bound.taken_over_ = true;
  for (OwnedFd& each : sockets) bound.fds_.push_back(each.release());
  return bound;
}

// What this one had is closed with the other.
BoundDatagrams& BoundDatagrams::operator=(BoundDatagrams&& other) noexcept {
  std::swap(fds_, other.fds_);
  std::swap(address_, other.address_);
  std::swap(near_, other.near_);
  std::swap(taken_over_, other.taken_over_);
  return *this;
}

BoundDatagrams::~BoundDatagrams() {
  for (const int fd : fds_) ::close(fd);
}

Result<ConnectedDatagrams> ConnectedDatagrams::connect(const SocketAddress& to) {
  const int fd = open_socket(to.family());
  if (fd < 0) {
    return fail(Error(errno == EMFILE || errno == ENFILE ? Code::Exhausted : Error::code_of_errno(errno),
                      fmt::format("open a socket to {}", to.to_string())));
  }
  ConnectedDatagrams connected(fd);
  if (::connect(fd, to.get(), to.size()) != 0) {
    // EAGAIN: every local port is taken.
    return fail(Error(errno == EAGAIN ? Code::Exhausted : Error::code_of_errno(errno),
                      fmt::format("connect to {}/udp", to.to_string())));
  }
  return connected;
}

ConnectedDatagrams& ConnectedDatagrams::operator=(ConnectedDatagrams&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void ConnectedDatagrams::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

DatagramBatch::DatagramBatch() : memory_(std::make_unique_for_overwrite<char[]>(batch * slot_bytes)) {}

DatagramsMoved DatagramBatch::receive(int fd) {
  std::array<mmsghdr, batch> messages{};
  std::array<iovec, batch> vectors;
  std::array<sockaddr_storage, batch> addresses;
  std::array<Control, batch> controls;
  for (std::size_t i = 0; i < batch; ++i) {
    vectors[i] = {memory_.get() + i * slot_bytes, slot_bytes};
    msghdr& header = messages[i].msg_hdr;
    header.msg_name = &addresses[i];
    header.msg_namelen = sizeof addresses[i];
    header.msg_iov = &vectors[i];
    header.msg_iovlen = 1;
    header.msg_control = controls[i].bytes.data();
    header.msg_controllen = control_bytes;
  }
  count_ = 0;
  overflowed_ = 0;
  int got = -1;
  do got = ::recvmmsg(fd, messages.data(), batch, MSG_DONTWAIT, nullptr);
  while (got < 0 && errno == EINTR);
  if (got < 0) return {.state = state_of(errno), .count = 0};
  count_ = static_cast<std::size_t>(got);
  for (std::size_t i = 0; i < count_; ++i) {
    msghdr& header = messages[i].msg_hdr;
    Datagram& datagram = datagrams_[i];
    datagram = {.bytes = {memory_.get() + i * slot_bytes, messages[i].msg_len}, .from = {}};
    if (header.msg_namelen != 0) {
      const SocketAddress from = SocketAddress::from_kernel(addresses[i], header.msg_namelen);
      datagram.from = {from.bytes(), from.port()};
    }
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
      if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
        in_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(part), sizeof info);
        sockaddr_in near{};
        near.sin_family = AF_INET;
        near.sin_addr = info.ipi_spec_dst;
        sockaddr_storage storage{};
        std::memcpy(&storage, &near, sizeof near);
        datagram.near = SocketAddress::from_kernel(storage, sizeof near).bytes();
      } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
        in6_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(part), sizeof info);
        std::memcpy(datagram.near.data(), &info.ipi6_addr, 16);
      } else if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SO_RXQ_OVFL) {
        std::memcpy(&overflowed_, CMSG_DATA(part), sizeof overflowed_);
      }
    }
  }
  return {.state = DatagramState::Done, .count = count_};
}

DatagramsMoved DatagramBatch::send(int connected_fd, std::span<const Datagram> datagrams) {
  std::array<mmsghdr, batch> messages{};
  std::array<iovec, batch> vectors;
  const std::size_t count = std::min(datagrams.size(), batch);
  for (std::size_t i = 0; i < count; ++i) {
    vectors[i] = {const_cast<char*>(datagrams[i].bytes.data()), datagrams[i].bytes.size()};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  return send_all(connected_fd, {messages.data(), count});
}

DatagramsMoved DatagramBatch::send_to(int bound_fd, const Far& far, std::span<const Datagram> datagrams) {
  std::array<mmsghdr, batch> messages{};
  std::array<iovec, batch> vectors;
  sockaddr_storage address{};
  const socklen_t address_size = put_address(address, far);
  Control control{};
  const bool has_near = far.near != std::array<std::uint8_t, 16>{};
  const std::size_t control_size = has_near ? put_near(control, far) : 0;
  const std::size_t count = std::min(datagrams.size(), batch);
  for (std::size_t i = 0; i < count; ++i) {
    vectors[i] = {const_cast<char*>(datagrams[i].bytes.data()), datagrams[i].bytes.size()};
    msghdr& header = messages[i].msg_hdr;
    header.msg_name = &address;
    header.msg_namelen = address_size;
    header.msg_iov = &vectors[i];
    header.msg_iovlen = 1;
    header.msg_control = has_near ? control.bytes.data() : nullptr;
    header.msg_controllen = control_size;
  }
  return send_all(bound_fd, {messages.data(), count});
}

}  // namespace ballast::io
