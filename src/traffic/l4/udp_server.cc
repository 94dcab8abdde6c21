#include "traffic/l4/udp_server.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "io/loop.h"
#include "traffic/l4/udp_flow.h"
#include "traffic/protect/protection.h"
#include "traffic/worker.h"

namespace ballast::traffic {
namespace {

// Batches of one socket in a row before other events have their turn.
constexpr int rounds_max = 4;
// Of the targets of one datagram.
constexpr int refusals_max = 3;
// A target that refused is passed over so long while others are there; its check has the last word.
constexpr auto refusal_holds = std::chrono::seconds(1);
// How late a changed idle time is noticed at most, by flows at rest.
constexpr auto look_at_least_every = std::chrono::seconds(10);

std::uint64_t bytes_of(std::span<const io::Datagram> run) {
  std::uint64_t sum = 0;
  for (const io::Datagram& each : run) sum += each.bytes.size();
  return sum;
}

}  // namespace

UdpServer::UdpServer(Worker& worker, std::shared_ptr<ListenerShare> listener)
    : worker_(worker), listener_(std::move(listener)), flows_(worker.random()) {}

UdpServer::~UdpServer() {
  while (FlowEntry* entry = flows_.any()) {
    const std::unique_ptr<UdpFlow> flow(static_cast<UdpFlow*>(entry));
    flows_.remove(*flow);
  }
}

void UdpServer::open(const std::shared_ptr<io::BoundDatagrams>& sockets) {
  for (int i = worker_.number(); i < sockets->count(); i += worker_.number_of_all()) {
    auto door = std::make_unique<Door>();
    door->fd = sockets->fd(i);
    door->sockets = sockets;
    door->knows_overflowed = !sockets->was_taken_over();
    door->watcher = std::make_unique<io::Watcher>(worker_.loop(), door->fd, io::Interest{.read = true},
                                                  [this, at = door.get()] { from_clients(*at); });
    doors_.push_back(std::move(door));
  }
}

void UdpServer::leave_sockets() {
  stop();
  for (const auto& door : doors_) door->watcher.reset();
}

bool UdpServer::has(const io::BoundDatagrams& sockets) const {
  return std::any_of(doors_.begin(), doors_.end(), [&](const auto& door) { return door->sockets.get() == &sockets; });
}

void UdpServer::stop() {
  planned();
  stopping_ = true;
}

void UdpServer::hurry(io::Duration idle) {
  hurry_ = idle;
  flows_.for_each([this](FlowEntry& entry) { arm(static_cast<UdpFlow&>(entry)); });
}

void UdpServer::leave(const TargetShare& target) {
  std::vector<UdpFlow*> leaving;
  flows_.for_each([&](FlowEntry& entry) {
    auto& flow = static_cast<UdpFlow&>(entry);
    if (flow.way_ != nullptr && flow.way_->target.get() == &target) leaving.push_back(&flow);
  });
  for (UdpFlow* flow : leaving) end(*flow, Reason::Stopped);
}

void UdpServer::end_all(Reason reason) {
  while (FlowEntry* entry = flows_.any()) end(static_cast<UdpFlow&>(*entry), reason);
}

ListenerCell& UdpServer::cell() const {
  return worker_.cell_of(*listener_);
}

void UdpServer::drop(UdpDrop why, std::size_t count) {
  cell().udp_drops[static_cast<std::size_t>(why)].add(count);
}

const PlanListener* UdpServer::planned() {
  const PlanListener* listener = worker_.plan() != nullptr ? worker_.plan()->listener(*listener_) : nullptr;
  if (listener != nullptr) settings_ = listener->settings;
  return listener;
}

bool UdpServer::is_kept_out(const AddressBytes& client) const {
  const PlanListener* listener = worker_.plan() != nullptr ? worker_.plan()->listener(*listener_) : nullptr;
  return listener != nullptr && listener->protection != nullptr && listener->protection->door.keeps_out(client);
}

io::Duration UdpServer::idle() const {
  const io::Duration configured = settings_ != nullptr ? settings_->timeouts.idle : std::chrono::seconds(60);
  return std::min(configured, hurry_);
}

void UdpServer::from_clients(Door& door) {
  io::DatagramBatch& batch = worker_.datagrams();
  for (int round = 0; round < rounds_max; ++round) {
    const io::DatagramsMoved got = batch.receive(door.fd);
    if (got.state != io::DatagramState::Done) return;
    if (const std::uint32_t lost = batch.overflowed(); lost != 0 && lost != door.overflowed) {
      if (door.knows_overflowed) drop(UdpDrop::QueueFull, lost - door.overflowed);
      door.knows_overflowed = true;
      door.overflowed = lost;
    }
    const Run all = batch.datagrams();
    std::size_t first = 0;
    for (std::size_t i = 1; i <= all.size(); ++i) {
      const io::Datagram& of = all[first];
      const bool same = i < all.size() && all[i].from.port == of.from.port && all[i].from.bytes == of.from.bytes &&
                        all[i].near == of.near;
      if (same) continue;
      forward(door, all.subspan(first, i - first));
      first = i;
    }
    if (all.size() < io::DatagramBatch::size_max) return;
  }
}

void UdpServer::forward(Door& door, Run run) {
  TrafficCell& traffic = cell().traffic;
  traffic.datagrams_in.add(run.size());
  traffic.bytes_in.add(bytes_of(run));
  // Each time: one that is denied now may have a flow, which ends when it is idle.
  if (is_kept_out(run.front().from.bytes)) return drop(UdpDrop::AddressDenied, run.size());
  const FlowKey key{.client = run.front().from, .near = run.front().near, .port = door.sockets->address().port()};
  auto* flow = static_cast<UdpFlow*>(flows_.find(key));
  if (flow == nullptr) {
    flow = begin_flow(door, key, run.size());
    if (flow == nullptr) return;
  } else {
    if (flow->datagrams_out_ != 0) flows_.grow_old(*flow);
    review(*flow);
  }
  flow->datagrams_in_ += run.size();
  flow->bytes_in_ += bytes_of(run);
  passed(*flow);
  send(*flow, run);
}

UdpFlow* UdpServer::begin_flow(Door& door, const FlowKey& key, std::size_t datagrams) {
  const PlanListener* listener = planned();
  UdpDrop why = UdpDrop::Stopping;
  const auto refuse = [&]() -> UdpFlow* {
    drop(why, datagrams);
    return nullptr;
  };
  if (listener == nullptr || stopping_) return refuse();
  const config::UdpFlows& bounds = listener->settings->udp;
  const FlowTable::Room room = flows_.room_for(key, {.flows = bounds.flows, .per_client = bounds.per_client});
  if (!room.is_there) {
    cell().connections_refused.add();
    why = UdpDrop::FlowsFull;
    return refuse();
  }
  std::unique_ptr<UdpFlow> flow(new UdpFlow(*this, door, key));
  flow->began_ = flow->moved_ = worker_.loop().now();
  if (!find_target(*flow, why)) return refuse();
  // Only now: a flow that cannot begin costs no other its place.
  if (room.leaves != nullptr) end(static_cast<UdpFlow&>(*room.leaves), Reason::FlowEvicted);
  flows_.add(*flow);
  arm(*flow);
  ListenerCell& counts = cell();
  counts.connections.add();
  counts.connections_total.add();
  counts.traffic.in_flight.add();
  return flow.release();
}

// A new Plan may have changed where the flow belongs, or how its target is.
void UdpServer::review(UdpFlow& flow) {
  const std::shared_ptr<const Plan>& plan = worker_.plan();
  if (flow.way_ == nullptr || plan == nullptr || plan->generation == flow.generation_) return;
  flow.generation_ = plan->generation;
  const PlanListener* listener = planned();
  if (listener == nullptr) return;  // removed: its flows go on as they are
  RequestFacts facts;
  facts.source = flow.key().client.bytes;
  const Route* route = listener->routes->match(facts);
  const auto* to = route != nullptr ? std::get_if<ForwardTo>(&route->action) : nullptr;
  const PlanGroup* group = nullptr;
  if (to == nullptr) return lose_target(flow);
  for (const ForwardTo::Choice& choice : to->choices) {
    const PlanGroup& each = *plan->groups[choice.group_index];
    if (each.share == flow.way_->group->share && choice.weight != 0) group = &each;
  }
  if (group == nullptr) return lose_target(flow);
  const auto found = std::find(group->targets.begin(), group->targets.end(), flow.way_->target);
  if (found == group->targets.end()) return;  // draining
  const auto slot = static_cast<std::size_t>(found - group->targets.begin());
  if (!group->in_balancer[slot] && group->balancer.size() != 0) lose_target(flow);
}

bool UdpServer::find_target(UdpFlow& flow, UdpDrop& why) {
  const PlanListener* listener = planned();
  why = UdpDrop::Stopping;
  if (listener == nullptr) return false;
  RequestFacts facts;
  facts.source = flow.key().client.bytes;
  const Route* route = listener->routes->match(facts);
  why = UdpDrop::NoRule;
  if (route == nullptr) return false;
  const auto* to = std::get_if<ForwardTo>(&route->action);
  CHECK(to != nullptr);  // the configuration allows a listener of layer 4 nothing else
  const ForwardTo::Choice* choice = to->pick(worker_.random());
  why = UdpDrop::NoTarget;
  if (choice == nullptr) return false;
  const std::shared_ptr<const Plan> plan = worker_.plan();
  flow.way_ = std::make_unique<UdpFlow::Way>();
  flow.way_->group = plan->groups[choice->group_index];
  flow.generation_ = plan->generation;
  if (connect_any(flow, why)) return true;
  flow.way_.reset();
  return false;
}

bool UdpServer::connect_any(UdpFlow& flow, UdpDrop& why) {
  UdpFlow::Way& way = *flow.way_;
  const PlanGroup& group = *way.group;
  const io::Instant now = worker_.loop().now();
  const auto loads = [&](std::uint32_t slot) {
    TargetShare& target = *group.targets[slot];
    return Load{static_cast<std::uint32_t>(worker_.cell_of(target).traffic.in_flight.get()),
                worker_.local_of(target).latency.at(now)};
  };
  const Bytes source(reinterpret_cast<const char*>(flow.key().client.bytes.data()), flow.key().client.bytes.size());
  const std::uint64_t key = group.balancer.needs_key() ? key_of(source) : 0;
  BalancerState& state = worker_.state_of(*group.share);
  const config::TargetGroup& settings = *group.settings;
  int attempts = 0;
  const auto try_one = [&](std::uint32_t slot) {
    const std::shared_ptr<TargetShare>& target = group.targets[slot];
    TargetCell& counts = worker_.cell_of(*target);
    io::SocketAddress to = target->address;
    if (to.port() == 0) to.set_port(flow.key().port);
    ++attempts;
    counts.connects.add();
    auto socket = io::ConnectedDatagrams::connect(to);
    if (!socket) {
      counts.connect_failures.add();
      why = socket.error().code() == Code::Exhausted ? UdpDrop::Overloaded : UdpDrop::ToTarget;
      return false;
    }
    way.socket = std::move(*socket);
    way.target = target;
    way.watcher.emplace(worker_.loop(), way.socket.fd(), io::Interest{.read = true},
                        [this, &flow] { from_target(flow); });
    counts.traffic.in_flight.add();
    counts.connections.add();
    worker_.cell_of(*group.share).traffic.in_flight.add();
    if (flow.attempts_++ != 0) worker_.cell_of(*group.share).retries.add();
    flow.group_ = group.share;
    flow.target_ = target;
    flow.refused_ = false;
    return true;
  };
  // Those that refused lately are the last resort.
  std::optional<std::uint32_t> last_resort;
  Picker picker(group.balancer, key);
  Picker reserve(group.reserve, key);
  while (attempts < settings.retries.attempts) {
    auto slot = picker.next(state, loads);
    if (!slot.has_value() && (attempts != 0 || last_resort.has_value())) slot = reserve.next(state, loads);
    if (!slot.has_value()) break;
    TargetShare& target = *group.targets[*slot];
    const std::uint64_t open = worker_.cell_of(target).traffic.in_flight.get();
    if (settings.target_connections_max != 0 && open >= settings.target_connections_max) continue;
    const bool rests = worker_.local_of(target).refused_until > now;
    if (rests) {
      if (!last_resort.has_value()) last_resort = slot;
      continue;
    }
    if (try_one(*slot)) return true;
    if (why == UdpDrop::Overloaded) return false;  // the next would fail as well
  }
  return last_resort.has_value() && try_one(*last_resort);
}

void UdpServer::lose_target(UdpFlow& flow) {
  if (flow.way_ == nullptr) return;
  TargetCell& counts = worker_.cell_of(*flow.way_->target);
  counts.traffic.in_flight.subtract();
  counts.connections.subtract();
  worker_.cell_of(*flow.way_->group->share).traffic.in_flight.subtract();
  flow.way_.reset();
}

void UdpServer::refused(UdpFlow& flow) {
  const auto reason = static_cast<std::size_t>(Reason::ConnectRefused);
  worker_.cell_of(*flow.way_->target).connect_failures.add();
  worker_.cell_of(*flow.way_->group->share).errors[reason].add();
  worker_.local_of(*flow.way_->target).refused_until = worker_.loop().now() + refusal_holds;
  flow.refused_ = true;
  lose_target(flow);
}

void UdpServer::send(UdpFlow& flow, Run run) {
  // Each turn sends some, gives one up, or counts a refusal.
  int refusals = 0;
  while (!run.empty()) {
    if (UdpDrop why{}; flow.way_ == nullptr && !find_target(flow, why)) return drop(why, run.size());
    UdpFlow::Way& way = *flow.way_;
    const io::DatagramsMoved put = io::DatagramBatch::send(way.socket.fd(), run);
    const std::uint64_t bytes = bytes_of(run.first(put.count));
    for (TrafficCell* each : {&worker_.cell_of(*way.target).traffic, &worker_.cell_of(*way.group->share).traffic}) {
      each->datagrams_in.add(put.count);
      each->bytes_in.add(bytes);
    }
    run = run.subspan(put.count);
    switch (put.state) {
      case io::DatagramState::Done:
        break;
      case io::DatagramState::Refused:
        refused(flow);
        if (++refusals == refusals_max) return drop(UdpDrop::ToTarget, run.size());
        break;
      case io::DatagramState::TooLarge:
        drop(UdpDrop::TooLarge, 1);
        run = run.subspan(1);
        break;
      case io::DatagramState::WouldBlock:
      case io::DatagramState::Failed:
        return drop(UdpDrop::ToTarget, run.size());
    }
  }
}

void UdpServer::from_target(UdpFlow& flow) {
  io::DatagramBatch& batch = worker_.datagrams();
  for (int round = 0; round < rounds_max; ++round) {
    const io::DatagramsMoved got = batch.receive(flow.way_->socket.fd());
    if (got.state == io::DatagramState::Refused) return refused(flow);
    if (got.state != io::DatagramState::Done) return;
    const std::size_t count = batch.datagrams().size();
    if (flow.datagrams_out_ == 0) {
      worker_.local_of(*flow.way_->target)
          .latency.observe(std::chrono::duration_cast<std::chrono::microseconds>(worker_.loop().now() - flow.began_),
                           worker_.loop().now());
    }
    answer(flow, batch.datagrams());
    passed(flow);
    const std::optional<int>& answers = settings_->udp.answers;
    if (answers.has_value() && flow.datagrams_out_ >= flow.datagrams_in_ * static_cast<std::uint64_t>(*answers)) {
      return end(flow, Reason::None);
    }
    if (count < io::DatagramBatch::size_max) return;
  }
}

void UdpServer::answer(UdpFlow& flow, Run run) {
  const io::DatagramBatch::Far far{
      .to = flow.key().client, .near = flow.key().near, .family = flow.door_.sockets->address().family()};
  flow.datagrams_out_ += run.size();
  flow.bytes_out_ += bytes_of(run);
  for (TrafficCell* each : {&worker_.cell_of(*flow.way_->target).traffic,
                            &worker_.cell_of(*flow.way_->group->share).traffic, &cell().traffic}) {
    each->datagrams_out.add(run.size());
    each->bytes_out.add(bytes_of(run));
  }
  while (!run.empty()) {
    const io::DatagramsMoved put = io::DatagramBatch::send_to(flow.door_.fd, far, run);
    run = run.subspan(put.count);
    if (put.state == io::DatagramState::Done) continue;
    if (put.state != io::DatagramState::TooLarge) return drop(UdpDrop::ToClient, run.size());
    drop(UdpDrop::TooLarge, 1);
    run = run.subspan(1);
  }
}

void UdpServer::passed(UdpFlow& flow) {
  flow.moved_ = worker_.loop().now();
  flows_.touch(flow);
}

void UdpServer::arm(UdpFlow& flow) {
  const io::Instant now = worker_.loop().now();
  worker_.loop().timers().arm(flow, std::min(flow.moved_ + idle(), now + look_at_least_every));
}

void UdpServer::expired(UdpFlow& flow) {
  planned();
  if (worker_.loop().now() - flow.moved_ < idle()) return arm(flow);
  end(flow, flow.refused_ && flow.datagrams_out_ == 0 ? Reason::ConnectRefused : Reason::None);
}

void UdpServer::end(UdpFlow& flow, Reason reason) {
  const std::unique_ptr<UdpFlow> held(&flow);
  flows_.remove(flow);
  lose_target(flow);
  // From the first datagram to the last: how long it rested then says nothing.
  const Finished finished{.took = std::chrono::duration_cast<std::chrono::microseconds>(flow.moved_ - flow.began_)};
  ListenerCell& counts = cell();
  counts.connections.subtract();
  counts.traffic.in_flight.subtract();
  counts.traffic.finished(finished);
  if (reason != Reason::None) counts.errors[static_cast<std::size_t>(reason)].add();
  worker_.cell_of(*flow.group_).traffic.finished(finished);
  worker_.cell_of(*flow.target_).traffic.finished(finished);
  if (settings_->access_log && worker_.access_log().is_on()) log(flow, reason);
  if (stopping_ && is_empty()) worker_.forget_stopped();
}

void UdpServer::log(const UdpFlow& flow, Reason reason) {
  const std::string client = flow.key().client.host();
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(flow.moved_ - flow.began_);
  worker_.access_log().write({
      .at = std::chrono::system_clock::now(),
      .listener = settings_->name,
      .client = client,
      .layer4 = "udp",
      .reason = to_string(reason),
      .group = flow.group_->name,
      .target_name = flow.target_->name,
      .attempts = flow.attempts_,
      .bytes_in = flow.bytes_in_,
      .bytes_out = flow.bytes_out_,
      .datagrams_in = flow.datagrams_in_,
      .datagrams_out = flow.datagrams_out_,
      .duration_us = took.count(),
  });
}

}  // namespace ballast::traffic
