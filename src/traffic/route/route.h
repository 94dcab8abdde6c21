// Route: what one rule does with a request it matches. Part of the Plan: immutable, any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "traffic/route/redirect.h"

namespace ballast::traffic {

struct ForwardTo {
  struct Choice {
    std::string group;
    std::uint32_t group_index = 0;  // in the Plan, as the caller of RouteTable::compile resolved it
    std::uint32_t weight = 1;       // 0..999
  };
  std::vector<Choice> choices;
  std::uint32_t weight_total = 0;
  std::optional<config::StayBy> stay_by;  // none: each request is drawn anew

  // By weight, with 64 uniformly random bits, or those of a client that is to stay: weights that change move only those
  // between whose places and the borders something has changed. nullptr where all weights are 0.
  const Choice* pick(std::uint64_t random) const {
    std::uint64_t left = static_cast<std::uint64_t>((static_cast<unsigned __int128>(random) * weight_total) >> 64);
    for (const Choice& choice : choices) {
      if (left < choice.weight) return &choice;
      left -= choice.weight;
    }
    return nullptr;
  }
};

struct FixedAnswer {
  int status = 200;
  std::string content_type;
  std::string body;
};

class CorsPolicy;
class StaticFiles;
struct Shaping;

struct Route {
  std::string name;         // of the rule; "default"
  std::uint32_t index = 0;  // place among the listener's rules; the default is behind the last
  std::shared_ptr<const CorsPolicy> cors = nullptr;
  config::Priority priority = config::Priority::Normal;
  std::shared_ptr<const Shaping> shaping = nullptr;  // nullptr: requests and responses pass as they are
  std::variant<ForwardTo, RedirectTo, FixedAnswer, std::shared_ptr<const StaticFiles>> action;
};

}  // namespace ballast::traffic
