// UdpServer: a udp listener at one worker: its sockets, its flows, and the way of each datagram.
//
// A flow begins with a client's datagram that belongs to none: the rules name a group, its balancer a target, and the
// flow gets a connected socket of its own, by which the target's answers find back. It stays with that target until
// nothing has passed for the idle time, with three exceptions, at the client's next datagram: the target is refused by
// ICMP, the target is unhealthy while others are not, or the rules lead elsewhere now. Then another target is picked;
// UDP has nothing to lose by it. A target that drains keeps its flows until they end or leave() calls them off.
//
// Nothing is ever answered by us: what goes no further is counted (UdpDrop). Worker's thread; ends with its Worker, or
// when it is stopping and is_empty().
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "io/datagrams.h"
#include "io/watcher.h"
#include "traffic/l4/flow_table.h"
#include "traffic/l4/udp_drop.h"
#include "traffic/plan.h"
#include "traffic/protect/network_set.h"

namespace ballast::traffic {

class UdpFlow;
class Worker;

class UdpServer {
 public:
  UdpServer(Worker& worker, std::shared_ptr<ListenerShare> listener);
  ~UdpServer();
  UdpServer(const UdpServer&) = delete;

  // Serves this worker's share of them from now on: one, where there are as many as workers.
  void open(const std::shared_ptr<io::BoundDatagrams>& sockets);
  const ListenerShare& listener() const { return *listener_; }
  bool has(const io::BoundDatagrams& sockets) const;
  bool is_empty() const { return flows_.size() == 0; }

  // What comes from clients is another process's from here on; answers to those that are here still go out.
  void leave_sockets();
  // No new flows; when the last has ended the Worker lets go of it.
  void stop();
  bool is_stopping() const { return stopping_; }
  // Flows end when nothing has passed for so long.
  void hurry(io::Duration idle);
  // Its flows are called off.
  void leave(const TargetShare& target);
  void end_all(Reason reason);

 private:
  friend class UdpFlow;
  struct Door {
    std::shared_ptr<io::BoundDatagrams> sockets;
    int fd = -1;
    std::uint32_t overflowed = 0;
    bool knows_overflowed = true;  // false: what the kernel says first was lost before our time
    std::unique_ptr<io::Watcher> watcher;
  };
  using Run = std::span<const io::Datagram>;

  void from_clients(Door& door);
  void forward(Door& door, Run run);
  UdpFlow* begin_flow(Door& door, const FlowKey& key, std::size_t datagrams);
  void review(UdpFlow& flow);
  // False: there is none to be had, and `why` says what to count.
  bool find_target(UdpFlow& flow, UdpDrop& why);
  bool connect_any(UdpFlow& flow, UdpDrop& why);
  void lose_target(UdpFlow& flow);
  void refused(UdpFlow& flow);
  void send(UdpFlow& flow, Run run);
  void from_target(UdpFlow& flow);
  void answer(UdpFlow& flow, Run run);
  void passed(UdpFlow& flow);
  void expired(UdpFlow& flow);
  void arm(UdpFlow& flow);
  void end(UdpFlow& flow, Reason reason);
  void log(const UdpFlow& flow, Reason reason);
  void drop(UdpDrop why, std::size_t count);
  const PlanListener* planned();
  bool is_kept_out(const AddressBytes& client) const;
  ListenerCell& cell() const;
  io::Duration idle() const;

  Worker& worker_;
  std::shared_ptr<ListenerShare> listener_;
  std::shared_ptr<const config::Listener> settings_;  // the latest that a Plan had
  std::vector<std::unique_ptr<Door>> doors_;
  FlowTable flows_;
  io::Duration hurry_ = io::Duration::max();
  bool stopping_ = false;
};

}  // namespace ballast::traffic
