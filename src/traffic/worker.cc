#include "traffic/worker.h"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "traffic/connection_count.h"
#include "traffic/explain/connection.h"
#include "traffic/l4/udp_server.h"
#include "traffic/l7/client_connection.h"
#include "traffic/l7/http2_pool.h"
#include "traffic/l7/upstream_pool.h"
#include "traffic/listen/proxied.h"
#include "traffic/listen/serve.h"
#include "traffic/open_connection.h"
#include "traffic/queue/places.h"

namespace ballast::traffic {

ConnectionCount::ConnectionCount(Worker& worker, ListenerShare& listener, Stage stage)
    : worker_(worker), listener_(listener) {
  ListenerCell& cell = worker_.cell_of(listener_);
  cell.connections.add();
  if (stage == Stage::Serving) cell.connections_total.add();
  worker_.load().fetch_add(1, std::memory_order_relaxed);
}

ConnectionCount::~ConnectionCount() {
  worker_.cell_of(listener_).connections.subtract();
  worker_.load().fetch_sub(1, std::memory_order_relaxed);
}

HandshakeCount::HandshakeCount(Worker& worker, ListenerShare& listener) : worker_(worker), listener_(listener) {
  worker_.cell_of(listener_).connections.add();
  worker_.load().fetch_add(1, std::memory_order_relaxed);
}

HandshakeCount::~HandshakeCount() {
  ListenerCell& cell = worker_.cell_of(listener_);
  cell.connections.subtract();
  worker_.load().fetch_sub(1, std::memory_order_relaxed);
  if (!passed_on_) cell.connections_total.add();
}

Result<std::unique_ptr<Worker>> Worker::make(Options options) {
  auto loop = io::Loop::make();
  if (!loop) return fail(std::move(loop.error()));
  return std::unique_ptr<Worker>(new Worker(std::move(options), std::move(*loop)));
}

Worker::Worker(Options options, std::unique_ptr<io::Loop> loop)
    : options_(std::move(options)),
      loop_(std::move(loop)),
      access_log_(*loop_, options_.access_log),
      passwords_(*loop_, options_.passwords),
      random_(static_cast<std::uint64_t>(io::Clock::now().time_since_epoch().count()) + index()),
      scope_(*loop_),
      mirrors_(*loop_),
      targets_(*loop_),
      own_scope_(*loop_) {}

Worker::~Worker() {
  loop_->stop();
  thread_.join();
}

void Worker::start(std::vector<Worker*> peers) {
  peers_ = std::move(peers);
  thread_ = io::Thread(fmt::format("worker-{}", options_.index), [this] { loop_->run(); });
}

void Worker::adopt(std::shared_ptr<const Plan> plan) {
  // A control block of this worker's own: requests count their hold on the Plan without touching another core's cache
  // line.
  loop_->post([this, plan = std::move(plan)] {
    const std::shared_ptr<const Plan> before = std::move(plan_);
    plan_ = std::shared_ptr<const Plan>(plan.get(), [hold = plan](const Plan*) {});
    roots_.clear();
    // A part for each worker, rounded up.
    records_.bound((plan->explain.keep + peers_.size() - 1) / peers_.size());
    if (before != nullptr) call_waiting(*before, index());
  });
}

void Worker::listen(std::shared_ptr<ListenerShare> listener, int listening_fd) {
  loop_->post([this, listener = std::move(listener), listening_fd] {
    auto accept = [this, listener](int fd, const io::Peer& peer) { accepted(listener, fd, peer); };
    auto exhausted = [this, listener](const Error& error) {
      options_.trouble(fmt::format("listener \"{}\": {}: new connections wait; raise LimitNOFILE or close something",
                                   listener->name, error.text()));
    };
    doors_.push_back(
        {listener, std::make_unique<io::Acceptor>(*loop_, listening_fd, std::move(accept), std::move(exhausted))});
  });
}

void Worker::listen(std::shared_ptr<ListenerShare> listener, std::shared_ptr<io::BoundDatagrams> sockets) {
  loop_->post([this, listener = std::move(listener), sockets = std::move(sockets)]() mutable {
    std::erase_if(udp_servers_, [&](const auto& each) {
      if (!each->has(*sockets) || &each->listener() == listener.get()) return false;
      each->end_all(Reason::Stopped);
      return true;
    });
    const auto same = std::find_if(udp_servers_.begin(), udp_servers_.end(),
                                   [&](const auto& each) { return &each->listener() == listener.get(); });
    if (same == udp_servers_.end()) {
      udp_servers_.push_back(std::make_unique<UdpServer>(*this, std::move(listener)));
      udp_servers_.back()->open(sockets);
    } else {
      (*same)->open(sockets);
    }
  });
}

io::DatagramBatch& Worker::datagrams() {
  if (datagrams_ == nullptr) datagrams_ = std::make_unique<io::DatagramBatch>();
  return *datagrams_;
}

void Worker::stop_datagrams(const ListenerShare* of_listener) {
  for (const auto& each : udp_servers_) {
    if (of_listener == nullptr || &each->listener() == of_listener) each->stop();
  }
  forget_stopped();
}

// Not at once: one of them may be what tells that its last flow has ended.
void Worker::forget_stopped() {
  loop_->at_round_end([this] {
    std::erase_if(udp_servers_, [](const auto& each) { return each->is_stopping() && each->is_empty(); });
  });
}

io::Task<void> Worker::flows_ended() {
  // A client that pauses for so long has its answer, as far as can be known.
  constexpr auto quiet = std::chrono::seconds(1);
  constexpr auto look = std::chrono::milliseconds(20);
  for (const auto& each : udp_servers_) each->hurry(quiet);
  while (!udp_servers_.empty() && !drain_until_.passed(loop_->now())) {
    co_await io::Sleep(earlier(drain_until_, loop_->after(look)));
    std::erase_if(udp_servers_, [](const auto& each) { return each->is_empty(); });
  }
  for (const auto& each : udp_servers_) each->end_all(Reason::Stopped);
  udp_servers_.clear();
}

void Worker::unlisten(std::shared_ptr<ListenerShare> listener, std::move_only_function<void()> done) {
  loop_->post([this, listener = std::move(listener), done = std::move(done)]() mutable {
    for (const Door& door : doors_) {
      if (door.listener == listener) door.acceptor->take_waiting();
    }
    std::erase_if(doors_, [&](const Door& door) { return door.listener == listener; });
    end_connections(listener.get());
    stop_datagrams(listener.get());
    done();
  });
}

void Worker::retire(std::shared_ptr<TargetShare> target, Leftovers leftovers) {
  loop_->post([this, target = std::move(target), leftovers] {
    TargetLocal& local = local_of(*target);
    local.retired = true;
    if (local.pool != nullptr) {
      local.pool->retire();
      std::erase(pools_, local.pool);
    }
    if (local.http2_pool != nullptr) local.http2_pool->retire();
    if (leftovers == Leftovers::CallOff) {
      local.uses.cancel_all();
      for (const auto& each : udp_servers_) each->leave(*target);
    }
  });
}

void Worker::stop_accepting() {
  loop_->post([this] {
    for (const Door& door : doors_) door.acceptor->take_waiting();
    doors_.clear();
    stop_datagrams(nullptr);
  });
}

void Worker::leave_listeners() {
  loop_->post([this] {
    doors_.clear();
    for (const auto& each : udp_servers_) each->leave_sockets();
    forget_stopped();
  });
}

void Worker::drain(io::Duration time, AtRest at_rest, std::move_only_function<void()> done) {
  loop_->post([this, time, at_rest, done = std::move(done)]() mutable {
    draining_ = true;
    if (at_rest == AtRest::End) {
      end_connections(nullptr);
    } else {
      for (OpenConnection* each = connections_; each != nullptr; each = each->next_) each->end_with_next_request();
    }
    drain_until_ = earlier(drain_until_, loop_->after(time));
    own_scope_.spawn(end_drain(std::move(done)));
  });
}

void Worker::hurry(io::Duration time) {
  loop_->post([this, time] {
    end_connections(nullptr);
    drain_until_ = earlier(drain_until_, loop_->after(time));
    if (drain_ != nullptr) drain_->interrupt();
  });
}

io::Task<void> Worker::end_drain(std::move_only_function<void()> done) {
  io::Strand& strand = co_await io::this_strand();
  drain_ = &strand;
  co_await flows_ended();
  // It is called earlier where the deadline has been moved.
  while (!co_await scope_.closed(drain_until_) && !drain_until_.passed(loop_->now())) continue;
  drain_ = nullptr;
  co_await scope_.close();
  co_await mirrors_.close();
  co_await targets_.close();
  access_log_.hand_over();
  plan_.reset();
  // A connection at rest holds its pool and its pool holds it: one of them has to let go.
  for (const auto& pool : pools_) pool->retire();
  pools_.clear();
  done();
}

void Worker::end_connections(const ListenerShare* of_listener) {
  for (OpenConnection* connection = connections_; connection != nullptr; connection = connection->next_) {
    if (of_listener == nullptr || &connection->of_listener() == of_listener) connection->end_soon();
  }
}

UpstreamPool& Worker::pool_of(TargetShare& target) {
  TargetLocal& local = local_of(target);
  if (local.pool == nullptr) {
    local.pool = std::make_shared<UpstreamPool>(*loop_, cell_of(target));
    if (local.retired) {
      local.pool->retire();
    } else {
      pools_.push_back(local.pool);
    }
  }
  return *local.pool;
}

Http2Pool& Worker::http2_pool_of(TargetShare& target) {
  TargetLocal& local = local_of(target);
  if (local.http2_pool == nullptr) {
    local.http2_pool = std::make_shared<Http2Pool>(*this, targets_, cell_of(target));
    if (local.retired) local.http2_pool->retire();
  }
  return *local.http2_pool;
}

void Worker::opened(OpenConnection& connection) {
  connection.next_ = connections_;
  if (connections_ != nullptr) connections_->previous_ = &connection;
  connections_ = &connection;
}

void Worker::closed(OpenConnection& connection) {
  (connection.previous_ != nullptr ? connection.previous_->next_ : connections_) = connection.next_;
  if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
}

Worker& Worker::least_loaded() const {
  Worker* least = peers_.front();
  for (Worker* peer : peers_) {
    if (peer->load().load(std::memory_order_relaxed) < least->load().load(std::memory_order_relaxed)) least = peer;
  }
  return *least;
}

void Worker::accepted(const std::shared_ptr<ListenerShare>& listener, int fd, const io::Peer& peer) {
  // Handing on costs a wake-up of the other thread: only where the difference is more than chance makes it.
  constexpr std::uint32_t difference_min = 2;
  Worker& least = least_loaded();
  const std::uint32_t theirs = least.load().load(std::memory_order_relaxed);
  if (&least != this && load().load(std::memory_order_relaxed) > theirs + difference_min + theirs / 8) {
    least.loop_->post([&least, listener, fd, peer] { least.serve(listener, fd, peer); });
    return;
  }
  serve(listener, fd, peer);
}

void Worker::serve(std::shared_ptr<ListenerShare> listener, int fd, const io::Peer& peer) {
  const PlanListener* plan = plan_ != nullptr ? plan_->listener(*listener) : nullptr;
  if (plan == nullptr || draining_) {
    ::close(fd);
    return;
  }
  std::uint64_t open = 0;
  for (const ListenerCell& cell : listener->cells) open += cell.connections.get();
  if (open >= plan->settings->limits.connections) {
    cell_of(*listener).connections_refused.add();
    keep_record(*this, {.listener = *plan->settings,
                        .peer = peer,
                        .cause = Reason::Overloaded,
                        .detail = fmt::format("limits.connections: {} are open", plan->settings->limits.connections)});
    ::close(fd);
    return;
  }
  if (plan->settings->proxy_protocol.has_value()) {
    scope_.spawn(serve_proxied(*this, std::move(listener), fd, peer));
  } else {
    scope_.spawn(serve_connection(*this, std::move(listener), fd, peer, nullptr));
  }
}

void Worker::serve_secure(std::shared_ptr<ListenerShare> listener, std::unique_ptr<tls::Stream> stream,
                          const io::Peer& peer, std::shared_ptr<const Told> told, AddressHold hold) {
  scope_.spawn(serve_http(*this, std::move(listener), std::move(stream), peer, std::move(told), std::move(hold)));
}

}  // namespace ballast::traffic
