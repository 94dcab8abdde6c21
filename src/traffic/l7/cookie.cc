#include "traffic/l7/cookie.h"

namespace ballast::traffic {

namespace {

Bytes trimmed(Bytes text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<Bytes> CookieReader::next() {
  while (true) {
    while (!rest_.empty()) {
      const std::size_t semicolon = rest_.find(';');
      const Bytes pair = trimmed(rest_.substr(0, semicolon));
      rest_ = semicolon == Bytes::npos ? Bytes() : rest_.substr(semicolon + 1);
      const std::size_t equals = pair.find('=');
      if (equals == Bytes::npos || pair.substr(0, equals) != name_) continue;
      Bytes value = pair.substr(equals + 1);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      return value;
    }
    while (at_ != fields_.end() && at_->id != http::HeaderId::Cookie) ++at_;
    if (at_ == fields_.end()) return std::nullopt;
    rest_ = fields_.value(*at_++);
  }
}

}  // namespace ballast::traffic
