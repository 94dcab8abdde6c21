// Protection: what stands at the door of a listener and of its rules, compiled. Part of the Plan: immutable, any
// thread; made by control/protect_keeper.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "traffic/protect/address_count.h"
#include "traffic/protect/network_set.h"
#include "traffic/protect/rate_limit.h"

namespace ballast::traffic {

struct Door {
  std::optional<NetworkSet> allow;  // none: everybody
  NetworkSet deny;
  std::vector<RateLimit> limits;

  // A network that is denied is so within one that is allowed, too.
  bool keeps_out(const AddressBytes& address) const {
    return deny.contains(address) || (allow.has_value() && !allow->contains(address));
  }
};

struct Protection {
  Door door;                                        // of the listener
  std::vector<std::shared_ptr<const Door>> routes;  // by Route::index; nullptr: none. Empty where no rule has one
  std::shared_ptr<AddressCounts> counts;            // nullptr: an address may have any number of connections
  std::uint32_t connections_per_address = 0;
  NetworkSet trusted;  // proxies, whose connections are everybody's
};

}  // namespace ballast::traffic
