// Includes: a file and everything it includes, read, expanded and merged into one tree.
//
//   include: conf.d/*.yaml              a file, a glob, or a list of them; relative to the file that says it
//
// Sections of the same name are joined entry by entry; the same entry twice, in two files, is an error naming both.
#pragma once

#include <optional>
#include <string>

#include "config/files.h"
#include "config/tree.h"

namespace ballast::config {

struct IncludeLimits {
  int depth_max = 8;
  std::size_t files_max = 256;       // in all
  std::size_t bytes_max = 16 * mib;  // in all
};

// The merged tree of the text called `name`. What it includes and the environment come from `files`.
Node read_tree(const std::string& name, std::string text, FileReader& files, Diagnostics& diagnostics);

}  // namespace ballast::config
