// ConnectionCount: one open client connection, in its listener's counters and in its worker's load, for as long as it
// lives.
#pragma once

#include "traffic/plan.h"

namespace ballast::traffic {

class Worker;

class ConnectionCount {
 public:
  // Arriving: it is open, and who it is from is not yet known; counted among all that came when it is served.
  enum class Stage { Arriving, Serving };
  ConnectionCount(Worker& worker, ListenerShare& listener, Stage stage = Stage::Serving);
  ~ConnectionCount();
  ConnectionCount(const ConnectionCount&) = delete;

 private:
  Worker& worker_;
  ListenerShare& listener_;
};

// The same while its TLS handshake goes on. Afterwards it is counted anew by who goes on with it.
class HandshakeCount {
 public:
  HandshakeCount(Worker& worker, ListenerShare& listener);
  ~HandshakeCount();
  HandshakeCount(const HandshakeCount&) = delete;
  void passes_on() { passed_on_ = true; }

 private:
  Worker& worker_;
  ListenerShare& listener_;
  bool passed_on_ = false;
};

}  // namespace ballast::traffic
