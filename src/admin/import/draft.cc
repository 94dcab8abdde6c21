#include "admin/import/draft.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "config/load.h"
#include "config/words.h"

namespace ballast::admin {
namespace {

template <typename Items>
std::string unused_name(std::string_view wanted, const Items& taken) {
  const std::string name = yaml_name(wanted);
  const auto is_taken = [&](const std::string& each) {
    return std::ranges::find(taken, each, &Items::value_type::name) != taken.end();
  };
  if (!is_taken(name)) return name;
  for (int number = 2;; ++number) {
    constexpr std::size_t room = 58;  // of the 64 bytes of a name
    std::string next = fmt::format("{}-{}", name.substr(0, room), number);
    if (!is_taken(next)) return next;
  }
}

std::string rule_text(const DraftRule& rule) {
  DraftProperties match;
  if (!rule.host.empty()) match.emplace_back("host", yaml_list(rule.host));
  if (!rule.path.empty()) match.emplace_back("path", yaml_list(rule.path));
  if (!rule.method.empty()) match.emplace_back("method", yaml_list(rule.method));
  if (!rule.source.empty()) match.emplace_back("source", yaml_list(rule.source));
  if (!rule.header.empty()) match.emplace_back("header", yaml_map(rule.header));
  if (!rule.query.empty()) match.emplace_back("query", yaml_map(rule.query));
  std::string text = fmt::format("      - match: {}\n", yaml_map(match));
  if (!rule.auth.empty()) text += fmt::format("        auth: {}\n", rule.auth);
  return text + fmt::format("        {}\n", rule.action);
}

bool is_meta(char c) {
  return std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos;
}

// Whether brackets and parentheses are in balance, and nothing is there that RE2 does not know.
bool is_for_re2(std::string_view text) {
  constexpr std::size_t bytes_max = 900;
  if (text.empty() || text.size() > bytes_max) return false;
  int depth = 0;
  bool in_set = false;
  std::size_t set_at = 0;
  bool may_repeat = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) return false;
    if (c == '\\') {
      if (++i == text.size()) return false;
      constexpr std::string_view known = "dDwWsSbBnrtfv";
      const char next = text[i];
      const bool is_letter =
          (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || (next >= '0' && next <= '9');
      if (is_letter && known.find(next) == std::string_view::npos) return false;
      if (in_set && (next == 'b' || next == 'B')) return false;
      may_repeat = true;
      continue;
    }
    if (in_set) {
      if (c == '[') return false;  // a class by name, or a slip; RE2 may take it otherwise
      if (c == ']' && i > set_at + 1) in_set = false;
      if (c == '-') {
        // A range that runs backwards is an error.
        const bool is_range = i > set_at + 1 && i + 1 < text.size() && text[i + 1] != ']';
        if (is_range && (text[i + 1] == '\\' || text[i - 1] == '\\' || text[i - 1] > text[i + 1])) return false;
      }
      continue;
    }
    switch (c) {
      case '[':
        in_set = true;
        set_at = i;
        if (i + 1 < text.size() && text[i + 1] == '^') set_at = ++i;
        may_repeat = true;
        break;
      case '(':
        ++depth;
        if (i + 1 < text.size() && text[i + 1] == '?') {
          const std::string_view rest = text.substr(i + 2);
          if (rest.starts_with(':')) {
            i += 2;
          } else if (rest.starts_with('<') && !rest.starts_with("<=") && !rest.starts_with("<!")) {
            const std::size_t close = rest.find('>');
            if (close == std::string_view::npos || close < 2) return false;
            for (const char letter : rest.substr(1, close - 1)) {
              if (!((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_'))
                return false;
            }
            i += 2 + close;
          } else {
            return false;
          }
        }
        may_repeat = false;
        break;
      case ')':
        if (--depth < 0) return false;
        may_repeat = true;
        break;
      case '*':
      case '+':
      case '?':
        if (!may_repeat) return false;
        if (i + 1 < text.size() && text[i + 1] == '?') ++i;
        may_repeat = false;  // possessive, or a repetition of a repetition
        break;
      case '{': {
        const std::size_t close = text.find('}', i);
        const std::string_view inside = close == std::string_view::npos ? "" : text.substr(i + 1, close - i - 1);
        // Only {n}, with a number that is not large: more is rare, and an error where it is wrong.
        if (!may_repeat || inside.empty() || inside.size() > 2 ||
            !std::ranges::all_of(inside, [](char d) { return d >= '0' && d <= '9'; })) {
          return false;
        }
        i = close;
        may_repeat = false;
        break;
      }
      case '}':
        return false;
      case '|':
      case '^':
      case '$':
        may_repeat = false;
        break;
      default:
        may_repeat = true;
    }
  }
  return depth == 0 && !in_set;
}

}  // namespace

std::string yaml_map(const DraftProperties& properties) {
  std::string text;
  for (const auto& [key, value] : properties) text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", key, value);
  return text.empty() ? "{}" : "{ " + text + " }";
}

std::string yaml_list(const std::vector<std::string>& items) {
  return items.size() == 1 ? items.front() : fmt::format("[ {} ]", fmt::join(items, ", "));
}

std::string yaml_regex(std::string_view expression) {
  return fmt::format("{{ regex: {} }}", yaml_text(expression));
}

std::string yaml_pattern(std::string_view text, Extent extent) {
  const bool open_end = extent == Extent::Prefix || extent == Extent::Part;
  const bool open_begin = extent == Extent::Suffix || extent == Extent::Part;
  if (text.empty()) return yaml_text("*");
  if (text.find_first_of("*?") == std::string_view::npos) {
    return yaml_text(fmt::format("{}{}{}", open_begin ? "*" : "", text, open_end ? "*" : ""));
  }
  std::string expression = "(?s)";
  if (open_begin) expression += ".*";
  for (const char c : text) {
    if (is_meta(c)) expression += '\\';
    expression += c;
  }
  if (open_end) expression += ".*";
  return yaml_regex(expression);
}

std::string closed_action(int status, std::string_view words) {
  return fmt::format("fixed_response: {{ status: {}, body: {} }}", status, yaml_text(fmt::format("{}\n", words)));
}

std::string whole_expression(const Expression& pcre) {
  if (!is_for_re2(pcre.text)) return {};
  std::string text(pcre.text);
  for (std::size_t at = text.find("(?<"); at != std::string::npos; at = text.find("(?<", at + 4))
    text.insert(at + 2, "P");
  const std::string flags = pcre.ignores_case ? "(?is)" : "(?s)";
  return fmt::format("{}.*(?:{}).*", flags, text);
}

std::string shown(std::string_view text) {
  constexpr std::size_t bytes_max = 200;
  std::string line = config::crop(text, bytes_max);
  // In a comment of a file that must be UTF-8.
  std::ranges::replace_if(line, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return line;
}

bool DraftGroup::add_target(const std::string& address, long weight) {
  if (std::ranges::find(addresses, address) != addresses.end()) return false;
  addresses.push_back(address);
  targets.push_back(weight == 1 ? yaml_text(address)
                                : fmt::format("{{ address: {}, weight: {} }}", yaml_text(address), weight));
  return true;
}

void Draft::note(const std::string& file, int line, std::string text) {
  if (notes_.size() >= notes_max) {
    ++notes_left_out_;
    return;
  }
  notes_.push_back({.file = file, .line = line, .text = shown(text)});
}

std::string Draft::name_for_group(std::string_view wanted) const {
  return unused_name(wanted, groups);
}

std::string Draft::name_for_listener(std::string_view wanted) const {
  return unused_name(wanted, listeners);
}

std::string Draft::render(std::string_view from) const {
  std::string text = fmt::format("# Made from {} ({}).\n", shown(source_.path), from);
  if (!notes_.empty()) text += "# Not carried over, or changed:\n";
  for (const Note& note : notes_) {
    const std::string& file = note.file.empty() ? source_.path : note.file;
    text += note.line == 0 ? fmt::format("#   {}: {}\n", shown(file), note.text)
                           : fmt::format("#   {}:{}: {}\n", shown(file), note.line, note.text);
  }
  for (const auto& [key, value] : properties) text += fmt::format("{}: {}\n", key, value);
  text += "listeners:\n";
  for (const DraftListener& listener : listeners) {
    text += fmt::format("  {}:\n    address: {}\n    protocol: {}\n", yaml_text(listener.name),
                        yaml_text(listener.address), listener.protocol);
    for (const auto& [key, value] : listener.properties) text += fmt::format("    {}: {}\n", key, value);
    const bool asks = !listener.otherwise.auth.empty() && listener.otherwise.auth != "off";
    if (asks) text += fmt::format("    auth: {}\n", listener.otherwise.auth);
    if (!listener.rules.empty()) text += "    rules:\n";
    for (DraftRule rule : listener.rules) {
      if (asks && rule.auth.empty()) rule.auth = "off";
      if (!asks && rule.auth == "off") rule.auth.clear();
      text += rule_text(rule);
    }
    text += fmt::format("    default: {{ {} }}\n", listener.otherwise.action);
  }
  if (!groups.empty()) text += "target_groups:\n";
  for (const DraftGroup& group : groups) {
    text += fmt::format("  {}:\n    protocol: {}\n", yaml_text(group.name), group.protocol);
    for (const auto& [key, value] : group.properties) text += fmt::format("    {}: {}\n", key, value);
    if (!group.targets.empty()) text += "    targets:\n";
    for (const std::string& target : group.targets) text += fmt::format("      - {}\n", target);
  }
  return text;
}

Imported Draft::finish(std::string_view from) {
  if (listeners.empty()) return {.yaml = {}, .notes = std::move(notes_)};
  if (notes_left_out_ != 0) {
    notes_.push_back({.file = {}, .line = 0, .text = fmt::format("and {} notes more", notes_left_out_)});
  }
  // In the order of the file, though a group is read where it is first used. A map keeps equal places as they came.
  std::multimap<std::pair<std::string, int>, Note> in_order;
  for (Note& note : notes_) {
    std::pair<std::string, int> place(note.file == source_.path ? "" : note.file, note.line);
    in_order.emplace(std::move(place), std::move(note));
  }
  notes_.clear();
  for (auto& [place, note] : in_order) notes_.push_back(std::move(note));
  std::string yaml = render(from);
  const auto loaded = config::load_text(source_.path, yaml, {.files = source_.files});
  if (!loaded) {
    for (const config::Diagnostic& wrong : loaded.error().sorted()) {
      if (wrong.severity != config::Severity::Error) continue;
      notes_.push_back(
          {.file = {}, .line = 0, .text = shown(fmt::format("what came of it is not taken: {}", wrong.text))});
    }
    yaml.clear();
  }
  return {.yaml = std::move(yaml), .notes = std::move(notes_)};
}

}  // namespace ballast::admin
