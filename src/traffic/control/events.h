// EventLog: the last 1,000 events, as `ballast events` shows them, and each as a line on standard error. Control
// thread.
//
// Ids grow, and are of the time in milliseconds: two processes of which one follows the other give none twice, and who
// asks for what came after an event of the first is told what the second has to say.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "model/status.h"

namespace ballast::traffic {

class EventLog {
 public:
  static constexpr std::size_t kept_max = 1000;

  void add(std::string kind, std::string subject, std::string text);
  // The same without the line: it has been said.
  void keep(std::string kind, std::string subject, std::string text);
  // Those with an id above `after`, oldest first.
  std::vector<model::Event> since(std::uint64_t after) const;
  // Takes in those of the process before this one, in the order of their ids.
  void restore(std::vector<model::Event> events);

 private:
  std::deque<model::Event> events_;
};

}  // namespace ballast::traffic
