// Shaping: what a rule does to its requests and responses besides its action. Part of the Plan: immutable, any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "traffic/route/header_edits.h"
#include "traffic/route/path_rewrite.h"
#include "traffic/route/route_table.h"

namespace ballast::traffic {

struct MirrorTo {
  std::uint32_t group_index = 0;  // in the Plan
  config::Mirror settings;
};

// Whether one of 64 uniformly random bits is in the share.
inline bool is_drawn(config::Share share, std::uint64_t random) {
  return static_cast<std::uint32_t>((static_cast<unsigned __int128>(random) * 10'000) >> 64) < share.hundredths;
}

struct Shaping {
  HeaderEdits request;
  HeaderEdits response;
  std::shared_ptr<const PathRewrite> rewrite;  // nullptr: none
  std::vector<config::Fault> faults;
  std::optional<MirrorTo> mirror;

  // nullptr: the rule does nothing of it.
  static Result<std::shared_ptr<const Shaping>> compile(const config::Rule& rule, const GroupIndex& group_index);
};

}  // namespace ballast::traffic
