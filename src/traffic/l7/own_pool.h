// OwnPool: the connections to a target that carry one client's address, kept for that client's next request: a client
// that stays with a target has one connection to it, and nobody else ever uses it.
//
// Of one target at a time, the one asked for last; another's are closed. A member of the client's connection, and gone
// with it. Worker's thread.
#pragma once

#include <memory>

#include "traffic/plan.h"

namespace ballast::traffic {

class UpstreamPool;

class OwnPool {
 public:
  OwnPool() = default;
  OwnPool(const OwnPool&) = delete;
  ~OwnPool();

  UpstreamPool& of(TargetShare& target, io::Loop& loop, TargetCell& cell);

 private:
  std::shared_ptr<TargetShare> target_;  // whose counters the pool writes to
  std::shared_ptr<UpstreamPool> pool_;
};

}  // namespace ballast::traffic
