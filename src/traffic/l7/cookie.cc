#include "traffic/l7/cookie.h"

namespace ballast::traffic {

namespace {

Bytes trimmed(Bytes text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<Bytes> cookie_value(const http::Fields& fields, Bytes name) {
  for (const http::Field& field : fields) {
    if (field.id != http::HeaderId::Cookie) continue;
    Bytes rest = fields.value(field);
    while (!rest.empty()) {
      const std::size_t semicolon = rest.find(';');
      const Bytes pair = trimmed(rest.substr(0, semicolon));
      rest = semicolon == Bytes::npos ? Bytes() : rest.substr(semicolon + 1);
      const std::size_t equals = pair.find('=');
      if (equals == Bytes::npos || pair.substr(0, equals) != name) continue;
      Bytes value = pair.substr(equals + 1);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace ballast::traffic
