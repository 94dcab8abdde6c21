#include "config/words.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace ballast::config {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Insertions, deletions, replacements and swaps of neighbours, without case.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = above[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      row[j] = std::min({replace, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::string crop(std::string_view text, std::size_t bytes_max) {
  const bool cut = text.size() > bytes_max;
  if (cut) {
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end);
  }
  std::string result(text);
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  if (cut) result += "...";
  return result;
}

std::string quote(std::string_view text) {
  return '"' + crop(text) + '"';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string join(std::span<const std::string> names, std::size_t shown_max) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < shown_max; ++i) {
    if (i > 0) text += ", ";
    text += crop(names[i]);
  }
  if (names.size() > shown_max) text += fmt::format(" and {} more", names.size() - shown_max);
  return text;
}

std::optional<std::string> nearest(std::string_view name, std::span<const std::string> known) {
  constexpr std::size_t name_bytes_max = 64;
  if (name.empty() || name.size() > name_bytes_max) return std::nullopt;
  std::size_t best = std::min(name.size(), std::max<std::size_t>(1, name.size() / 3) + 1);
  const std::string* found = nullptr;
  for (const std::string& candidate : known.first(std::min<std::size_t>(known.size(), 1000))) {
    const std::size_t gap =
        candidate.size() > name.size() ? candidate.size() - name.size() : name.size() - candidate.size();
    if (gap >= best) continue;
    const std::size_t d = distance(name, candidate);
    if (d < best) {
      best = d;
      found = &candidate;
    }
  }
  return found ? std::optional(*found) : std::nullopt;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> known) {
  const auto near = nearest(name, known);
  return near ? fmt::format("; did you mean {}?", quote(*near)) : "";
}

}  // namespace ballast::config
