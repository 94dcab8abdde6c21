#include "config/text_checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/words.h"

namespace ballast::config {
namespace {

bool is_visible(char c) {
  return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F;
}

}  // namespace

std::string visible_ascii(std::string_view value) {
  if (std::ranges::all_of(value, is_visible)) return "";
  return fmt::format("{} has a blank or a character that is not ASCII", quote(value));
}

std::string fetchable_url(std::string_view value) {
  const std::string_view scheme = value.starts_with("https://") ? "https://" : "http://";
  if (!value.starts_with(scheme)) return fmt::format("{} does not begin with http:// or https://", quote(value));
  if (!std::ranges::all_of(value, [](char c) { return is_visible(c) && c != '@' && c != '#'; })) {
    return fmt::format("{} has a character that cannot stand there", quote(value));
  }
  const std::string_view rest = value.substr(scheme.size());
  if (rest.empty() || rest.front() == '/' || rest.front() == ':') return fmt::format("{} names no host", quote(value));
  return "";
}

}  // namespace ballast::config
