// Part of the settings (settings.h): when a target is taken out, or given less, for what it did to requests.
#pragma once

#include <optional>

#include "config/health_check.h"
#include "config/mark.h"

namespace ballast::config {

// Which answers count as failures where targets are compared; an attempt without an answer always does.
enum class FailedAnswers { Gateway, AllServerErrors };

// A target that succeeds clearly less often than its peers is ejected.
struct SuccessRate {
  int margin_percent = 5;  // points below the median of its peers, at least
  int deviations = 3;      // and so many of their standard deviations
  int requests_min = 100;  // of a target within an interval; with fewer it is not compared
  int targets_min = 4;     // that are compared; with fewer none is ejected
  FailedAnswers failed_answers = FailedAnswers::AllServerErrors;
  friend bool operator==(const SuccessRate&, const SuccessRate&) = default;
};

// A target that is clearly slower than its peers, or fails more often, is given less.
struct Slower {
  int factor = 3;            // its mean time to an answer is so many times the median of its peers'
  Milliseconds gap{50};      // and longer by this
  int failures_percent = 5;  // or so many points more of its requests fail than with the median of its peers
  int requests_min = 20;     // of a target within an interval; with fewer it is not compared
  int floor_percent = 10;    // of its weight
  friend bool operator==(const Slower&, const Slower&) = default;
};

struct Outliers {
  bool enabled = true;
  int errors = 5;  // in a row; 0: however many
  Milliseconds eject{30'000};
  Milliseconds eject_max{300'000};
  int share_max_percent = 50;     // of the targets that may be out at once
  Milliseconds interval{10'000};  // in which targets are compared
  std::optional<SuccessRate> success_rate;
  std::optional<Slower> slower;
  Mark mark;
  friend bool operator==(const Outliers&, const Outliers&) = default;
};

}  // namespace ballast::config
