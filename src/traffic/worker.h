// Worker: one thread: a Loop, the connections it accepted, its upstream pools, its counters. It shares nothing with
// other workers but the Plan; the control thread reaches it through Loop::post alone.
//
// A listening socket is watched by all workers and the kernel wakes one of them, which may be the same one for a burst
// of connections; so a worker that holds clearly more connections than the least loaded hands a new one on to that one.
//
// Made by the control thread, which calls what stands first; the rest belongs to the worker's own thread. Ends by
// drain(), then destruction, which joins the thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/acceptor.h"
#include "io/datagrams.h"
#include "io/loop.h"
#include "io/scope.h"
#include "io/thread.h"
#include "traffic/auth/password_pool.h"
#include "traffic/explain/rings.h"
#include "traffic/files/root_folders.h"
#include "traffic/l7/access_log.h"
#include "traffic/l7/exchange_state.h"
#include "traffic/plan.h"

namespace ballast::tls {
class Stream;
}

namespace ballast::traffic {

class AddressHold;
class OpenConnection;
class UdpServer;
struct Told;

// How many connections each worker holds, as all of them see it.
struct WorkerLoads {
  struct alignas(64) Load {
    std::atomic<std::uint32_t> connections = 0;
  };
  explicit WorkerLoads(int workers) : each(static_cast<std::size_t>(workers)) {}
  std::vector<Load> each;
};

class Worker {
 public:
  struct Options {
    int index = 0;
    WorkerLoads* loads = nullptr;                     // outlives the worker
    AccessLog* access_log = nullptr;                  // outlives the worker
    auth::PasswordPool* passwords = nullptr;          // closed before the worker goes
    std::function<void(const std::string&)> trouble;  // something worth an event; called on the worker's thread
  };

  // Control thread.
  static Result<std::unique_ptr<Worker>> make(Options options);
  ~Worker();
  Worker(const Worker&) = delete;
  // `peers`: all workers by index, this one included; they must outlive this one's thread.
  void start(std::vector<Worker*> peers);
  void adopt(std::shared_ptr<const Plan> plan);
  void listen(std::shared_ptr<ListenerShare> listener, int listening_fd);
  // The same of a udp listener. Whoever served those sockets before ends: the listener of another name, or of before a
  // change, whose last flows were still there.
  void listen(std::shared_ptr<ListenerShare> listener, std::shared_ptr<io::BoundDatagrams> sockets);
  // Stops accepting there and ends its connections at rest; flows of datagrams go on until they end; `done` runs on the
  // worker's thread when the socket is watched no more.
  void unlisten(std::shared_ptr<ListenerShare> listener, std::move_only_function<void()> done);
  // The target is no longer in any Plan: its connections at rest are closed.
  void retire(std::shared_ptr<TargetShare> target, Leftovers leftovers);
  // Takes what waits in the listeners' queues, and no more.
  void stop_accepting();
  // Takes no more, and leaves what waits in the queues to the process that goes on with the sockets.
  void leave_listeners();
  // Lets what is under way end in `time`, then calls it off; `done` runs on the worker's thread. Connections at rest
  // are ended, or may make one more request: those of a process that another one follows have nobody who refuses them.
  enum class AtRest : std::uint8_t { End, OneMore };
  void drain(io::Duration time, AtRest at_rest, std::move_only_function<void()> done);
  // A drain that goes on has only so long left, and ends connections at rest at once.
  void hurry(io::Duration time);
  io::Loop& loop() { return *loop_; }

