#include "traffic/outlier/compare.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ballast::traffic::outlier {
namespace {

using Kind = Happened::Kind;

// Of the value at the middle, or between the two there. Not of nothing.
double median(std::vector<double> values) {
  const std::size_t middle = values.size() / 2;
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(middle));
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle] + *std::max_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle))) / 2;
}

double spread_of(const std::vector<double>& values, double around) {
  constexpr double to_deviation = 1.4826;
  std::vector<double> distances;
  distances.reserve(values.size());
  for (const double value : values) distances.push_back(std::abs(value - around));
  return median(std::move(distances)) * to_deviation;
}

// One figure of each target that can be compared, and what it is beside the others'.
class Figures {
 public:
  struct Peers {
    double middle = 0;
    double spread = 0;
  };
  explicit Figures(std::size_t members) : values_(members) {}

  void put(std::size_t member, double value) { values_[member] = value; }
  std::optional<double> of(std::size_t member) const { return values_[member]; }
  // None: there are no others.
  std::optional<Peers> peers_of(std::size_t member) const {
    if (of_all_.has_value()) return of_all_;
    std::vector<double> values;
    values.reserve(values_.size());
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (i != member && values_[i].has_value()) values.push_back(*values_[i]);
    }
    if (values.empty()) return std::nullopt;
    const double middle = median(values);
    const Peers peers{.middle = middle, .spread = spread_of(values, middle)};
    // Of so many one does not move the median, and asking anew for each would take the square of their number.
    constexpr std::size_t exact_max = 64;
    if (values.size() > exact_max) of_all_ = peers;
    return peers;
  }

 private:
  std::vector<std::optional<double>> values_;  // by member
  mutable std::optional<Peers> of_all_;
};

bool is_comparable(const Member& member) {
  return is_serving(member) && !member.seen.is_warming;
}

// A broken answer may be one with an error status, and is counted for both: never more than there were.
double failed_share(const Totals& totals, config::FailedAnswers which) {
  std::uint64_t failed = totals.failures + totals.broken;
  if (which == config::FailedAnswers::AllServerErrors) failed += totals.server_errors;
  return static_cast<double>(std::min(failed, totals.requests())) / static_cast<double>(totals.requests());
}

std::string percent(double share) {
  return fmt::format("{:.1f}%", share * 100);
}

std::string time(double us) {
  return us < 10'000 ? fmt::format("{:.1f} ms", us / 1000) : fmt::format("{:.0f} ms", us / 1000);
}

void compare_success(const Spec& spec, const config::SuccessRate& rate, std::span<Member> members, HealthTime now,
                     std::vector<Happened>& happened) {
  Figures figures(members.size());
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!is_comparable(members[i])) continue;
    const Totals totals = members[i].seen.totals.since(members[i].record.interval_from);
    if (totals.requests() < static_cast<std::uint64_t>(rate.requests_min)) continue;
    figures.put(i, 1 - failed_share(totals, rate.failed_answers));
    order.push_back(i);
  }
  if (order.size() < static_cast<std::size_t>(rate.targets_min)) return;
  // The worst first: there may not be room for all.
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(*figures.of(i), i); });
  for (const std::size_t i : order) {
    const Figures::Peers peers = *figures.peers_of(i);
    const double distance = std::max(rate.margin_percent / 100.0, rate.deviations * peers.spread);
    if (*figures.of(i) >= peers.middle - distance) continue;
    const std::string why =
        fmt::format("{} of its requests succeed, of its peers' {}", percent(*figures.of(i)), percent(peers.middle));
    if (auto done = eject(spec, members, i, Cause::SuccessRate, why, now)) happened.push_back(std::move(*done));
  }
}

enum class Found : std::uint8_t { Well, Between, Slow };

struct Finding {
  Found found = Found::Between;
  std::string words;
};

// The value against its peers' limit; half of the way to it is well.
Found find(double value, double middle, double limit) {
  if (value >= limit) return Found::Slow;
  return value <= middle + (limit - middle) / 2 ? Found::Well : Found::Between;
}

