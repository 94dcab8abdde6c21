#include "config/wildcard.h"

#include <optional>

namespace ballast::config {
namespace {

// The bytes of `pattern` that stand for one character, when that character is `c`; none where it is not.
std::optional<std::size_t> match_one(std::string_view pattern, char c) {
  if (pattern[0] == '?') return 1;
  if (pattern[0] != '[') return pattern[0] == c ? std::optional<std::size_t>(1) : std::nullopt;
  std::size_t at = 1;
  const bool negated = at < pattern.size() && pattern[at] == '!';
  if (negated) ++at;
  bool inside = false;
  for (const std::size_t first = at; at < pattern.size() && (pattern[at] != ']' || at == first);) {
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      inside = inside || (pattern[at] <= c && c <= pattern[at + 2]);
      at += 3;
    } else {
      inside = inside || pattern[at] == c;
      ++at;
    }
  }
  if (at >= pattern.size()) return c == '[' ? std::optional<std::size_t>(1) : std::nullopt;  // never closed: plain
  return inside != negated ? std::optional(at + 1) : std::nullopt;
}

}  // namespace

bool has_wildcard(std::string_view path) {
  return path.find_first_of("*?[") != std::string_view::npos;
}

bool matches_wildcard(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  std::size_t p = 0;
  std::size_t n = 0;
  // Where to go on when the last `*` has to take one character more.
  std::optional<std::size_t> star;
  std::size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_name = n;
    } else if (const auto taken = p < pattern.size() ? match_one(pattern.substr(p), name[n]) : std::nullopt) {
      p += *taken;
      ++n;
    } else if (star) {
      p = *star;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace ballast::config
