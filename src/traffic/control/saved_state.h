// SavedState: what a serving process tells the next one: what it knows of its targets, what it has counted, its events,
// and what its configuration was read from. As JSON text between processes of perhaps different versions: what is not
// known is passed over, what is missing has its default, and a text that is none is as good as nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/status.h"
#include "traffic/control/counts.h"
#include "traffic/health/decide.h"
#include "traffic/outlier/record.h"
#include "traffic/protect/saved_rate.h"

namespace ballast::traffic {

struct SavedTarget {
  std::string configured;  // as in the file
  std::string address;     // numeric; empty: none yet
  TargetRecord record;     // without its times
  model::WallTime since;
  model::WallTime checked;
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  outlier::Record outlier;  // without its times and windows
  std::optional<model::WallTime> ejected_until;
  Counts counts;
};

struct SavedName {
  std::string host;
  std::uint16_t port = 0;
  std::vector<std::string> addresses;  // the last good answer
};

struct SavedGroup {
  std::string name;
  std::vector<SavedTarget> targets;
  std::vector<SavedName> names;
  Counts counts;
};

struct SavedListener {
  std::string name;
  Counts counts;
};

struct SavedState {
  std::vector<SavedGroup> groups;
  std::vector<SavedRate> rates;
  std::vector<SavedListener> listeners;
  std::vector<model::Event> events;
  std::uint64_t generation = 0;
  std::string configuration;  // config::write_recording(); empty: as in its file

  const SavedGroup* group(const std::string& name) const;
  const SavedListener* listener(const std::string& name) const;
};

std::string write_state(const SavedState& state);
// Malformed: no JSON object.
Result<SavedState> read_state(const std::string& text);

// The counts that came since `before`, and nothing else.
SavedState counts_since(const SavedState& now, const SavedState& before);

}  // namespace ballast::traffic
