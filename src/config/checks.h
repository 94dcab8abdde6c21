// Checks across sections, after every value by itself is known to be good: references, protocols, addresses.
#pragma once

#include "config/settings.h"
#include "config/tree.h"

namespace ballast::config {

// `root` is the tree that `settings` was decoded from; it knows where the addresses stand.
void check_references(const Settings& settings, const Node& root, Diagnostics& diagnostics);

}  // namespace ballast::config
