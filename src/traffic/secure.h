// The handshake with a client of an https or tls listener. That with a target is connect.h's.
//
// A handshake that fails is counted by its end and logged, unless the client only left again: probes do so. Worker's
// thread.
#pragma once

#include <memory>

#include "io/address.h"
#include "io/task.h"
#include "traffic/listen/told.h"
#include "traffic/plan.h"
#include "traffic/protect/address_count.h"
#include "wire/tls/stream.h"

namespace ballast::traffic {

class Worker;

// Makes an accepted descriptor a TLS stream; nullptr where that fails, and all is done then. `told`: nullptr where no
// balancer in front has said anything.
io::Task<std::unique_ptr<tls::Stream>> shake_hands(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd,
                                                   io::Peer peer, std::shared_ptr<const Told> told);

// shake_hands(), then Worker::serve_secure().
io::Task<void> serve_https(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer,
                           std::shared_ptr<const Told> told, AddressHold hold);

}  // namespace ballast::traffic
