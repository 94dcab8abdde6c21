#include "traffic/l7/stay.h"

#include <iterator>

#include <fmt/format.h>

#include "traffic/balance/balancer.h"
#include "traffic/l7/cookie.h"
#include "traffic/l7/exchange.h"
#include "traffic/protect/client_group.h"

namespace ballast::traffic {
namespace {

// A browser holds one for each path and domain that it was set for; who sends more than this is no browser.
constexpr int cookies_looked_at = 8;
// What one customer has of IPv6.
constexpr int ipv6_prefix = 64;
constexpr std::size_t digits = 5;

// Five digits of lower-case hex; anything else is not of ours.
std::optional<std::uint64_t> place_of(Bytes value) {
  if (value.size() != digits) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : value) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (c < 'a' || c > 'f')) return std::nullopt;
    number = number * 16 + static_cast<std::uint64_t>(is_digit ? c - '0' : c - 'a' + 10);
  }
  return number << 44;
}

}  // namespace

std::optional<std::uint64_t> stay_place(const http::RequestHead& head, const std::array<std::uint8_t, 16>& source,
                                        const config::StayBy& by) {
  switch (by.kind) {
    case config::StayKind::OwnCookie: {
      CookieReader cookies(head.fields, Bytes(config::group_cookie_name));
      for (int i = 0; i < cookies_looked_at; ++i) {
        const auto value = cookies.next();
        if (!value.has_value()) break;
        if (const auto place = place_of(*value)) return place;
      }
      return std::nullopt;
    }
    case config::StayKind::Cookie: {
      const auto value = cookie_value(head.fields, by.name);
      return value.has_value() && !value->empty() ? std::optional(key_of(*value)) : std::nullopt;
    }
    case config::StayKind::Header: {
      const http::Field* field = head.fields.find(Bytes(by.name));
      if (field == nullptr || head.fields.value(*field).empty()) return std::nullopt;
      return key_of(head.fields.value(*field));
    }
    case config::StayKind::Source: {
      const auto client = client_group(source, ipv6_prefix);
      return key_of({reinterpret_cast<const char*>(client.data()), client.size()});
    }
  }
  return std::nullopt;
}

void write_stay_cookie(std::string& out, StayDrawn drawn, StaySecure secure) {
  out.clear();
  // Longer than a release takes to be out everywhere, and no longer.
  fmt::format_to(std::back_inserter(out), "{}={:05x}; Path=/; Max-Age=2592000; HttpOnly{}; SameSite=Lax",
                 config::group_cookie_name, drawn.number, secure == StaySecure::Yes ? "; Secure" : "");
}

std::uint64_t Exchange::place_among_groups(const ForwardTo& forward_to) {
  if (!forward_to.stay_by.has_value()) return worker_.random();
  if (const auto place = stay_place(state_->request, source_, *forward_to.stay_by)) return *place;
  if (forward_to.stay_by->kind != config::StayKind::OwnCookie) return worker_.random();
  return stay_drawn_.emplace(worker_.random()).place();
}

Bytes Exchange::group_cookie() const {
  const auto* forward_to = std::get_if<ForwardTo>(&route_->action);
  const bool has = forward_to != nullptr && forward_to->stay_by.has_value() &&
                   forward_to->stay_by->kind == config::StayKind::OwnCookie;
  return has ? Bytes(config::group_cookie_name) : Bytes();
}

void Exchange::stay() {
  if (!stay_drawn_.has_value()) return;
  write_stay_cookie(state_->group_cookie, *stay_drawn_, client_.is_over_tls() ? StaySecure::Yes : StaySecure::No);
  state_->lines.push_back({"Set-Cookie", state_->group_cookie});
}

}  // namespace ballast::traffic
