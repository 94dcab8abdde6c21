#include "wire/http/message.h"

#include "wire/http/list.h"

namespace ballast::http {

const Field* Fields::find(HeaderId id) const {
  for (const Field& field : *this) {
    if (field.id == id) return &field;
  }
  return nullptr;
}

const Field* Fields::find(Bytes wanted) const {
  for (const Field& field : *this) {
    if (iequals(name(field), wanted)) return &field;
  }
  return nullptr;
}

Bytes RequestHead::host() const {
  const Bytes whole = authority();
  // The parser saw to it that an address in brackets is closed, and that no other host has a colon.
  const std::size_t end = whole.starts_with('[') ? whole.find(']') + 1 : whole.find(':');
  return whole.substr(0, end);
}

bool RequestHead::is_idempotent() const {
  const Bytes name = method();
  return name == "GET" || name == "HEAD" || name == "PUT" || name == "DELETE" || name == "OPTIONS" || name == "TRACE";
}

}  // namespace ballast::http
