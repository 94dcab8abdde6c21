// OpenConnection: a client's HTTP connection in its worker's list, so that a drain or the end of its listener finds it.
#pragma once

#include "traffic/plan.h"

namespace ballast::traffic {

class OpenConnection {
 public:
  OpenConnection() = default;
  OpenConnection(const OpenConnection&) = delete;

  virtual const ListenerShare& of_listener() const = 0;
  // It takes no new requests, and ends when those it has are answered.
  virtual void end_soon() = 0;
  // It takes one more request where the protocol has no word for the end, so that none is lost that is on its way.
  virtual void end_with_next_request() = 0;

 protected:
  ~OpenConnection() = default;

 private:
  friend class Worker;
  OpenConnection* previous_ = nullptr;
  OpenConnection* next_ = nullptr;
};

}  // namespace ballast::traffic
