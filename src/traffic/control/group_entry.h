// What a GroupKeeper keeps of each target and each name; for its own .cc files.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "traffic/control/group_keeper.h"
#include "traffic/health/height.h"
#include "traffic/outlier/failure_run.h"
#include "traffic/outlier/record.h"

namespace ballast::traffic {

// One target at one address. The strand that watches it holds it too.
struct GroupKeeper::Entry {
  config::Target target;
  config::GroupProtocol protocol = config::GroupProtocol::Http;  // that its connections speak
  std::string configured;                                        // target.address as text
  std::optional<io::SocketAddress> address;                      // none: a name that has never resolved
  std::shared_ptr<TargetShare> share;                            // with the address
  TargetRecord record;
  std::optional<HealthTime> deregister_by;
  bool gone = false;
  bool asleep = false;  // its strand waits for time to pass, and may be interrupted
  io::Strand* strand = nullptr;
  model::WallTime state_since;
  model::WallTime checked;
  std::chrono::microseconds check_took{0};
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  std::optional<HeightRecord> height;  // of jsonrpc checks
  std::string sticky_token;            // empty: not made yet
  outlier::Record outlier;
  outlier::FailureRun failure_run;

  void wake() {
    if (asleep) strand->interrupt();
  }
};

// A configured name and the addresses it has.
struct GroupKeeper::Name {
  std::string host;
  std::uint16_t port = 0;
  std::vector<io::SocketAddress> addresses;  // the last good answer
  bool asked = false;                        // at least once
  bool gone = false;
  bool asleep = false;
  io::Strand* strand = nullptr;
};

}  // namespace ballast::traffic
