#include "admin/api/request.h"

#include <optional>

#include <fmt/format.h>

namespace ballast::admin {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    out += c;
  }
  return out;
}

template <typename Visit>
void split(std::string_view text, char separator, Visit visit) {
  while (!text.empty()) {
    const std::size_t at = text.find(separator);
    visit(text.substr(0, at));
    if (at == std::string_view::npos) return;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

std::string_view Target::parameter(std::string_view name) const {
  for (const Parameter& parameter : parameters) {
    if (parameter.name == name) return parameter.value;
  }
  return {};
}

Target take_apart(std::string_view target) {
  Target out;
  const auto decoded = [&](std::string_view text) {
    std::optional<std::string> plain = percent_decode(text);
    if (!plain) out.malformed = true;
    return plain.value_or(std::string());
  };
  const std::size_t question = target.find('?');
  std::string_view path = target.substr(0, question);
  if (!path.starts_with('/')) out.malformed = true;
  if (!path.empty()) path.remove_prefix(1);
  split(path, '/', [&](std::string_view segment) { out.segments.push_back(decoded(segment)); });
  if (question != std::string_view::npos) {
    split(target.substr(question + 1), '&', [&](std::string_view pair) {
      const std::size_t equals = pair.find('=');
      out.parameters.push_back({decoded(pair.substr(0, equals)),
                                equals == std::string_view::npos ? std::string() : decoded(pair.substr(equals + 1))});
    });
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || c == ':';
    if (plain) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace ballast::admin
