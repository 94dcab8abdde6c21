#include "traffic/protect/rate_limit.h"

#include <algorithm>

#include "traffic/protect/client_group.h"

namespace ballast::traffic {

RateVerdict ask(const RateLimit& limit, RateCell& cell, const RateKeyValue& key, const AddressBytes& source,
                io::Instant now) {
  if (limit.except.contains(source)) return {};
  const AddressBytes group = client_group(source, limit.settings.ipv6_prefix);
  const bool by_source = key.kind == config::RateKeyKind::Source;
  const Bytes value = by_source ? Bytes(reinterpret_cast<const char*>(group.data()), group.size()) : key.value;
  // A header's value that looks like an address is not that address.
  SipKey secret = limit.share->secret;
  secret.low ^= by_source ? 1U : 0U;
  const RateTable::Verdict verdict = limit.share->table.ask(sip_hash(secret, value), limit.share->rate, now);
  if (verdict.has_displaced) cell.displaced.add();
  if (verdict.admitted) {
    cell.admitted.add();
    return {};
  }
  if (limit.settings.mode == config::RateMode::Report) {
    cell.reported.add();
    return {.is_over = true};
  }
  cell.limited.add();
  return {.is_over = true, .refused = true, .wait = verdict.wait};
}

std::int64_t retry_after_seconds(io::Duration wait) {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count());
}

}  // namespace ballast::traffic
