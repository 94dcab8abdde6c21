// A connection of a listener with `proxy_protocol`, from accept to close: reads the PROXY header, exactly and no byte
// more, then has the connection served with the address that it tells.
//
// A connection from outside of `from` is refused, or served as it is, as the settings say. One that ends before its
// first byte (a probe of the balancer in front) costs nothing and is not logged. Worker's thread.
#pragma once

#include <memory>

#include "io/address.h"
#include "io/task.h"
#include "traffic/plan.h"

namespace ballast::traffic {

class Worker;

io::Task<void> serve_proxied(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer);

}  // namespace ballast::traffic
