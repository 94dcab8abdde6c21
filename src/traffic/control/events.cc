#include "traffic/control/events.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace ballast::traffic {

void EventLog::add(std::string kind, std::string subject, std::string text) {
  // systemd and every terminal add the time; the journal's reader wants what, on what, and why.
  fmt::print(stderr, "ballast: {} {}: {}\n", kind, subject, text);
  keep(std::move(kind), std::move(subject), std::move(text));
}

void EventLog::keep(std::string kind, std::string subject, std::string text) {
  const auto now = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::uint64_t last = events_.empty() ? 0 : events_.back().id;
  events_.push_back({.id = std::max(last + 1, static_cast<std::uint64_t>(ms)),
                     .at = now,
                     .kind = std::move(kind),
                     .subject = std::move(subject),
                     .text = std::move(text)});
  if (events_.size() > kept_max) events_.pop_front();
}

void EventLog::restore(std::vector<model::Event> events) {
  for (model::Event& event : events) {
    const auto at = std::ranges::lower_bound(events_, event.id, {}, &model::Event::id);
    if (at != events_.end() && at->id == event.id) continue;
    events_.insert(at, std::move(event));
  }
  while (events_.size() > kept_max) events_.pop_front();
}

std::vector<model::Event> EventLog::since(std::uint64_t after) const {
  std::vector<model::Event> found;
  for (const model::Event& event : events_) {
    if (event.id > after) found.push_back(event);
  }
  return found;
}

}  // namespace ballast::traffic
