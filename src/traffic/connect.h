// connect_target: a connection to a target, introduced as its group says: a PROXY header tells whom it is from, or it comes
// from the client's own address. A target without a port is asked on the one the client connected to.
//
// Any worker's thread. The header goes out with the connection's first packet and is not counted as traffic; a target
// that does not take it at once is one that could not be connected to.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "config/settings.h"
#include "io/address.h"
#include "io/task.h"
#include "io/tcp.h"
#include "traffic/listen/told.h"

namespace ballast::io {
class Loop;
}

namespace ballast::traffic {

struct TargetShare;

// Whom a connection is made for; views that live until it stands.
struct Introduction {
  io::Peer client;
  const Told* told = nullptr;                 // of a balancer in front
  const io::Descriptor* connection = nullptr;  // the client's, asked where it connected to
  Bytes sni;
};

// Whether connections to targets of this group are one client's, and must not be used for another's requests.
bool tells_client(const config::TargetGroup& group);

// The Error's code is the connect's.
io::Task<Result<io::TcpStream>> connect_target(io::Loop& loop, Introduction client, const config::TargetGroup& group,
                                               const TargetShare& target, io::Deadline deadline);

// The header by which a check says that it is the balancer's own; empty where the group has none.
Buffer introduction_of_check(const config::TargetGroup& group);

}  // namespace ballast::traffic
