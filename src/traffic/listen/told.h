// Told: what a balancer in front has said of a connection in its PROXY header. Made once, before the connection is
// served, and shared by what serves it.
#pragma once

#include <string>

#include "io/address.h"

namespace ballast::traffic {

struct Told {
  io::Peer proxy;        // who said it: the connection's real peer
  io::Peer destination;  // where the client connected to
  bool has_destination = false;
  bool over_tls = false;  // the client spoke TLS with the balancer in front
  std::string unique_id;  // of version 2, as the next two; empty: not said
  std::string authority;  // the name the client asked for
};

}  // namespace ballast::traffic
