// What operators have set on targets and listeners, kept in state_directory/overrides.json so that a restart forgets
// nothing. Control thread; blocks while it writes.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/result.h"
#include "traffic/control/group_keeper.h"

namespace ballast::traffic {

using GroupOverrides = std::map<std::string, std::map<std::string, TargetOverride>>;  // group -> configured address
struct Overrides {
  GroupOverrides groups;
  std::set<std::string, std::less<>> maintained;  // listeners
};

// None where the file is not there yet. The Error names the file and what is wrong with it.
Result<Overrides> load_overrides(const std::string& state_directory);
Result<> save_overrides(const std::string& state_directory, const Overrides& overrides);

}  // namespace ballast::traffic
