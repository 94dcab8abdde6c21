// What stands at the door of a request: lists of networks, then limits of rate, the listener's before the rule's.
#include <fmt/format.h>

#include "io/loop.h"
#include "traffic/l7/cookie.h"
#include "traffic/l7/exchange.h"
#include "traffic/protect/protection.h"

namespace ballast::traffic {
namespace {

RateKeyValue key_value(const config::RateKey& key, const http::RequestHead& head) {
  switch (key.kind) {
    case config::RateKeyKind::Header:
      if (const http::Field* field = head.fields.find(Bytes(key.name)); field != nullptr) {
        return {key.kind, head.fields.value(*field)};
      }
      break;
    case config::RateKeyKind::Cookie:
      if (const auto value = cookie_value(head.fields, key.name)) return {key.kind, *value};
      break;
    case config::RateKeyKind::Path:
      return {key.kind, head.path()};
    case config::RateKeyKind::All:
      return {key.kind, {}};
    case config::RateKeyKind::Source:
      break;
  }
  return {};
}

}  // namespace

Reason Exchange::ask_at_door() {
  const Protection* protection = listener_->protection.get();
  if (protection == nullptr) return Reason::None;
  // The default has none: it is behind the last rule.
  const bool has_own = route_->index < protection->routes.size();
  const Door* doors[] = {&protection->door, has_own ? protection->routes[route_->index].get() : nullptr};
  for (const Door* door : doors) {
    if (door != nullptr && door->keeps_out(source_)) return Reason::AddressDenied;
  }
  for (const Door* door : doors) {
    if (door == nullptr) continue;
    for (const RateLimit& limit : door->limits) {
      RateCell& cell = limit.share->cells[static_cast<std::size_t>(worker_.number())];
      const RateVerdict verdict =
          ask(limit, cell, key_value(limit.settings.key, state_->request), source_, loop_.now());
      if (verdict.is_over) state_->limit_name = limit.settings.name;
      if (!verdict.refused) continue;
      state_->refusal_status = limit.settings.status;
      state_->retry_after = fmt::format_int(retry_after_seconds(verdict.wait)).str();
      return Reason::RateLimited;
    }
  }
  return Reason::None;
}

}  // namespace ballast::traffic
