// Counts: what was counted of a listener, a group or a target, by name ("requests", "errors.connect_refused",
// "duration.12"), so that one process can go on counting where another was. By name and flat: another version may count
// more, or less. What is now (requests under way, connections) is not among them.
//
// counts_of(): any thread. add(): the thread of the worker whose cell it is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "traffic/cells.h"

namespace ballast::traffic {

using Counts = std::map<std::string, std::uint64_t>;

Counts counts_of(const std::vector<ListenerCell>& cells);
Counts counts_of(const std::vector<GroupCell>& cells);
Counts counts_of(const std::vector<TargetCell>& cells);
void add(ListenerCell& cell, const Counts& counts);
void add(GroupCell& cell, const Counts& counts);
void add(TargetCell& cell, const Counts& counts);

// What came since `before`.
Counts difference(Counts now, const Counts& before);

}  // namespace ballast::traffic
