// TLS at both doors: the handshake with a client of an https or tls listener, and the connection to a target.
//
// A handshake that fails is counted by its end and logged, unless the client only left again: probes do so. Worker's
// thread.
#pragma once

#include <memory>

#include "io/address.h"
#include "io/task.h"
#include "traffic/plan.h"
#include "wire/tls/either_stream.h"

namespace ballast::traffic {

class Worker;

// Makes an accepted descriptor a TLS stream; nullptr where that fails, and all is done then.
io::Task<std::unique_ptr<tls::Stream>> shake_hands(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd,
                                                   io::Peer peer);

// shake_hands(), then Worker::serve_secure().
io::Task<void> serve_https(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer);

// A connection to a target, as its group wants it. The Error of a handshake has Code::Malformed. References live until
// the task ends.
io::Task<Result<tls::EitherStream>> connect(Worker& worker, const PlanGroup& group, TargetShare& target,
                                            io::Deadline deadline);

// What a target is asked for by name, and must prove to be.
const std::string& server_name_of(const config::TargetGroup& group, const std::string& host);

}  // namespace ballast::traffic
