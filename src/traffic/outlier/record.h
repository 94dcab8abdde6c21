// What is seen of a target's traffic and what is remembered of it between decisions, for `outliers`.
//
// Values; the decisions are judge.h and compare.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "traffic/health/decide.h"

namespace ballast::traffic::outlier {

enum class Cause : std::uint8_t { Errors, SuccessRate };
inline constexpr std::size_t cause_count = 2;
std::string_view to_string(Cause cause);  // "errors"

// What attempts came to, of all workers together, from when the target came to be.
struct Totals {
  std::uint64_t answers = 0;        // good, or an error of the application
  std::uint64_t failures = 0;       // no answer, or a gateway's error
  std::uint64_t broken = 0;         // of the answers, those that broke off
  std::uint64_t server_errors = 0;  // of the answers
  std::uint64_t timed = 0;          // of the answers
  std::uint64_t time_us = 0;        // of those
  Totals since(const Totals& before) const;
  std::uint64_t requests() const { return answers + failures; }
  friend bool operator==(const Totals&, const Totals&) = default;
};

// Of ejections that are remembered: doubled so often, every time is at its maximum.
inline constexpr int times_max = 30;

struct Record {
  std::optional<HealthTime> ejected_until;
  std::string words;                       // of the ejection
  int times = 0;                           // ejections that are not forgotten
  HealthTime forgets_at{};                 // one more
  std::optional<HealthTime> spared_until;  // that it is not ejected has been said
  std::array<std::uint64_t, cause_count> ejections{};

  double weight = 1;         // the share that is left of the configured one
  std::string weight_words;  // why not all of it
  int slow_intervals = 0;    // in a row
  Totals interval_from;      // since when it is compared: by `success_rate`
  Totals window_from;        // and by `slower`, over several intervals where one has too few requests
  int window_intervals = 0;
};

struct Seen {
  bool in_service = false;  // but for its health: not draining, of a weight above 0, in a group that is in use
  bool is_well = false;     // its checks say so
  bool is_warming = false;  // in slow start: not compared
  int weight = 1;
  std::uint64_t failures_in_row = 0;
  std::string last_failure;
  Totals totals;
};

struct Member {
  Record record;
  Seen seen;
};

// What was decided of a member, for an event.
struct Happened {
  enum class Kind : std::uint8_t { Ejected, Spared, Returned, Weighed };
  std::size_t member = 0;
  Kind kind = Kind::Ejected;
  std::string words;
};

}  // namespace ballast::traffic::outlier
