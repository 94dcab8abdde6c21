// ClientConnection: a client's connection of an http listener, from accept to close; what is kept of it between two
// requests, and therefore small. It stands in its worker's list of connections, so that a drain can find those at rest.
// Worker's thread; lives in the frame of serve_http().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "io/scope.h"
#include "io/tcp.h"
#include "traffic/connect.h"
#include "traffic/connection_count.h"
#include "traffic/l7/own_pool.h"
#include "traffic/listen/told.h"
#include "traffic/plan.h"
#include "wire/http/connection.h"

namespace ballast::traffic {

class Worker;

class ClientConnection final : public io::IdleListener {
 public:
  ClientConnection(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, const io::Peer& peer,
                   std::shared_ptr<const Told> told, io::Strand& strand);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;

  Worker& worker() const { return worker_; }
  ListenerShare& listener() const { return *listener_; }
  io::TcpStream& stream() { return stream_; }
  http::Connection& reader() { return reader_; }
  const io::Peer& peer() const { return peer_; }
  // What a balancer in front has said of it; nullptr: nothing.
  const Told* told() const { return told_.get(); }
  // The port and the protocol that the client used, behind a balancer that has said so: that balancer's.
  std::uint16_t port() const;
  Bytes protocol() const { return told_ != nullptr && told_->over_tls ? "https" : "http"; }
  // Who it is, as targets are told, and the connections to targets that were told so.
  Introduction introduction() const;
  OwnPool& own_pool() { return own_pool_; }
  // "10.0.0.7"; made once.
  const std::string& peer_text();

  // Between requests: a drain may end it.
  bool at_rest = true;
  // The client cut the connection while its request was being answered.
  bool was_cut() const { return cut_; }
  // Its time is over: the drain's, or the target's it was using.
  bool called_off() const { return strand_.cancelled(); }
  // Ends the wait of a connection at rest.
  void end_rest() { strand_.interrupt(); }

  ClientConnection* previous = nullptr;  // the worker's list
  ClientConnection* next = nullptr;

 private:
  void on_idle_event(News news) override;

  Worker& worker_;
  std::shared_ptr<ListenerShare> listener_;
  ConnectionCount count_;
  io::Strand& strand_;
  io::TcpStream stream_;
  http::Connection reader_;
  io::Peer peer_;
  std::shared_ptr<const Told> told_;
  OwnPool own_pool_;
  bool cut_ = false;
  std::string peer_text_;
};

// Serves one client until either side ends it.
io::Task<void> serve_http(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer,
                          std::shared_ptr<const Told> told);

}  // namespace ballast::traffic
