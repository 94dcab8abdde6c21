#include "traffic/outlier/judge.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/units.h"

namespace ballast::traffic::outlier {

using Kind = Happened::Kind;

// How long it is not said again that a target is spared: the events of a long outage are to be read for its beginning.
constexpr auto spared_quiet = std::chrono::minutes(10);

std::string_view to_string(Cause cause) {
  return cause == Cause::Errors ? "errors" : "success_rate";
}

Totals Totals::since(const Totals& before) const {
  return {.answers = answers - before.answers,
          .failures = failures - before.failures,
          .broken = broken - before.broken,
          .server_errors = server_errors - before.server_errors,
          .timed = timed - before.timed,
          .time_us = time_us - before.time_us};
}

namespace {

struct Room {
  std::size_t in_service = 0;
  std::size_t serving = 0;
};

Room room_of(std::span<const Member> members) {
  Room room;
  for (const Member& member : members) {
    if (member.seen.in_service) ++room.in_service;
    if (is_serving(member)) ++room.serving;
  }
  return room;
}

// Why none may be ejected now; empty: one may.
std::string no_room(const Spec& spec, std::span<const Member> members) {
  const Room room = room_of(members);
  if (room.in_service == 1) return "it is the only target";
  if (room.serving <= static_cast<std::size_t>(spec.minimum_healthy)) {
    return fmt::format("{} healthy, and minimum_healthy is {}",
                       room.serving == 1 ? "it is the last that is" : fmt::format("{} are", room.serving),
                       spec.minimum_healthy);
  }
  const std::size_t out = room.in_service - room.serving;
  const auto share = static_cast<std::size_t>(spec.settings.share_max_percent);
  if ((out + 1) * 100 > room.in_service * share) {
    return fmt::format("{} of {} targets are out, and share_max is {}%", out, room.in_service, share);
  }
  return {};
}

bool has_better_peer(std::span<const Member> members, std::size_t index) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i != index && is_serving(members[i]) && members[i].seen.failures_in_row == 0) return true;
  }
  return false;
}

Happened bring_back(std::span<Member> members, std::size_t index, std::string why) {
  Record& record = members[index].record;
  record.ejected_until.reset();
  record.words.clear();
  return {.member = index, .kind = Kind::Returned, .words = std::move(why)};
}

std::string weight_change(int configured, double before, double after) {
  return fmt::format("weight {:.3g} -> {:.3g}", configured * before, configured * after);
}

}  // namespace

std::optional<Happened> eject(const Spec& spec, std::span<Member> members, std::size_t index, Cause cause,
                              const std::string& why, HealthTime now) {
  Record& record = members[index].record;
  std::string obstacle = no_room(spec, members);
  if (obstacle.empty() && cause == Cause::Errors && !has_better_peer(members, index)) {
    obstacle = "every other target fails as well";
  }
  if (!obstacle.empty()) {
    if (record.spared_until.has_value() && now < *record.spared_until) return std::nullopt;
    record.spared_until = now + spared_quiet;
    return Happened{.member = index, .kind = Kind::Spared, .words = fmt::format("{}; not ejected: {}", why, obstacle)};
  }
  config::Milliseconds time = spec.settings.eject;
  for (int i = 0; i < record.times && time < spec.settings.eject_max; ++i) time *= 2;
  time = std::min(time, spec.settings.eject_max);
  record.times = std::min(record.times + 1, times_max);
  record.ejected_until = now + time;
  record.words = fmt::format("{}; out for {}", why, config::show_duration(time));
  if (record.times > 1) record.words += fmt::format(", the {}. time lately", record.times);
  record.spared_until.reset();
  ++record.ejections[static_cast<std::size_t>(cause)];
  return Happened{.member = index, .kind = Kind::Ejected, .words = record.words};
}

std::vector<Happened> call_back(const Spec& spec, std::span<Member> members, HealthTime now) {
  std::vector<Happened> happened;
  const auto minimum = static_cast<std::size_t>(spec.minimum_healthy);
  while (room_of(members).serving < minimum) {
    std::optional<std::size_t> next;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const Member& member = members[i];
      if (!is_ejected(member) || !member.seen.in_service || !member.seen.is_well) continue;
      if (!next.has_value() || *member.record.ejected_until < *members[*next].record.ejected_until) next = i;
    }
    if (!next.has_value()) break;
    members[*next].record.forgets_at = now + spec.settings.eject;
    happened.push_back(bring_back(members, *next, "before its time: too few others are healthy"));
  }
  return happened;
}

std::vector<Happened> judge(const Spec& spec, std::span<Member> members, HealthTime now) {
  const config::Outliers& settings = spec.settings;
  std::vector<Happened> happened;
  for (std::size_t i = 0; i < members.size(); ++i) {
    Record& record = members[i].record;
    const int weight = members[i].seen.weight;
    if (!settings.enabled && is_ejected(members[i])) {
      happened.push_back(bring_back(members, i, "`outliers` is off now"));
    } else if (is_ejected(members[i]) && now >= *record.ejected_until) {
      record.forgets_at = now + settings.eject;
      happened.push_back(bring_back(members, i, "its time is over"));
      continue;  // what it failed meanwhile says nothing of now
    }
    if (record.weight < 1 && (!settings.enabled || !settings.slower.has_value())) {
      happened.push_back({.member = i,
                          .kind = Kind::Weighed,
                          .words = "`slower` is off now: " + weight_change(weight, record.weight, 1)});
      record.weight = 1;
      record.weight_words.clear();
    }
    if (record.times > 0 && !is_ejected(members[i]) && now >= record.forgets_at) {
      --record.times;
      record.forgets_at = now + settings.eject;
    }
  }
  if (!settings.enabled) return happened;
  for (Happened& each : call_back(spec, members, now)) happened.push_back(std::move(each));
  if (settings.errors == 0) return happened;
  std::vector<bool> returned(members.size());
  for (const Happened& each : happened) {
    if (each.kind == Kind::Returned) returned[each.member] = true;
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Seen& seen = members[i].seen;
    if (returned[i] || !is_serving(members[i])) continue;
    if (seen.failures_in_row < static_cast<std::uint64_t>(settings.errors)) continue;
    const std::string why = fmt::format("{} failure{} in a row (the last: {})", seen.failures_in_row,
                                        seen.failures_in_row == 1 ? "" : "s", seen.last_failure);
    if (auto done = eject(spec, members, i, Cause::Errors, why, now)) happened.push_back(std::move(*done));
  }
  return happened;
}

}  // namespace ballast::traffic::outlier
