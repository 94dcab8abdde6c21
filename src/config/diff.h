// Differences between two configurations, in words: what `plan` prints and `apply` reports.
//
// Found by walking the schema: sections property by property, listeners, target groups, rules and targets by name, so
// moving a line changes nothing and adding a target is one difference.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"

namespace ballast::config {

struct Difference {
  std::string path;            // "target_groups.site.targets"
  std::string text;            // "10.0.0.13:80 added", "5s -> 2s"
  bool needs_restart = false;  // it has no effect until the program is started again
  friend bool operator==(const Difference&, const Difference&) = default;
};

std::vector<Difference> diff(const Settings& before, const Settings& after);

}  // namespace ballast::config
