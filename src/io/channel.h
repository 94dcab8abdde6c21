// Channel: one end of a pair of Unix sockets between two processes of ours: whole messages, each with the descriptors
// that travel beside it (SCM_RIGHTS). Messages of one end arrive in their order, whole or not at all.
//
// For a few messages a second, on a control thread: sending waits for a second at most where the other end does not
// read. Texts are bounded by message_bytes_max; what is larger goes as a memory file beside a short one.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/deadline.h"
#include "io/owned_fd.h"

namespace ballast::io {

class Channel {
 public:
  // Half of what a socket's buffer holds as it comes, so that one more always fits.
  static constexpr std::size_t message_bytes_max = 64 * kib;
  static constexpr std::size_t descriptors_max = 253;  // the kernel's own (SCM_MAX_FD)

  struct Message {
    std::string text;
    std::vector<OwnedFd> descriptors;
  };
  struct Pair;

  Channel() = default;
  // Takes over an end that was inherited; it is made non-blocking and not to be inherited again.
  explicit Channel(OwnedFd end);
  static Result<Pair> make_pair();

  bool is_open() const { return fd_.is_open(); }
  int fd() const { return fd_.get(); }
  void close() { fd_.close(); }
  OwnedFd release() { return std::move(fd_); }

  // The descriptors stay the caller's. Closed where the other end has gone.
  Result<> send(Bytes text, std::span<const int> descriptors = {});
  // What has come; none: nothing now. Closed where the other end has gone and everything was read.
  Result<std::optional<Message>> receive();
  // The same, waiting for so long. TimedOut.
  Result<Message> receive(Duration patience);

 private:
  OwnedFd fd_;
};

struct Channel::Pair {
  Channel ours;
  OwnedFd theirs;  // for a child process
};

// Bytes in an anonymous file in memory, at its beginning, to be handed to another process.
Result<OwnedFd> memory_file(const char* name, Bytes bytes);
// All of a file from its beginning, whatever was read of it before.
Result<std::string> read_all(int fd, std::size_t bytes_max);

}  // namespace ballast::io
