#include "wire/tls/name_table.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace ballast::tls {

NameTable::NameTable(const std::vector<Entry>& entries) {
  CHECK(!entries.empty());
  std::map<std::string, Bundle, std::less<>> by_name;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    for (const std::string& name : entries[i].names) {
      Bundle& bundle = by_name[name];
      const bool has_kind = std::any_of(bundle.begin(), bundle.end(), [&](std::uint32_t other) {
        return entries[other].key_kind == entries[i].key_kind;
      });
      if (!has_kind) bundle.push_back(static_cast<std::uint32_t>(i));
    }
  }
  const std::vector<std::string>& first = entries.front().names;
  bundles_.push_back(first.empty() ? Bundle{0} : by_name[first.front()]);
  for (auto& [name, bundle] : by_name) names_.emplace(name, place_of(bundle));
}

std::uint32_t NameTable::place_of(const Bundle& bundle) {
  const auto known = std::find(bundles_.begin(), bundles_.end(), bundle);
  if (known != bundles_.end()) return static_cast<std::uint32_t>(known - bundles_.begin());
  bundles_.push_back(bundle);
  return static_cast<std::uint32_t>(bundles_.size() - 1);
}

std::optional<std::uint32_t> NameTable::find(Bytes name) const {
  // The longest that DNS allows, with room for the asterisk.
  std::array<char, 256> lower;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > 253) return std::nullopt;
  std::transform(name.begin(), name.end(), lower.begin() + 1,
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const Bytes whole(lower.data() + 1, name.size());
  if (const auto exact = names_.find(whole); exact != names_.end()) return exact->second;
  const std::size_t dot = whole.find('.');
  if (dot == 0 || dot == Bytes::npos) return std::nullopt;
  lower[dot] = '*';  // just before the dot
  const auto wildcard = names_.find(Bytes(lower.data() + dot, name.size() - dot + 1));
  if (wildcard == names_.end()) return std::nullopt;
  return wildcard->second;
}

}  // namespace ballast::tls
