// Environment variables in scalars: ${NAME}, ${NAME:-default}; "$${" stands for a plain "${".
//
// Done on the tree, after YAML: what a variable holds is text and cannot become structure. Keys are left alone.
#pragma once

#include "config/files.h"
#include "config/tree.h"

namespace ballast::config {

// Replaces them in every scalar below `node`. A variable that is not set, or is no name, is an error at its scalar.
void expand_variables(Node& node, const TreeLimits& limits, FileReader& files, Diagnostics& diagnostics);

}  // namespace ballast::config