  // The worker's own thread.
  const std::shared_ptr<const Plan>& plan() const { return plan_; }
  int number() const { return options_.index; }
  int number_of_all() const { return static_cast<int>(peers_.size()); }
  // For one batch at a time; its bytes are dead after the next.
  io::DatagramBatch& datagrams();
  // A udp listener that is gone has no flow any more.
  void forget_stopped();
  bool is_draining() const { return draining_; }
  AccessLogBuffer& access_log() { return access_log_; }
  ExchangePool& exchanges() { return exchanges_; }
  ExplainRings& records() { return records_; }
  // Responses that are being compressed now.
  int& compressing() { return compressing_; }
  // Requests that are held up on purpose now, and copies of requests that are under way with the tasks that send them.
  int& held_up() { return held_up_; }
  int& mirroring() { return mirroring_; }
  io::Scope& mirrors() { return mirrors_; }
  RootFolders& roots() { return roots_; }
  std::uint64_t random() { return random_.random(); }
  // Of all workers, this one included.
  Worker& peer(std::size_t index) const { return *peers_[index]; }
  auth::PasswordDoor& passwords() { return passwords_; }
  UpstreamPool& pool_of(TargetShare& target);
  Http2Pool& http2_pool_of(TargetShare& target);
  ListenerCell& cell_of(ListenerShare& share) const { return share.cells[index()]; }
  GroupCell& cell_of(GroupShare& share) const { return share.cells[index()]; }
  TargetCell& cell_of(TargetShare& share) const { return share.cells[index()]; }
  BalancerState& state_of(GroupShare& share) const { return share.states[index()]; }
  TargetLocal& local_of(TargetShare& share) const { return share.locals[index()]; }
  // Of what there is one of for each worker: this one's.
  template <typename T>
  const T& own(const std::vector<T>& by_worker) const {
    return by_worker[index()];
  }
  std::atomic<std::uint32_t>& load() const { return options_.loads->each[index()].connections; }
  // A client of an https listener whose handshake is done; what its protocol() says decides who serves it.
  void serve_secure(std::shared_ptr<ListenerShare> listener, std::unique_ptr<tls::Stream> stream, const io::Peer& peer,
                    std::shared_ptr<const Told> told, AddressHold hold);
  void opened(OpenConnection& connection);
  void closed(OpenConnection& connection);

 private:
  Worker(Options options, std::unique_ptr<io::Loop> loop);
  std::size_t index() const { return static_cast<std::size_t>(options_.index); }
  void accepted(const std::shared_ptr<ListenerShare>& listener, int fd, const io::Peer& peer);
  void serve(std::shared_ptr<ListenerShare> listener, int fd, const io::Peer& peer);
  Worker& least_loaded() const;
  void end_connections(const ListenerShare* of_listener);
  void stop_datagrams(const ListenerShare* of_listener);
  io::Task<void> flows_ended();
  io::Task<void> end_drain(std::move_only_function<void()> done);

  struct Door {
    std::shared_ptr<ListenerShare> listener;
    std::unique_ptr<io::Acceptor> acceptor;
  };

  Options options_;
  std::unique_ptr<io::Loop> loop_;
  std::vector<Worker*> peers_;
  std::shared_ptr<const Plan> plan_;
  AccessLogBuffer access_log_;
  ExchangePool exchanges_;
  ExplainRings records_;
  RootFolders roots_;
  auth::PasswordDoor passwords_;
  BalancerState random_;
  std::vector<Door> doors_;
  std::unique_ptr<io::DatagramBatch> datagrams_;
  std::vector<std::unique_ptr<UdpServer>> udp_servers_;
  OpenConnection* connections_ = nullptr;             // all of http listeners
  std::vector<std::shared_ptr<UpstreamPool>> pools_;  // of all targets it has used
  bool draining_ = false;
  io::Deadline drain_until_ = io::Deadline::never();
  io::Strand* drain_ = nullptr;  // while it waits for connections
  int compressing_ = 0;
  int held_up_ = 0;
  int mirroring_ = 0;
  io::Scope scope_;      // the connections
  io::Scope mirrors_;    // copies of requests, which nobody waits for
  io::Scope targets_;    // HTTP/2 connections to targets
  io::Scope own_scope_;  // the drain
  io::Thread thread_;
};

}  // namespace ballast::traffic
