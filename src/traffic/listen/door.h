// The door of a listener, where a connection is judged by its client's address: of layer 4 the lists of networks,
// everywhere how many connections that address has already.
//
// Requests are judged on their own (l7/protect.cc): behind a trusted proxy a connection is no client's. Worker's
// thread.
#pragma once

#include <memory>

#include "io/address.h"
#include "io/task.h"
#include "traffic/listen/told.h"
#include "traffic/plan.h"
#include "traffic/protect/address_count.h"

namespace ballast::traffic {

class Worker;

// Not None: it is to be turned away. `hold` counts it for as long as it lives.
Reason admit(const PlanListener& listener, const io::Peer& client, const Told* told, AddressHold& hold);

// Counts, logs and closes it; a client of plain HTTP that has too many gets an answer.
io::Task<void> turn_away(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer client,
                         std::shared_ptr<const Told> told, Reason reason);

}  // namespace ballast::traffic
