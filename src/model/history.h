// HistoryEntry: one change that somebody asked for: who, when, what became different, and how it went.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/service.h"

namespace ballast::model {

struct Actor {
  std::string user;  // of this machine: "alice", "uid 1003"; "ballast" where it acts by itself
  std::string way;   // "api", "signal", "start", "confirm"
};

struct HistoryEntry {
  std::uint64_t id = 0;  // from 1, growing; given by the history
  WallTime at;
  Actor actor;
  std::string kind;     // "start", "apply", "reload", "rollback", "taken_back", "confirm", "drain", "enable", "weight",
                        // "maintenance"
  std::string subject;  // the file that was read, or "group/target", or a listener
  bool done = true;     // false: refused, and text says why
  std::string text;     // one line
  std::vector<Change> changes;
  std::uint64_t generation = 0;    // of the Plan that it made
  bool has_configuration = false;  // whether one can go back to it
};

}  // namespace ballast::model
