// UdpFlow: what a UdpServer keeps of one flow. Owned by it, found in its FlowTable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "io/datagrams.h"
#include "io/timer_wheel.h"
#include "io/watcher.h"
#include "traffic/l4/udp_server.h"

namespace ballast::traffic {

class UdpFlow final : public FlowEntry, private io::Timer {
 private:
  friend class UdpServer;
  UdpFlow(UdpServer& server, UdpServer::Door& door, const FlowKey& key)
      : FlowEntry(key), server_(server), door_(door) {}
  void expired() override { server_.expired(*this); }

  // Of the group and target that it has now; all empty where it has none.
  struct Way {
    std::shared_ptr<const PlanGroup> group;
    std::shared_ptr<TargetShare> target;
    io::ConnectedDatagrams socket;
    std::optional<io::Watcher> watcher;  // after the socket: it goes first
  };

  UdpServer& server_;
  UdpServer::Door& door_;
  std::unique_ptr<Way> way_;
  std::shared_ptr<GroupShare> group_;    // the last, for the log
  std::shared_ptr<TargetShare> target_;  // the last; the next one is another where there is one and this was refused
  std::uint64_t generation_ = 0;         // of the Plan that the way was last looked at by
  io::Instant began_;
  io::Instant moved_;
  int attempts_ = 0;
  bool refused_ = false;  // by target_
  std::uint64_t datagrams_in_ = 0;
  std::uint64_t datagrams_out_ = 0;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;

 public:
  ~UdpFlow() override = default;
};

}  // namespace ballast::traffic
