#include "traffic/l7/cookie.h"

#include <algorithm>

#include "base/check.h"
#include "wire/http/octets.h"

namespace ballast::traffic {

namespace {

// Up to the next semicolon, which is taken off with it.
Bytes take_pair(Bytes& rest) {
  const std::size_t semicolon = rest.find(';');
  const Bytes pair = rest.substr(0, semicolon);
  rest = semicolon == Bytes::npos ? Bytes() : rest.substr(semicolon + 1);
  return pair;
}

}  // namespace

bool is_cookie(Bytes pair, Bytes name) {
  const std::size_t equals = pair.find('=');
  return equals != Bytes::npos && http::trim_space(pair.substr(0, equals)) == name;
}

Bytes without_cookies(Bytes value, std::span<const Bytes> names, std::string& kept) {
  const auto is_own = [names](Bytes pair) {
    return std::ranges::any_of(names, [pair](Bytes name) { return is_cookie(pair, name); });
  };
  bool has_it = false;
  for (Bytes rest = value; !rest.empty() && !has_it;) has_it = is_own(take_pair(rest));
  if (!has_it) return value;
  // What was put there before is looked at where it stands.
  CHECK(kept.capacity() - kept.size() >= value.size());
  const std::size_t begin = kept.size();
  bool is_first = true;
  for (Bytes rest = value; !rest.empty();) {
    const Bytes pair = take_pair(rest);
    if (is_own(pair)) continue;
    if (!is_first) kept += ';';
    kept += is_first ? http::trim_space(pair) : pair;
    is_first = false;
  }
  return http::trim_space(Bytes(kept).substr(begin));
}

std::optional<Bytes> CookieReader::next() {
  while (true) {
    while (!rest_.empty()) {
      const Bytes pair = http::trim_space(take_pair(rest_));
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
