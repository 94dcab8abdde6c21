// For tests: a connection of which one end is a Stream on a loop and the other a plain descriptor in the test's hands,
// and what to send over it.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/loop.h"
#include "io/tcp.h"

namespace ballast::io {

enum class LinkKind { Tcp, Unix };

struct LinkBuffers {
  int send = 0;  // bytes; 0: the system's
  int receive = 0;
};

inline void set_buffers(int fd, LinkBuffers buffers) {
  if (buffers.send != 0) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffers.send, sizeof buffers.send);
  if (buffers.receive != 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffers.receive, sizeof buffers.receive);
}

// One end is a Stream on the loop, the other a plain descriptor in the test's hands, blocking.
class Link {
 public:
  Link(Loop& loop, LinkKind kind, LinkBuffers buffers = {}) {
    int ends[2] = {-1, -1};
    if (kind == LinkKind::Unix) {
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    } else {
      auto listening = ListeningSocket::bind(*SocketAddress::numeric("127.0.0.1", 0));
      EXPECT_TRUE(listening.has_value());
      ends[1] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      set_buffers(ends[1], buffers);
      EXPECT_EQ(::connect(ends[1], listening->address().get(), listening->address().size()), 0);
      ends[0] = ::accept4(listening->fd(), nullptr, nullptr, SOCK_CLOEXEC);
      EXPECT_GE(ends[0], 0);
    }
    set_buffers(ends[0], buffers);
    EXPECT_EQ(::fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    stream = TcpStream(Descriptor(loop, ends[0]));
    peer = ends[1];
  }
  ~Link() { close_peer(); }
  Link(const Link&) = delete;

  void send(std::string_view text) const {
    EXPECT_EQ(::send(peer, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  void end_peer() const { EXPECT_EQ(::shutdown(peer, SHUT_WR), 0); }
  void close_peer() {
    if (peer >= 0) ::close(std::exchange(peer, -1));
  }
  void reset_peer() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close_peer();
  }
  // The next `size` bytes, or as many as come before the end.
  std::string receive(std::size_t size) const {
    std::string bytes(size, '\0');
    const ssize_t got = ::recv(peer, bytes.data(), size, MSG_WAITALL);
    if (got < 0) return strerrorname_np(errno);
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
  }
  int low_water() {
    int bytes = 0;
    socklen_t size = sizeof bytes;
    EXPECT_EQ(getsockopt(stream.descriptor().fd(), SOL_SOCKET, SO_RCVLOWAT, &bytes, &size), 0);
    return bytes;
  }

  TcpStream stream;
  int peer = -1;
};

// Different at every place, so that bytes lost, repeated or exchanged show.
inline std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 12345;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

// Sends on a thread of its own, as far as the other side takes it, until it goes.
class Flood {
 public:
  Flood(const Link& link, const std::string& bytes)
      : fd_(link.peer), sender_([&link, &bytes] { ::send(link.peer, bytes.data(), bytes.size(), MSG_NOSIGNAL); }) {}
  ~Flood() { ::shutdown(fd_, SHUT_RDWR); }

 private:
  int fd_;
  std::jthread sender_;
};

}  // namespace ballast::io
