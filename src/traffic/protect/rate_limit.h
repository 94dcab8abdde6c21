// RateLimit: one limit of a listener or a rule, compiled. Part of the Plan: immutable, any thread.
//
// What it has counted hangs on a RateShare, which the next Plan takes over where the same limit stands in the same
// place: a change elsewhere hands out no new bursts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/protection.h"
#include "traffic/cells.h"
#include "traffic/protect/network_set.h"
#include "traffic/protect/rate_table.h"
#include "traffic/protect/sip_hash.h"

namespace ballast::traffic {

// What one worker counts of a limit.
struct alignas(64) RateCell {
  Counter admitted;
  Counter limited;
  Counter reported;   // over the limit, and served (mode: report)
  Counter displaced;  // keys in use that were forgotten for want of room
};

struct RateShare {
  struct Place {
    std::string listener;
    std::string rule;  // empty: the listener's own
    std::string limit;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  RateShare(Place where, const config::RateLimit& limit, int workers, SipKey key = SipKey::random())
      : place(std::move(where)),
        settings(limit),
        rate(Rate::of({.requests = limit.requests, .per = limit.per, .burst = limit.burst})),
        secret(key),
        table(limit.keys),
        cells(static_cast<std::size_t>(workers)) {}
  // Whether what was counted means the same under `next`.
  bool holds_for(const config::RateLimit& next) const {
    return settings.requests == next.requests && settings.per == next.per && settings.burst == next.burst &&
           settings.key == next.key && settings.ipv6_prefix == next.ipv6_prefix && settings.keys == next.keys;
  }

  const Place place;
  const config::RateLimit settings;  // as it began; what does not matter to the table may have changed since
  const Rate rate;
  const SipKey secret;
  RateTable table;
  std::vector<RateCell> cells;  // by worker
};

struct RateLimit {
  std::shared_ptr<RateShare> share;
  config::RateLimit settings;
  NetworkSet except;
};

// What a request is counted by, and what it would be counted by without that.
struct RateKeyValue {
  config::RateKeyKind kind = config::RateKeyKind::Source;
  Bytes value;  // of a header, a cookie, a path
};

struct RateVerdict {
  bool is_over = false;  // refused, or it would be where the limit only reports
  bool refused = false;
  io::Duration wait{};  // of one that is refused: until one would be admitted
};

// Counts one request of `source`, and says whether it is over the limit.
RateVerdict ask(const RateLimit& limit, RateCell& cell, const RateKeyValue& key, const AddressBytes& source,
                io::Instant now);

// For Retry-After: whole seconds, rounded up, at least one.
std::int64_t retry_after_seconds(io::Duration wait);

}  // namespace ballast::traffic
