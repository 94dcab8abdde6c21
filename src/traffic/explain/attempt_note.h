// AttemptNote: what is noted of one attempt at a target while it goes on: a few stores, so that it costs nothing where
// all goes well. Read when a record is made of the whole (record.h).
//
// Lives in what makes the attempts, beside the Plan that holds the target. Worker's thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/deadline.h"
#include "traffic/reason.h"

namespace ballast::traffic {

struct TargetShare;

// What was done after an attempt.
enum class Again : std::uint8_t {
  None,          // nothing was to be decided: it was answered, or the client's own
  NextTarget,    // another target was asked
  SameTarget,    // a connection at rest had died; the same target was asked over a new one
  AttemptsUsed,  // not again, and why; as all that follow
  NotIdempotent,
  BodySent,
  MayHaveActed,
  Budget,
  NoTargetLeft,
  CallOver,
  ClientGone,
  Stopped,
};
inline constexpr int again_count = static_cast<int>(Again::Stopped) + 1;

inline bool is_again(Again again) {
  return again == Again::NextTarget || again == Again::SameTarget;
}
std::string_view to_string(Again again);  // "not_idempotent"; "" for None
std::string_view explain(Again again);

struct AttemptNote {
  const TargetShare* target = nullptr;
  io::Instant began{};
  io::Duration connect{-1};  // negative: not measured, as the next two
  io::Duration tls{-1};
  io::Duration head{-1};
  int status = 0;
  Reason reason = Reason::None;
  Again again = Again::None;
  bool reused = false;
  std::string text;
};

// As many as `retries.attempts` may be, and one more for a connection at rest that had died.
inline constexpr std::size_t attempts_noted_max = 11;

}  // namespace ballast::traffic
