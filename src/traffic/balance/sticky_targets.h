// StickyTargets: which target of a group a cookie's token names; part of the Plan, immutable once it is there.
//
// Targets that take no requests now are known, too: their clients have to be told from those who bring a stranger's
// token. The search may tell by its time how much of a token is right, and that is worth nothing: a token opens no
// door, it chooses among targets that any request may go to, and the key it is made with cannot be learnt from it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace ballast::traffic {

class StickyTargets {
 public:
  struct Each {
    std::string token;
    std::optional<std::uint32_t> slot;  // none: it takes no requests
  };

  StickyTargets() = default;
  explicit StickyTargets(std::vector<Each> targets) : targets_(std::move(targets)) {
    // One that is drained and one that has come in its place have the same token: then the one that takes requests.
    std::ranges::sort(targets_, [](const Each& a, const Each& b) {
      return std::tuple(Bytes(a.token), !a.slot.has_value(), a.slot) <
             std::tuple(Bytes(b.token), !b.slot.has_value(), b.slot);
    });
  }

  bool empty() const { return targets_.empty(); }
  // nullptr: of no target of the group. The pointer is good as long as this.
  const Each* find(Bytes token) const {
    const auto found =
        std::ranges::lower_bound(targets_, token, {}, [](const Each& each) { return Bytes(each.token); });
    return found != targets_.end() && Bytes(found->token) == token ? &*found : nullptr;
  }

 private:
  std::vector<Each> targets_;  // sorted
};

}  // namespace ballast::traffic
