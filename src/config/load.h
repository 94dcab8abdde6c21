// Loading: a configuration file in, Settings or everything that is wrong with it out.
//
//   config::DiskFiles disk;
//   auto loaded = config::load("/etc/ballast/ballast.yaml", {.files = disk, .regex_check = check_re2});
//   if (!loaded) return refuse(loaded.error().render());
//
// text -> tree (yaml.cc) -> variables (expand.h) -> includes (include.h) -> values (schema.h) -> checks (checks.h).
// Blocks while it reads files; belongs on the control thread. Bounded in time and memory for any input.
#pragma once

#include <expected>
#include <string>

#include "config/diagnostics.h"
#include "config/files.h"
#include "config/kind.h"
#include "config/settings.h"

namespace ballast::config {

struct Loaded {
  Settings settings;
  Diagnostics warnings;  // no errors among them
};

struct LoadOptions {
  FileReader& files;
  RegexCheck regex_check = {};     // none: any text is taken for an expression
  KeySetCheck key_set_check = {};  // none: any file is taken for a set of keys
};

std::expected<Loaded, Diagnostics> load(const std::string& path, const LoadOptions& options);

// The same for text at hand; `name` is what diagnostics call it and what includes are relative to.
std::expected<Loaded, Diagnostics> load_text(const std::string& name, std::string text, const LoadOptions& options);

}  // namespace ballast::config
