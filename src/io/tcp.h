// TCP and Unix stream sockets: connecting, listening, and the plain Stream over one.
#pragma once

#include <cstdint>
#include <utility>

#include "io/address.h"
#include "io/owned_fd.h"
#include "io/stream.h"

namespace ballast::io {

class Loop;

class TcpStream final : public Stream {
 public:
  TcpStream() = default;
  explicit TcpStream(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
  TcpStream(TcpStream&&) = default;
  TcpStream& operator=(TcpStream&& other) noexcept;
  ~TcpStream() override { reset(); }

  // The error says whom it tried: "connect to 10.0.0.1:80: Connection refused".
  static Task<Result<TcpStream>> connect(Loop& loop, SocketAddress to, Deadline deadline);
  // From an address that need not be this machine's own, on any port (IP_TRANSPARENT). Both must be of one family.
  struct Path {
    SocketAddress from;
    SocketAddress to;
  };
  static Task<Result<TcpStream>> connect_from(Loop& loop, Path path, Deadline deadline);
  // Whether this process may do so: "the kernel refuses IP_TRANSPARENT: Operation not permitted (...)".
  static Result<> may_connect_from_others();

  Transfer try_read(char* into, std::size_t size) override;
  // As try_read(), and the bytes stay. End only where there are none; with some, peer_ended() tells. Ready to read
  // again only when more has come.
  Transfer try_peek(char* into, std::size_t size);
  // Whether the peer is known to have sent its last byte, or to have gone; exact after a wait.
  bool peer_ended() const { return descriptor_.peer_ended() || descriptor_.hung_up(); }
  using Stream::try_write;
  Transfer try_write(std::span<const Bytes> parts) override { return send(parts, 0); }
  Transfer try_write_more(Bytes bytes) override;
  Ready until_readable(Deadline deadline) override { return descriptor_.readable(deadline); }
  Ready until_writable(Deadline deadline) override { return descriptor_.writable(deadline); }
  bool may_read() const override { return descriptor_.may_read(); }
  void look() override;
  bool end() override;
  void close() override { descriptor_.close(); }
  void reset() override;
  bool is_open() const override { return descriptor_.is_open(); }
  Loop& loop() const override { return descriptor_.loop(); }
  Descriptor& descriptor() override { return descriptor_; }
  const Descriptor& descriptor() const { return descriptor_; }
  bool is_plain() const override { return true; }

  SocketAddress local_address() const;
  SocketAddress remote_address() const;

 private:
  Transfer send(std::span<const Bytes> parts, int flags);
  static Task<Result<TcpStream>> finish_connect(Loop& loop, int fd, SocketAddress to, Deadline deadline);

  Descriptor descriptor_;
};

// Where the near end of a connected socket is.
SocketAddress local_address(const Descriptor& descriptor);

struct ListenOptions {
  // Client: a connection is accepted when its first bytes have come (TCP_DEFER_ACCEPT), which saves a wake-up and a
  // read that finds nothing; a silent one about a second after it was made. Only for protocols in which the client
  // speaks first: the others would stand for that second. Unix sockets know no such waiting.
  enum class FirstSpeaker : std::uint8_t { Either, Client };
  FirstSpeaker first_speaker = FirstSpeaker::Either;
};

// A bound, listening socket; one is shared by all workers, each of which watches it in its own Loop (see acceptor.h).
class ListeningSocket {
 public:
  // "cannot bind 0.0.0.0:80: Permission denied (needs CAP_NET_BIND_SERVICE)", "... Address already in use (by another
  // ...)".
  static Result<ListeningSocket> bind(const SocketAddress& address, ListenOptions options = {});
  // One that is open and listening; its address is asked of the kernel.
  static Result<ListeningSocket> take_over(OwnedFd fd);
  ListeningSocket(ListeningSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)), address_(other.address_) {}
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;
  ~ListeningSocket();

  const SocketAddress& address() const { return address_; }  // with the real port where 0 was asked for
  int fd() const { return fd_; }
  // What its address is to be called, of a Unix socket that was moved.
  void rename(const SocketAddress& address) { address_ = address; }

 private:
  ListeningSocket(int fd, const SocketAddress& address) : fd_(fd), address_(address) {}
  int fd_ = -1;
  SocketAddress address_;
};

// Whether a program answers on this Unix socket. Nobody does on one that was left behind.
bool is_answered(const SocketAddress& unix_socket);

}  // namespace ballast::io
