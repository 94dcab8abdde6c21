#include "traffic/acme/decide.h"

#include <gtest/gtest.h>

namespace ballast::traffic::acme {
namespace {

using namespace std::chrono_literals;

// Hours of a made-up time.
WallTime at(double hours) {
  return WallTime(
      std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double, std::ratio<3600>>(hours)) +
      1'000'000h);
}

TEST(DecideAcme, SaysWhatAndWhen) {
  const HeldCertificate good{.not_before = at(0), .not_after = at(90)};
  const HeldCertificate other{.not_before = at(0), .not_after = at(90), .fits = false};
  const struct {
    const char* what;
    CertificateSeen seen;
    double now;
    std::chrono::milliseconds renew_before;
    Step step;
    double when;
  } rows[] = {
      {"nothing there", {}, 5, 0ms, Step::Obtain, 5},
      {"good: until a third is left", {.held = good}, 5, 0ms, Step::Wait, 60},
      {"a moment before", {.held = good}, 59.999, 0ms, Step::Wait, 60},
      {"a third is left", {.held = good}, 60, 0ms, Step::Renew, 60},
      {"expired", {.held = good}, 90, 0ms, Step::Obtain, 90},
      {"of another authority", {.held = other}, 5, 0ms, Step::Obtain, 5},
      {"as configured", {.held = good}, 5, 10h, Step::Wait, 80},
      {"configured too long: half of it", {.held = good}, 5, 8000h, Step::Wait, 45},
      {"failed: not before its time", {.retry_at = at(7)}, 5, 0ms, Step::Wait, 7},
      {"failed: its time has come", {.retry_at = at(7)}, 7, 0ms, Step::Obtain, 7},
      {"renewal failed", {.held = good, .retry_at = at(62)}, 61, 0ms, Step::Wait, 62},
      {"a failure from before does not renew early", {.held = good, .retry_at = at(2)}, 3, 0ms, Step::Wait, 60},
      {"attempted just now", {.attempted = at(5)}, 5, 0ms, Step::Wait, 5 + 10.0 / 3600},
      {"attempted in the future: the clock was set back", {.attempted = at(500)}, 5, 0ms, Step::Obtain, 5},
      {"comes expired each time: still no loop",
       {.held = HeldCertificate{.not_before = at(0), .not_after = at(1)}, .attempted = at(5)},
       5,
       0ms,
       Step::Wait,
       5 + 10.0 / 3600},
      {"has no times that can be read",
       {.held = HeldCertificate{.not_before = WallTime::min(), .not_after = WallTime::max()}},
       7,
       0ms,
       Step::Renew,
       7},
      {"ends before it begins",
       {.held = HeldCertificate{.not_before = at(9), .not_after = at(8)}},
       7,
       0ms,
       Step::Wait,
       8},
  };
  for (const auto& row : rows) {
    const Decision decision = decide({.renew_before = row.renew_before}, row.seen, at(row.now));
    EXPECT_EQ(decision.step, row.step) << row.what << ": " << decision.why;
    EXPECT_LT(std::chrono::abs(decision.at - at(row.when)), 1s) << row.what;
    EXPECT_FALSE(decision.why.empty());
  }
}

TEST(DecideAcme, FailuresDrawOut) {
  const auto wait = [](const Failure& failure, double chance) {
    return std::chrono::duration_cast<std::chrono::seconds>(retry_time(failure, chance, at(0)) - at(0)).count();
  };
  EXPECT_EQ(wait({.failures = 1}, 0), 60);
  EXPECT_EQ(wait({.failures = 2}, 0), 120);
  EXPECT_EQ(wait({.failures = 5}, 0), 960);
  EXPECT_EQ(wait({.failures = 10}, 0), 6 * 3600);
  EXPECT_EQ(wait({.failures = 1'000'000}, 0), 6 * 3600);
  EXPECT_EQ(wait({.failures = 1}, 1), 75);
  EXPECT_EQ(wait({.failures = 1, .rate_limited = true}, 0), 3600);
  EXPECT_EQ(wait({.failures = 1, .retry_after = 2h}, 0), 7200);
  EXPECT_EQ(wait({.failures = 1, .retry_after = 1s}, 0), 60);  // not sooner than we would
}

}  // namespace
}  // namespace ballast::traffic::acme
