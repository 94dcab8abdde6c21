#include "config/forms.h"

#include <algorithm>

namespace ballast::config {

bool is_name(std::string_view text) {
  const auto alphanumeric = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= 64 && alphanumeric(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace ballast::config
