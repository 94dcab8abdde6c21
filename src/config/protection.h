// What stands at the door of a listener or a rule: who may come, and how often. Values; part of the settings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/health_check.h"
#include "config/network.h"

namespace ballast::config {

// Networks that are written out, and files of them (network_file.h).
struct Networks {
  std::vector<Network> networks;
  std::vector<std::string> files;  // as seen from the working directory; read again when they change
  bool empty() const { return networks.empty() && files.empty(); }
  friend bool operator==(const Networks&, const Networks&) = default;
};

// What requests are counted by. One without the header or the cookie counts by its source.
enum class RateKeyKind { Source, Header, Cookie, Path, All };
struct RateKey {
  RateKeyKind kind = RateKeyKind::Source;
  std::string name;  // of a header or cookie
  friend bool operator==(const RateKey&, const RateKey&) = default;
};

// Report: what is over the limit is counted and served.
enum class RateMode { Enforce, Report };

struct RateLimit {
  std::string name;            // for metrics; "limit-1" where not given
  std::uint32_t requests = 0;  // required
  Milliseconds per{1'000};
  std::uint32_t burst = 0;  // at once, after a rest; as many as requests where not given
  RateKey key;
  int ipv6_prefix = 64;  // addresses of IPv6 that share so many first bits are one source
  int status = 429;      // or 503
  std::vector<Network> except;
  RateMode mode = RateMode::Enforce;
  std::uint32_t keys = 65'536;  // kept in mind at once
  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

struct Door {
  Networks allow;  // empty: everybody
  Networks deny;   // before allow
  std::vector<RateLimit> rate_limits;
  bool empty() const { return allow.empty() && deny.empty() && rate_limits.empty(); }
  friend bool operator==(const Door&, const Door&) = default;
};

}  // namespace ballast::config
