// Resolver: names to addresses, by c-ares, on one loop.
//
// Looks into /etc/hosts first, then asks the name servers of /etc/resolv.conf, which is read once, when the Resolver is
// made. Nothing is cached: the caller keeps the answer for `ttl`. Owner: one a thread; destroying it ends the queries
// under way with Cancelled. The hosts file is read on the loop's thread, as c-ares does it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/address.h"
#include "io/deadline.h"
#include "io/task.h"

namespace ballast::io {

class Loop;

struct Resolved {
  std::vector<SocketAddress> addresses;  // at least one, IPv4 and IPv6 as the servers ordered them; at most 256
  std::chrono::seconds ttl{};            // of the shortest-lived record: 1 s to 1 h; 30 s from the hosts file
};

class Resolver {
 public:
  struct Options {
    // "10.0.0.2,10.0.0.3:5353,[fd00::1]:53"; then the search list of resolv.conf is not used either. Empty: those of
    // /etc/resolv.conf.
    std::string servers;
    // Each server is asked `tries` times; the wait doubles from try to try.
    std::chrono::milliseconds try_timeout{2000};
    int tries = 2;
    // More at once are refused: each holds memory here and a query number of 16 bits on the wire.
    std::size_t queries_max = 256;
  };

  static Result<std::unique_ptr<Resolver>> make(Loop& loop, Options options);
  ~Resolver();
  Resolver(const Resolver&) = delete;

  // A numeric address gives itself. Errors: NotFound (no such name, or no address of it), TimedOut, Unreachable (no
  // server answers usefully), Exhausted, Invalid (not a name); the text names the name. A wait that ends at its
  // deadline or by cancellation leaves the query to end by itself, which counts against queries_max until then.
  Task<Result<Resolved>> resolve(std::string_view name, std::uint16_t port, Deadline deadline);

  std::size_t queries_under_way() const;

 private:
  class Channel;
  explicit Resolver(std::unique_ptr<Channel> channel);
  std::unique_ptr<Channel> channel_;
};

}  // namespace ballast::io
