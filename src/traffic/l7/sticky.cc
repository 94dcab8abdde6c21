#include "traffic/l7/sticky.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "traffic/balance/balancer.h"
#include "traffic/l7/cookie.h"
#include "traffic/l7/exchange.h"
#include "traffic/protect/client_group.h"
#include "wire/http/list.h"
#include "wire/http/octets.h"

namespace ballast::traffic {

namespace {

// A browser holds one for each path and domain that it was set for; who sends more than this is no browser.
constexpr int cookies_looked_at = 8;
// What one customer has of IPv6.
constexpr int ipv6_prefix = 64;
// "Thu, 01 Jan 1970 00:00:00 GMT" and what else is written for it.
constexpr std::size_t lifetime_value_max = 64;

// Up to the next semicolon, which is taken off with it.
Bytes take_part(Bytes& rest) {
  const std::size_t semicolon = rest.find(';');
  const Bytes part = rest.substr(0, semicolon);
  rest = semicolon == Bytes::npos ? Bytes() : rest.substr(semicolon + 1);
  return http::trim_space(part);
}

Bytes word_of(config::SameSite same_site) {
  switch (same_site) {
    case config::SameSite::Lax:
      return "Lax";
    case config::SameSite::Strict:
      return "Strict";
    case config::SameSite::None:
      return "None";
  }
  return "Lax";
}

}  // namespace

const StickyTargets::Each* sticky_claim(const http::RequestHead& head, const config::Sticky& sticky,
                                        const StickyTargets& targets) {
  if (targets.empty()) return nullptr;
  // Without its session a client has nothing that another target would lack.
  if (sticky.by.kind == config::StickyKind::ApplicationCookie && !cookie_value(head.fields, sticky.by.name)) {
    return nullptr;
  }
  const StickyTargets::Each* known = nullptr;
  CookieReader cookies(head.fields, sticky.name);
  for (int i = 0; i < cookies_looked_at; ++i) {
    const auto token = cookies.next();
    if (!token.has_value()) break;
    const StickyTargets::Each* found = targets.find(*token);
    if (found == nullptr) continue;
    if (found->slot.has_value()) return found;
    if (known == nullptr) known = found;
  }
  return known;
}

std::optional<std::uint64_t> sticky_hash(const http::RequestHead& head, const std::array<std::uint8_t, 16>& source,
                                         const config::Sticky& sticky) {
  if (sticky.by.kind == config::StickyKind::Source) {
    const auto client = client_group(source, ipv6_prefix);
    return key_of({reinterpret_cast<const char*>(client.data()), client.size()});
  }
  if (sticky.by.kind != config::StickyKind::Header) return std::nullopt;
  const http::Field* field = head.fields.find(Bytes(sticky.by.name));
  if (field == nullptr || head.fields.value(*field).empty()) return std::nullopt;
  return key_of(head.fields.value(*field));
}

std::optional<std::string> lifetime_set(const http::Fields& response, Bytes name) {
  std::optional<std::string> lifetime;
  for (const http::Field& field : response) {
    if (!http::iequals(response.name(field), "Set-Cookie")) continue;
    Bytes rest = response.value(field);
    if (!is_cookie(take_part(rest), name)) continue;
    lifetime.emplace();  // where it is set twice, the later counts
    while (!rest.empty()) {
      const Bytes attribute = take_part(rest);
      const std::size_t equals = attribute.find('=');
      if (equals == Bytes::npos || attribute.size() > lifetime_value_max) continue;
      const Bytes key = http::trim_space(attribute.substr(0, equals));
      if (!http::iequals(key, "Max-Age") && !http::iequals(key, "Expires")) continue;
      fmt::format_to(std::back_inserter(*lifetime), "; {}", attribute);
    }
  }
  return lifetime;
}

void write_sticky_cookie(std::string& out, const config::Sticky& sticky, const StickyCookie& cookie) {
  out.clear();
  fmt::format_to(std::back_inserter(out), "{}={}; Path={}{}; HttpOnly{}; SameSite={}", sticky.name, cookie.token,
                 sticky.path, cookie.lifetime, cookie.secure ? "; Secure" : "", word_of(sticky.same_site));
}

// Beside the lines of the target, and behind what the settings take out of them.
void Exchange::stick() {
  stay();
  if (group_->sticky_tokens.empty()) return;
  const config::Sticky& sticky = *group_->settings->sticky;
  const std::string& token = group_->sticky_tokens[target_slot_];
  const bool stays = sticky_claim_ != nullptr && sticky_claim_->token == token;
  std::string lifetime;
  if (sticky.by.kind == config::StickyKind::ApplicationCookie) {
    auto set = lifetime_set(state_->response.fields, sticky.by.name);
    // A session that has another target now, or had none before, belongs to this one.
    const bool is_new = !stays && cookie_value(state_->request.fields, sticky.by.name).has_value();
    if (!set.has_value() && !is_new) return;
    if (set.has_value()) lifetime = std::move(*set);
  } else if (sticky.max_age.has_value()) {
    lifetime = fmt::format("; Max-Age={}", std::chrono::ceil<std::chrono::seconds>(*sticky.max_age).count());
  } else if (stays) {
    return;
  }
  const bool secure = sticky.secure == config::SecureCookie::Always ||
                      (sticky.secure == config::SecureCookie::Auto && client_.is_over_tls());
  write_sticky_cookie(state_->sticky_cookie, sticky, {.token = token, .lifetime = lifetime, .secure = secure});
  state_->lines.push_back({"Set-Cookie", state_->sticky_cookie});
}

void Exchange::count_sticky(const Attempt& last) {
  if (sticky_claim_ == nullptr) return;
  GroupCell& cell = worker_.cell_of(*group_->share);
  cell.sticky_requests.add();
  if (last.answered && group_->sticky_tokens[target_slot_] != sticky_claim_->token) cell.sticky_moved.add();
}

}  // namespace ballast::traffic
