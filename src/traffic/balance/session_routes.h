// SessionRoutes: which target the sessions of a route belong to; part of the Plan, immutable once it is there.
//
// Only targets that take requests are found. A route of several addresses (a target by name) is its first healthy one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace ballast::traffic {

class SessionRoutes {
 public:
  SessionRoutes() = default;
  // Routes and the slots of their targets; empty routes are left out.
  explicit SessionRoutes(std::vector<std::pair<std::string, std::uint32_t>> routes) : routes_(std::move(routes)) {
    std::erase_if(routes_, [](const auto& each) { return each.first.empty(); });
    std::ranges::sort(routes_);
  }

  bool empty() const { return routes_.empty(); }
  std::optional<std::uint32_t> find(Bytes route) const {
    const auto found = std::ranges::lower_bound(routes_, route, {}, [](const auto& each) { return Bytes(each.first); });
    if (found == routes_.end() || Bytes(found->first) != route) return std::nullopt;
    return found->second;
  }

 private:
  std::vector<std::pair<std::string, std::uint32_t>> routes_;  // sorted
};

}  // namespace ballast::traffic
