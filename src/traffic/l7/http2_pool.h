// Http2Pool: one worker's HTTP/2 connections to one target, each of which carries many requests at once.
//
// A request goes on the first connection that may open another stream; where there is none, one is made, and the
// request waits in it for the connect. Connections end when the target ends them, when they have carried nothing for
// the pool's idle time, or at retire(). Worker's thread only. Held by TargetShare::locals and by its connections.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/settings.h"
#include "io/scope.h"
#include "traffic/connect.h"
#include "traffic/plan.h"
#include "wire/http2/session.h"
#include "wire/tls/either_stream.h"

namespace ballast::traffic {

class Worker;

class Http2Pool final : public std::enable_shared_from_this<Http2Pool> {
 public:
  // `scope` owns the tasks of the connections and outlives them.
  Http2Pool(Worker& worker, io::Scope& scope, TargetCell& cell) : worker_(worker), scope_(scope), cell_(cell) {}

  // One connection and what it has carried.
  class Connection;

  // Required: one that has not answered yet. All that were under way on a connection that died come at once, and go
  // together on the one that takes its place.
  enum class Fresh : std::uint8_t { Allowed, Required };
  // What a new connection is made by; the Plan keeps the others.
  struct Way {
    std::shared_ptr<const Plan> plan;
    const PlanGroup& group;
    TargetShare& target;
  };
  // A connection that takes a request now, or nullptr where too many are full.
  std::shared_ptr<Connection> take(Fresh fresh, const Way& way);
  // No more requests on any; those that are under way end.
  void retire();

 private:
  // The streams of this many, a hundred each as a rule, are more than a worker's requests to one target.
  static constexpr std::size_t connections_max = 32;
  static io::Task<void> run(std::shared_ptr<Http2Pool> pool, std::shared_ptr<Connection> connection, Way way);

  Worker& worker_;
  io::Scope& scope_;
  TargetCell& cell_;
  std::vector<std::shared_ptr<Connection>> connections_;
  bool retired_ = false;
};

class Http2Pool::Connection final : private http2::SessionOwner {
 public:
  Connection(io::Loop& loop, const config::TargetGroup& settings);

  http2::Session& session() { return *session_; }
  Bytes scheme() const { return is_secure_ ? "https" : "http"; }
  bool has_answered() const { return has_answered_; }
  void answered() { has_answered_ = true; }
  // Why it could not be made.
  std::optional<Code> connect_failure() const { return connect_failure_; }
  const Connecting& connecting() const { return connecting_; }

 private:
  friend class Http2Pool;
  void on_request(const std::shared_ptr<http2::Stream>&) override {}  // a server asks nothing
  io::Duration rest_max() override { return retired_ ? io::Duration(0) : idle_max_; }

  std::optional<tls::EitherStream> transport_;  // once it is made
  io::Duration idle_max_;
  std::optional<Code> connect_failure_;
  Connecting connecting_;
  const bool is_secure_;
  bool has_answered_ = false;
  bool retired_ = false;
  std::shared_ptr<http2::Session> session_;
};

}  // namespace ballast::traffic
