// SocketTable: the listening sockets that the keeper holds, by their keys, with who uses each. A socket stays open
// while one serving process has it, and over the time in which none lives. Keeper's thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "io/socket_source.h"

namespace ballast::handover {

class SocketTable {
 public:
  using Holder = std::uint64_t;
  static constexpr Holder next_holder = 0;  // a process that is not there yet; numbers of those that are begin at 1

  struct Entry {
    io::SocketSpec spec;
    std::variant<io::ListeningSocket, io::BoundDatagrams> socket;
    std::set<Holder> holders;
    std::vector<int> descriptors() const;  // one, but for UDP
    const io::SocketAddress& address() const;
  };

  // One that a service manager has opened, or has held for us: taken for the first spec with its address, those of UDP
  // with one address together. An Error: it is neither a listening socket nor one for datagrams.
  Result<> offer(io::OwnedFd socket);
  void give_files_to(const io::Identity& owner) { source_.give_files_to(owner); }
  // What nobody has asked for.
  void close_offered();

  // The one of that key, or a new one. The Error says why it cannot be bound.
  Result<const Entry*> open(const io::SocketSpec& spec, Holder holder);
  // True: nobody has it any more, and it is closed.
  bool release(const io::SocketSpec& spec, Holder holder);
  // That process has ended. Where it has served, what it had stays for the one that is started in its place, also when
  // the one before it gives it back meanwhile.
  enum class Heir : std::uint8_t { None, NextHolder };
  void forget(Holder holder, Heir heir);
  // Closes all, and removes the files of Unix sockets.
  void close();

  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }
  // From another keeper.
  void take_over(Entry entry) { entries_.emplace(entry.spec.key, std::move(entry)); }

 private:
  io::OwnSockets source_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<io::ListeningSocket> offered_;
  std::map<std::string, std::vector<io::OwnedFd>, std::less<>> offered_datagrams_;  // by address
};

}  // namespace ballast::handover
