#include "admin/import/workers_properties_file.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/words.h"

namespace ballast::admin {

namespace {

constexpr std::size_t value_bytes_max = 64 * kib;  // with its variables: they may be put in again and again

// Given twice, these are joined; of all others the last is taken.
bool is_joined(std::string_view key) {
  constexpr std::array<std::string_view, 4> names{".balance_workers", ".balanced_workers", ".mount", ".good"};
  return key == "worker.list" || std::ranges::any_of(names, [&](auto name) { return key.ends_with(name); });
}

// Up to a '#', which "\#" is not.
std::string without_comment(std::string_view line) {
  std::string out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '#')
      ++i;
    else if (line[i] == '#')
      break;
    out += line[i];
  }
  return out;
}

}  // namespace

std::vector<std::string> listed_words(std::string_view text) {
  constexpr std::string_view separators = " \t,;";
  std::vector<std::string> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(separators);
    if (begin == std::string_view::npos) return words;
    const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
}

PropertyFile::PropertyFile(const ImportSource& source, std::vector<Note>& notes) {
  std::string_view rest = source.text;
  for (int line = 1; !rest.empty(); ++line) {
    const std::size_t end = rest.find('\n');
    const std::string text = without_comment(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const std::string_view content = config::trimmed(text);
    if (content.empty()) continue;
    const std::size_t equals = content.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      notes.push_back({.line = line, .text = fmt::format("{}: not of the form name=value", config::crop(content))});
      continue;
    }
    const std::string key(config::trimmed(content.substr(0, equals)));
    add(key, expanded(config::trimmed(content.substr(equals + 1)), source.files), line, notes);
  }
}

void PropertyFile::add(std::string key, std::string value, int line, std::vector<Note>& notes) {
  const auto [known, added] = by_key_.emplace(key, properties_.size());
  if (added) {
    properties_.push_back({.key = std::move(key), .value = std::move(value), .line = line});
    return;
  }
  Property& first = properties_[known->second];
  if (is_joined(first.key)) {
    if (first.value.size() + value.size() < value_bytes_max) first.value += "," + value;
    return;
  }
  notes.push_back(
      {.line = first.line,
       .text = fmt::format("{}: given again in line {}, which is the one that counts", config::crop(first.key), line)});
  first.value = std::move(value);
  first.line = line;
}

// A variable is a property that stands above, or one of the environment; what is neither stays as it is.
std::string PropertyFile::expanded(std::string_view value, config::FileReader& files) const {
  std::string out;
  while (true) {
    const std::size_t open = value.find("$(");
    const std::size_t close = open == std::string_view::npos ? open : value.find(')', open);
    if (close == std::string_view::npos || out.size() > value_bytes_max) break;
    const std::string name(value.substr(open + 2, close - open - 2));
    out += value.substr(0, open);
    if (const Property* property = look(name); property != nullptr) {
      out += property->value;
    } else if (const auto variable = files.environment(name); variable.has_value()) {
      out += *variable;
    } else {
      out += value.substr(open, close + 1 - open);
    }
    value.remove_prefix(close + 1);
  }
  out += value;
  out.resize(std::min(out.size(), value_bytes_max));
  return out;
}

const PropertyFile::Property* PropertyFile::look(const std::string& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &properties_[found->second];
}

const PropertyFile::Property* PropertyFile::look(const std::string& worker, std::string_view name) const {
  constexpr int references_max = 20;  // mod_jk's own bound; a ring ends here
  std::string prefix = "worker." + worker;
  for (int i = 0; i < references_max; ++i) {
    if (const Property* property = look(fmt::format("{}.{}", prefix, name)); property != nullptr) return property;
    const Property* reference = look(prefix + ".reference");
    if (reference == nullptr) return nullptr;
    prefix = reference->value;
  }
  return nullptr;
}

PropertyFile::Property* PropertyFile::find(const std::string& key) {
  auto* property = const_cast<Property*>(look(key));
  if (property != nullptr) property->settled = true;
  return property;
}

PropertyFile::Property* PropertyFile::find(const std::string& worker, std::string_view name) {
  auto* property = const_cast<Property*>(look(worker, name));
  if (property != nullptr) property->settled = true;
  return property;
}

bool PropertyFile::has(const std::string& worker, std::string_view name) const {
  return look(worker, name) != nullptr;
}

std::string PropertyFile::worker_of(std::string_view key) {
  constexpr std::string_view prefix = "worker.";
  if (!key.starts_with(prefix)) return "";
  const std::string_view rest = key.substr(prefix.size());
  const std::size_t dot = rest.rfind('.');
  return dot == std::string_view::npos ? "" : std::string(rest.substr(0, dot));
}

}  // namespace ballast::admin
