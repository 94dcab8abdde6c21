// A record of a connection that never became a request, put into its worker's rings. Where today's counters of such are
// counted, so is this called. Worker's thread.
//
// Left out: clients that only left again before they said anything (probes do), and everything of datagrams, whose
// senders cost nothing and may be anybody.
#pragma once

#include <span>

#include "base/bytes.h"
#include "io/address.h"
#include "traffic/explain/attempt_note.h"
#include "traffic/explain/cause.h"
#include "traffic/listen/told.h"
#include "traffic/plan.h"

namespace ballast::traffic {

class Worker;

// Views that live until the call returns.
struct ConnectionTrouble {
  const config::Listener& listener;
  const io::Peer& peer;
  const Told* told = nullptr;  // of a balancer in front
  Cause cause;
  Bytes protocol;  // empty: the listener's
  Bytes detail = {};
  Bytes defect = {};
  Bytes sni = {};
  Bytes rule = {};
  Bytes group = {};
  Bytes id = {};  // empty: one is made
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  io::Instant began{};  // epoch: just now
  std::span<const AttemptNote> attempts = {};
};

void keep_record(Worker& worker, const ConnectionTrouble& trouble);

}  // namespace ballast::traffic
