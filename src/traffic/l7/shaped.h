// What became of the requests that a rule does something to on purpose: the names of their counters, in the metrics, in
// `status --json` and in the guide.
//
//   fault   delayed     held up, then served
//           answered    with the fault's status
//           over_limit  to be held up, and served at once: too many were being held up already
//   mirror  answered    by the other group, whatever the status
//           failed      no whole answer came
//           too_large   not copied: its body is over the bound, or of a length that nobody knows beforehand
//           over_limit  not copied: too many copies were under way
//           unfinished  not copied: its body had not come whole when it was answered
#pragma once

#include <cstdint>
#include <string_view>

namespace ballast::traffic {

enum class FaultDone : std::uint8_t { Delayed, Answered, OverLimit };
inline constexpr int fault_done_count = static_cast<int>(FaultDone::OverLimit) + 1;

enum class MirrorDone : std::uint8_t { Answered, Failed, TooLarge, OverLimit, Unfinished };
inline constexpr int mirror_done_count = static_cast<int>(MirrorDone::Unfinished) + 1;

constexpr std::string_view to_string(FaultDone done) {
  switch (done) {
    case FaultDone::Delayed:
      return "delayed";
    case FaultDone::Answered:
      return "answered";
    case FaultDone::OverLimit:
      return "over_limit";
  }
  return "";
}

constexpr std::string_view to_string(MirrorDone done) {
  switch (done) {
    case MirrorDone::Answered:
      return "answered";
    case MirrorDone::Failed:
      return "failed";
    case MirrorDone::TooLarge:
      return "too_large";
    case MirrorDone::OverLimit:
      return "over_limit";
    case MirrorDone::Unfinished:
      return "unfinished";
  }
  return "";
}

}  // namespace ballast::traffic
