#include "config/expand.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "config/words.h"

namespace ballast::config {
namespace {

bool is_variable_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  return !text.empty() && letter(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

class Expander {
 public:
  Expander(const TreeLimits& limits, FileReader& files, Diagnostics& diagnostics)
      : bytes_left_(limits.scalar_bytes_max), files_(files), diagnostics_(diagnostics) {}

  void walk(Node& node) {
    if (node.text.find("${") != std::string::npos) {
      if (auto text = expanded(node)) node.text = std::move(*text);
    }
    for (Node& item : node.items) walk(item);
    for (Entry& entry : node.entries) walk(entry.value);
  }

 private:
  // None after an error.
  std::optional<std::string> expanded(const Node& node) {
    std::string result;
    for (std::string_view rest = node.text;;) {
      const std::size_t open = rest.find("${");
      if (open == std::string_view::npos) return result += rest;
      if (open > 0 && rest[open - 1] == '$') {
        result += rest.substr(0, open - 1);
        result += "${";
        rest.remove_prefix(open + 2);
        continue;
      }
      const std::size_t close = rest.find('}', open);
      if (close == std::string_view::npos) {
        diagnostics_.error(node.mark, "\"${\" is never closed; write $${ for the characters themselves");
        return std::nullopt;
      }
      result += rest.substr(0, open);
      const auto value = variable(rest.substr(open + 2, close - open - 2), node.mark);
      if (!value) return std::nullopt;
      if (value->size() > bytes_left_) {
        diagnostics_.error(node.mark, "the variables of this file hold too much text");
        return std::nullopt;
      }
      bytes_left_ -= value->size();
      result += *value;
      rest.remove_prefix(close + 1);
    }
  }

  std::optional<std::string> variable(std::string_view inside, const Mark& mark) {
    const std::size_t separator = inside.find(":-");
    const std::string name(inside.substr(0, separator));
    if (!is_variable_name(name)) {
      diagnostics_.error(mark,
                         fmt::format("{} is not the name of an environment variable; write $${{ for the characters "
                                     "\"${{\" themselves",
                                     quote(name)));
      return std::nullopt;
    }
    auto value = files_.environment(name);
    if (separator != std::string_view::npos && (!value || value->empty())) {
      return std::string(inside.substr(separator + 2));
    }
    if (!value) {
      diagnostics_.error(
          mark,
          fmt::format("the environment variable {} is not set; set it, or give a default: ${{{}:-...}}", name, name));
    }
    return value;
  }

  std::size_t bytes_left_;
  FileReader& files_;
  Diagnostics& diagnostics_;
};

}  // namespace

void expand_variables(Node& node, const TreeLimits& limits, FileReader& files, Diagnostics& diagnostics) {
  Expander(limits, files, diagnostics).walk(node);
}

}  // namespace ballast::config
