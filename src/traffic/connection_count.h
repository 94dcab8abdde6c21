// ConnectionCount: one open client connection, in its listener's counters and in its worker's load, for as long as it
// lives.
#pragma once

#include "traffic/plan.h"

namespace ballast::traffic {

class Worker;

class ConnectionCount {
 public:
  ConnectionCount(Worker& worker, ListenerShare& listener);
  ~ConnectionCount();
  ConnectionCount(const ConnectionCount&) = delete;

 private:
  Worker& worker_;
  ListenerShare& listener_;
};

}  // namespace ballast::traffic
