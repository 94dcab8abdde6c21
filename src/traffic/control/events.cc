#include "traffic/control/events.h"

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
  events_.push_back({.id = next_id_++,
                     .at = std::chrono::system_clock::now(),
                     .kind = std::move(kind),
                     .subject = std::move(subject),
                     .text = std::move(text)});
  if (events_.size() > kept_max) events_.pop_front();
}

void EventLog::restore(std::vector<model::Event> events) {
  for (model::Event& event : events) {
    if (event.id < next_id_) continue;  // not in their order: not what was written
    next_id_ = event.id + 1;
    events_.push_back(std::move(event));
    if (events_.size() > kept_max) events_.pop_front();
  }
}

std::vector<model::Event> EventLog::since(std::uint64_t after) const {
  std::vector<model::Event> found;
  for (const model::Event& event : events_) {
    if (event.id > after) found.push_back(event);
  }
  return found;
}

}  // namespace ballast::traffic
