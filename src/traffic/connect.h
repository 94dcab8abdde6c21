// connect_target: a connection to a target, as its group wants it. Introduced: a PROXY header tells whom it is from, or
// it comes from the client's own address. A target without a port is asked on the one the client connected to. Over
// TLS, where the group says so; the header goes ahead of the handshake.
//
// Any worker's thread. The header goes out with the connection's first packet and is not counted as traffic; a target
// that does not take it at once is one that could not be connected to.
#pragma once

#include <string>

#include "base/buffer.h"
#include "base/bytes.h"
#include "config/settings.h"
#include "io/address.h"
#include "io/task.h"
#include "io/tcp.h"
#include "traffic/listen/told.h"
#include "wire/tls/either_stream.h"

namespace ballast::traffic {

struct PlanGroup;
struct TargetShare;
class Worker;

// Whom a connection is made for; views that live until it stands.
struct Introduction {
  io::Peer client;
  const Told* told = nullptr;                  // of a balancer in front
  const io::Descriptor* connection = nullptr;  // the client's, asked where it connected to
  Bytes sni;
};

// How long it took, negative where it was not come to; and what went wrong, in words, where there is more to say than
// the Error's code does.
struct Connecting {
  io::Duration tcp{-1};
  io::Duration tls{-1};
  std::string trouble;
};

// Whether connections to targets of this group are one client's, and must not be used for another's requests.
bool tells_client(const config::TargetGroup& group);

// The Error's code is the connect's, or of a handshake that failed Malformed. References live until the task ends.
// `how` is filled where it is given.
io::Task<Result<tls::EitherStream>> connect_target(Worker& worker, Introduction client, const PlanGroup& group,
                                                   TargetShare& target, io::Deadline deadline,
                                                   Connecting* how = nullptr);

// Of a handshake that failed, for the operator: "no certificate; alert certificate_required (116) was sent".
std::string trouble_of(const tls::Stream& stream, tls::HandshakeEnd end);

// What a target is asked for by name over TLS, and must prove to be.
const std::string& server_name_of(const config::TargetGroup& group, const std::string& host);

// The header by which a check says that it is the balancer's own; empty where the group has none.
Buffer introduction_of_check(const config::TargetGroup& group);

}  // namespace ballast::traffic
