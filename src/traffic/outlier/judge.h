// Who is ejected, and who returns: pure functions of what is seen and remembered of all targets of a group. No I/O, no
// clock; the records are changed in place, and what happened is told in words.
//
//   a target      is seen                                        then
//   in service    `errors` failures in a row                     ejected, where there is room; else spared, and that is
//   told ejected       its time is over                               returned ejected       fewer than minimum_healthy
//   are left            returned before its time, the one with least of it left first any           `outliers: off`
//   returned, its whole weight again in service    `eject` long without being ejected             one ejection of
//   before is forgotten
//
// Room: with it no more than share_max of the targets in service are out, for whatever reason, and minimum_healthy are
// left. For errors in a row one of those left must not be failing itself: what all have is not the target's fault, and
// the others would only get more of it. A group that fails open has no room, so it ejects nobody.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/settings.h"
#include "traffic/outlier/record.h"

namespace ballast::traffic::outlier {

struct Spec {
  const config::Outliers& settings;
  int minimum_healthy = 1;
};

// At each look.
std::vector<Happened> judge(const Spec& spec, std::span<Member> members, HealthTime now);

// Where the group would have to fail open without those that are out: who returns for that.
std::vector<Happened> call_back(const Spec& spec, std::span<Member> members, HealthTime now);

// Ejects a member for `why` ("5 failures in a row (the last: connection refused)"), or spares it where there is no
// room. Nothing: that was told lately.
std::optional<Happened> eject(const Spec& spec, std::span<Member> members, std::size_t index, Cause cause,
                              const std::string& why, HealthTime now);

inline bool is_ejected(const Member& member) {
  return member.record.ejected_until.has_value();
}
// Gets requests, as far as this look knows.
inline bool is_serving(const Member& member) {
  return member.seen.in_service && member.seen.is_well && !is_ejected(member);
}

}  // namespace ballast::traffic::outlier
