// SavedRate: what a limit of rate has counted, as one process tells it to the one that follows: its keys that are in
// use, with their times on the machine's monotonic clock, and the secret that they are hashed under. Both are of the
// same start of the same machine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "traffic/protect/rate_limit.h"

namespace ballast::traffic {

struct SavedRate {
  RateShare::Place place;
  std::string meaning;  // of the counts: another limit's are not taken over
  SipKey secret;
  std::string keys;  // RateTable::Entry after entry; empty: they were not asked for
  std::uint64_t admitted = 0;
  std::uint64_t limited = 0;
  std::uint64_t reported = 0;
  std::uint64_t displaced = 0;
};

// The keys are some megabytes where many are in use: told when another process is to follow, not all the time.
enum class SavedKeys : std::uint8_t { LeftOut, Told };
SavedRate save(const RateShare& share, SavedKeys keys, io::Instant now);

// nullptr: it is of another limit.
std::shared_ptr<RateShare> restore(const SavedRate& saved, const config::RateLimit& limit, int workers);

}  // namespace ballast::traffic
