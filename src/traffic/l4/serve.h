// A connection of a tcp listener, from accept to close: pick a target, connect, relay both ways.
//
// A connection whose client has gone before a target was connected (a probe of a balancer in front) costs no target
// anything and is not logged. Connect failures go on to the next target, as many as the group's retries allow. Worker's
// thread.
#pragma once

#include <memory>

#include "io/address.h"
#include "io/task.h"
#include "traffic/plan.h"

namespace ballast::traffic {

class Worker;

io::Task<void> serve_tcp(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer);

}  // namespace ballast::traffic
