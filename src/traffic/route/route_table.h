// RouteTable: a listener's rules compiled. In order, first match wins, then the default.
//
// Rules whose hosts are all written out (`www.example.com`) or wildcard suffixes (`*.example.com`) are found by hash,
// so a thousand of them cost as little as one; the others are tried in order. The answer is the one trying all in order
// gives. Made by the control thread, part of the Plan: immutable, any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "traffic/balance/hash.h"
#include "traffic/route/conditions.h"
#include "traffic/route/facts.h"
#include "traffic/route/route.h"

namespace ballast::traffic {

// The Plan's index of a target group by its name; none where there is no such group.
using GroupIndex = std::function<std::optional<std::uint32_t>(std::string_view)>;

class RouteTable {
 public:
  // Yields no route.
  RouteTable() = default;
  // The Error names the listener, the rule and what is wrong with it.
  static Result<RouteTable> compile(const config::Listener& listener, const GroupIndex& group_index);

  // nullptr only where there is no default, as a tls listener may have it. The Route lives as long as the table.
  const Route* match(const RequestFacts& facts) const;

  // Every route in order, the default, where there is one, last.
  const std::vector<Route>& routes() const { return routes_; }

 private:
  using RuleList = std::vector<std::uint32_t>;  // ascending
  struct HostHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view host) const { return hash_bytes(HashPurpose::Table, host); }
  };
  using HostMap = std::unordered_map<std::string, RuleList, HostHash, std::equal_to<>>;

  void index(std::uint32_t rule);
  // The first rule in the list that is before `best` and matches, else `best`.
  std::uint32_t first_of(const RuleList& rules, std::uint32_t best, const RequestFacts& facts) const;

  std::vector<Route> routes_;
  std::vector<Conditions> conditions_;  // of all routes but the default
  HostMap whole_hosts_;                 // "www.example.com"
  HostMap suffix_hosts_;                // ".example.com" for `*.example.com`
  std::size_t suffix_longest_ = 0;
  RuleList others_;  // any host, or patterns that can only be tried
};

}  // namespace ballast::traffic