// None: it cannot be compared.
std::optional<Finding> look_at(const config::Slower& slower, const Figures& times, const Figures& failures,
                               std::size_t member) {
  const std::optional<double> share = failures.of(member);
  const auto usual = share.has_value() ? failures.peers_of(member) : std::nullopt;
  if (!usual.has_value()) return std::nullopt;
  Finding finding{.found = find(*share, usual->middle, usual->middle + slower.failures_percent / 100.0)};
  if (finding.found == Found::Slow) {
    finding.words =
        fmt::format("fails {} of its requests, its peers {} of theirs", percent(*share), percent(usual->middle));
    return finding;
  }
  const std::optional<double> took = times.of(member);
  const auto peers = took.has_value() ? times.peers_of(member) : std::nullopt;
  if (!peers.has_value()) {
    finding.words = fmt::format("fails {} of its requests, as its peers do", percent(*share));
    return finding;
  }
  const double gap = std::chrono::duration<double, std::micro>(slower.gap).count();
  const Found by_time = find(*took, peers->middle, std::max(peers->middle * slower.factor, peers->middle + gap));
  const std::string_view relation = by_time == Found::Slow ? "where its peers take" : "and its peers in";
  finding.found = std::max(finding.found, by_time);
  finding.words = fmt::format("answers in {} {} {}", time(*took), relation, time(peers->middle));
  return finding;
}

void weigh(std::span<Member> members, std::size_t index, double next, const std::string& why,
           std::vector<Happened>& happened) {
  Record& record = members[index].record;
  if (next == record.weight) {
    if (next < 1) record.weight_words = why;
    return;
  }
  const int weight = members[index].seen.weight;
  happened.push_back({.member = index,
                      .kind = Kind::Weighed,
                      .words = fmt::format("{}: weight {:.3g} -> {:.3g}", why, weight * record.weight, weight * next)});
  record.weight = next;
  record.weight_words = next < 1 ? why : std::string();
}

void compare_slowness(const config::Slower& slower, std::span<Member> members, std::vector<Happened>& happened) {
  Figures times(members.size());
  Figures failures(members.size());
  const auto requests_min = static_cast<std::uint64_t>(slower.requests_min);
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!is_comparable(members[i])) continue;
    const Totals totals = members[i].seen.totals.since(members[i].record.window_from);
    if (totals.requests() < requests_min) continue;
    failures.put(i, failed_share(totals, config::FailedAnswers::AllServerErrors));
    // Of one that mostly fails the few answers tell no time.
    if (totals.timed < requests_min / 2 + 1) continue;
    times.put(i, static_cast<double>(totals.time_us) / static_cast<double>(totals.timed));
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    Record& record = members[i].record;
    const auto finding = is_comparable(members[i]) ? look_at(slower, times, failures, i) : std::nullopt;
    if (!finding.has_value() && is_comparable(members[i]) && ++record.window_intervals < window_intervals_max) continue;
    record.window_from = members[i].seen.totals;
    record.window_intervals = 0;
    if (!is_comparable(members[i])) continue;
    if (!finding.has_value()) {
      record.slow_intervals = 0;
      weigh(members, i, std::min(1.0, record.weight * 2), "too few requests to compare it by", happened);
      continue;
    }
    if (finding->found != Found::Slow) record.slow_intervals = 0;
    if (finding->found == Found::Well) {
      weigh(members, i, std::min(1.0, record.weight * 2), finding->words, happened);
    }
    // One interval may have had a few requests of a rare kind.
    if (finding->found == Found::Slow && ++record.slow_intervals >= 2) {
      record.slow_intervals = 2;
      weigh(members, i, std::max(slower.floor_percent / 100.0, record.weight / 2), finding->words, happened);
    }
  }
}

}  // namespace

std::vector<Happened> compare(const Spec& spec, std::span<Member> members, HealthTime now) {
  const config::Outliers& settings = spec.settings;
  std::vector<Happened> happened;
  if (!settings.enabled) return happened;
  if (settings.slower.has_value()) compare_slowness(*settings.slower, members, happened);
  if (settings.success_rate.has_value()) compare_success(spec, *settings.success_rate, members, now, happened);
  for (Member& member : members) member.record.interval_from = member.seen.totals;
  return happened;
}

}  // namespace ballast::traffic::outlier
