// Wildcards of file names in `include:`: `*`, `?` and `[...]` (with ranges and `!`), as a shell matches them.
//
// Pure functions. Hidden files (a leading ".") match only a pattern that starts with "." itself.
#pragma once

#include <string_view>

namespace ballast::config {

bool has_wildcard(std::string_view path);
// Time grows with pattern times name, never faster.
bool matches_wildcard(std::string_view pattern, std::string_view name);

}  // namespace ballast::config
