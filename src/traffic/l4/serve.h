// A connection of a tcp or tls listener, from accept to close: pick a target, connect, relay both ways. Of a tls one
// the client's hello is read first, to route by the name in it, and passed on as it came.
//
// A connection that the client reset before a target was connected (a probe of a balancer in front) costs no target
// anything. One that it has ended may still want to hear a server that speaks first; a target is connected. Neither is
// logged where nothing was said. Connect failures go on to the next target, as many as the group's retries allow.
// Worker's thread.
#pragma once

#include <memory>

#include "io/address.h"
#include "io/task.h"
#include "traffic/listen/told.h"
#include "traffic/plan.h"
#include "traffic/protect/address_count.h"

namespace ballast::traffic {

class Worker;

io::Task<void> serve_tcp(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer,
                         std::shared_ptr<const Told> told, AddressHold hold);

}  // namespace ballast::traffic
