// A connection, from where its client's address is known to its close: by the protocol of its listener.
#pragma once

#include <memory>

#include "io/address.h"
#include "io/task.h"
#include "traffic/listen/told.h"
#include "traffic/plan.h"

namespace ballast::traffic {

class Worker;

// `told`: nullptr where no balancer in front has said anything.
io::Task<void> serve_connection(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer,
                                std::shared_ptr<const Told> told);

}  // namespace ballast::traffic
