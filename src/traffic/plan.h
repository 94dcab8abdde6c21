// Plan: the immutable compiled truth that the workers serve by. The control thread makes a new one at each change and
// hands it to every worker; a request keeps the Plan it began with to its end.
//
// What outlives a Plan (counters, pools, balancing positions) hangs on a ListenerShare, GroupShare or TargetShare,
// which the next Plan takes over when the listener, group or target is still there. A share has one cell for each
// worker. Shares and Plans are held by shared_ptr; the control thread and the workers let go of them independently.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.h"
#include "io/address.h"
#include "traffic/acme/challenges.h"
#include "traffic/auth/guard.h"
#include "traffic/balance/balancer.h"
#include "traffic/balance/session_routes.h"
#include "traffic/balance/sticky_targets.h"
#include "traffic/cells.h"
#include "traffic/queue/waiting_line.h"
#include "traffic/route/route_table.h"
#include "traffic/target_use.h"
#include "wire/tls/client_context.h"
#include "wire/tls/server_context.h"

namespace ballast::traffic {

class Http2Pool;
struct Protection;
class UpstreamPool;

// What one worker keeps of a target; touched by no other thread, and emptied on that thread before the share goes.
struct TargetLocal {
  std::shared_ptr<UpstreamPool> pool;
  std::shared_ptr<Http2Pool> http2_pool;
  std::shared_ptr<tls::SessionSlot> session;  // of a target that is spoken to over TLS
  Latency latency;
  TargetUses uses;
  io::Instant refused_until;  // of datagrams; others are picked first until then
  bool retired = false;       // no newer Plan has it; who goes on by an older one leaves no connection at rest
};

// What becomes of the requests and connections that a removed target still has.
enum class Leftovers : std::uint8_t { MayEnd, CallOff };

struct TargetShare : std::enable_shared_from_this<TargetShare> {
  struct Naming {
    std::string name;
    std::string host;
  };
  TargetShare(Naming naming, io::SocketAddress target_address, int workers)
      : name(std::move(naming.name)),
        host(std::move(naming.host)),
        address(target_address),
        cells(static_cast<std::size_t>(workers)),
        locals(static_cast<std::size_t>(workers)),
        lines(static_cast<std::size_t>(workers)) {}
  const std::string name;           // as configured: "10.0.0.1:80", "app.internal:80"
  const std::string host;           // of that, alone; empty: a Unix socket
  const io::SocketAddress address;  // numeric
  std::vector<TargetCell> cells;    // by worker
  std::vector<TargetLocal> locals;  // by worker
  std::vector<WaitingLine> lines;   // by worker: of requests that belong to it
  // By requests, of all workers, where the group has `target_requests_max`; else nobody touches it.
  alignas(64) std::atomic<std::uint32_t> places_taken = 0;
};

struct GroupShare {
  GroupShare(std::string group_name, int workers)
      : name(std::move(group_name)),
        cells(static_cast<std::size_t>(workers)),
        lines(static_cast<std::size_t>(workers)) {
    for (int i = 0; i < workers; ++i) states.emplace_back(static_cast<std::uint64_t>(i) + 1);
  }
  const std::string name;
  std::vector<GroupCell> cells;                        // by worker
  std::vector<BalancerState> states;                   // by worker, each that worker's own
  std::vector<WaitingLine> lines;                      // by worker: of requests that any target will do
  alignas(64) std::atomic<std::uint32_t> waiting = 0;  // in those lines and the targets', of all workers
};

struct ListenerShare {
  ListenerShare(std::string listener_name, std::uint32_t listener_slot, int workers)
      : name(std::move(listener_name)), slot(listener_slot), cells(static_cast<std::size_t>(workers)) {}
  const std::string name;
  const std::uint32_t slot;         // place in Plan::listeners, for as long as it lives
  std::uint16_t port = 0;           // as bound
  std::vector<ListenerCell> cells;  // by worker
};

// What the targets of a group are spoken to with, over TLS.
struct GroupContexts {
  std::vector<std::shared_ptr<const tls::ClientContext>> by_worker;
  std::shared_ptr<const tls::ClientContext> checks;  // the control thread's
};

struct PlanGroup {
  std::shared_ptr<GroupShare> share;
  std::shared_ptr<const config::TargetGroup> settings;
  bool judges = false;  // by `outliers`: what attempts at its targets come to is counted
  // The Balancer's slots are places in this list. Targets that take no new requests are in the list and not in the
  // Balancer.
  std::vector<std::shared_ptr<TargetShare>> targets;
  Balancer balancer;
  // Targets that only their checks keep out: asked when all of the others have failed a request.
  Balancer reserve;
  std::vector<bool> in_balancer;  // by slot; the others are in the reserve, or have sessions alone
  bool failing_open = false;
  std::vector<std::string> routes;         // of the targets, by slot; empty where none has one
  SessionRoutes session_routes;            // of those that take requests
  StickyTargets sticky_targets;            // whose cookies clients hold
  std::vector<std::string> sticky_tokens;  // of the targets, by slot; empty: no cookie is set
  // By source or header: picks among those that take requests. Empty where `sticky` is not of that kind.
  Balancer sticky_balancer;
  std::shared_ptr<const GroupContexts> tls;  // nullptr: its targets are spoken to plainly
};

struct PlanListener {
  std::shared_ptr<ListenerShare> share;
  std::shared_ptr<const config::Listener> settings;
  std::shared_ptr<const RouteTable> routes;
  auth::Guards guards;                                         // of the routes, by their index
  std::shared_ptr<const Protection> protection;                // nullptr: nothing stands at the door
  std::shared_ptr<const config::Maintenance> maintenance;      // nullptr: it serves
  std::string hsts;                                            // Strict-Transport-Security; empty: none
  std::vector<std::shared_ptr<const tls::ServerContext>> tls;  // by worker; empty: it is plain
};

class Plan {
 public:
  std::uint64_t generation = 0;
  config::Explain explain;
  std::vector<std::shared_ptr<const PlanGroup>> groups;        // as in the settings; RouteTable names them by place
  std::vector<std::shared_ptr<const PlanListener>> listeners;  // by slot, with holes
  std::shared_ptr<const acme::Challenges> challenges;          // nullptr: none is under way

  // nullptr when the listener is no longer there.
  const PlanListener* listener(const ListenerShare& share) const {
    const PlanListener* found = share.slot < listeners.size() ? listeners[share.slot].get() : nullptr;
    return found != nullptr && found->share.get() == &share ? found : nullptr;
  }
};

}  // namespace ballast::traffic
