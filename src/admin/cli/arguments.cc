#include "admin/cli/arguments.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/words.h"

namespace ballast::admin {

Result<Arguments> Arguments::parse(std::span<const std::string> arguments, std::span<const Option> options) {
  Arguments out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      out.words_.insert(out.words_.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (!argument.starts_with('-') || argument == "-") {
      out.words_.push_back(argument);
      continue;
    }
    const std::string name = argument == "-h" ? "--help" : argument.substr(0, argument.find('='));
    const auto option = std::ranges::find(options, name, &Option::name);
    if (option == options.end()) {
      std::vector<std::string> known;
      for (const Option& o : options) known.emplace_back(o.name);
      return fail(Code::Invalid,
                  fmt::format("unknown option {}{}", config::crop(name), config::did_you_mean(name, known)));
    }
    const bool has_value = name.size() < argument.size() && argument != "-h";
    const bool may_have_value = option->value.starts_with('[');
    if (option->value.empty() || (may_have_value && !has_value)) {
      if (has_value) return fail(Code::Invalid, fmt::format("option {} takes no value", name));
      out.values_.insert_or_assign(name, std::string());
    } else if (has_value) {
      out.values_.insert_or_assign(name, argument.substr(name.size() + 1));
    } else {
      if (i + 1 == arguments.size()) {
        return fail(Code::Invalid, fmt::format("option {} needs a value: {} {}", name, name, option->value));
      }
      out.values_.insert_or_assign(name, arguments[++i]);
    }
  }
  return out;
}

std::optional<std::string> Arguments::value(std::string_view option) const {
  const auto found = values_.find(option);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

}  // namespace ballast::admin
