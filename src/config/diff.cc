#include "config/diff.h"

#include "config/schema.h"

namespace ballast::config {

std::vector<Difference> diff(const Settings& before, const Settings& after) {
  std::vector<Difference> found;
  settings_kind()->diff(before, after, DiffWalk(found));
  return found;
}

}  // namespace ballast::config
