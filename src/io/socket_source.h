// SocketSource: where listening sockets come from: bound by this process, or by the keeper, which holds them over
// restarts and upgrades of the process that serves.
//
// Control thread; a call may block for as long as a bind takes. Release is told when a configuration no longer has the
// socket, or when the program ends, never when another process goes on with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/result.h"
#include "io/address.h"
#include "io/datagrams.h"
#include "io/identity.h"
#include "io/tcp.h"

namespace ballast::io {

struct SocketSpec {
  // Names it: who asks for the same key again gets the same socket. Mostly the address; not so for port 0.
  std::string key;
  std::string address;  // numeric with a port, or "unix:/path": SocketAddress::to_string()
  ListenOptions::FirstSpeaker first_speaker = ListenOptions::FirstSpeaker::Either;
  // Of a Unix socket that only the users of its file's mode may connect to; 0: as the umask has it. Made with that mode
  // before anybody can find it.
  std::uint32_t file_mode = 0;
  // Of UDP: how many sockets share the address. 0: it is one that listens.
  int datagram_sockets = 0;
};

class SocketSource {
 public:
  virtual ~SocketSource() = default;
  // As ListeningSocket::bind(), and its texts. InUse for a Unix socket that another program answers on.
  virtual Result<ListeningSocket> open(const SocketSpec& spec) = 0;
  // As BoundDatagrams::bind(). Where others hold the address already under this key, theirs, which may be another
  // number of sockets.
  virtual Result<BoundDatagrams> open_datagrams(const SocketSpec& spec) = 0;
  virtual void release(const SocketSpec& spec) = 0;
};

// Binds here; release() removes the file of a Unix socket.
class OwnSockets final : public SocketSource {
 public:
  // Files of Unix sockets are to belong to that user; none: to ours.
  void give_files_to(const Identity& owner) { owner_ = owner; }
  // A Unix socket with a mode of its own was bound under a name that ends so, which is how the kernel still calls it.
  static constexpr const char* fresh_suffix = ".new";
  Result<ListeningSocket> open(const SocketSpec& spec) override;
  Result<BoundDatagrams> open_datagrams(const SocketSpec& spec) override;
  void release(const SocketSpec& spec) override;

 private:
  Result<ListeningSocket> listen_on_file(const SocketAddress& address, const SocketSpec& spec) const;
  // False: errno says why.
  bool give_file(const std::string& path) const;

  std::optional<Identity> owner_;
};

}  // namespace ballast::io
