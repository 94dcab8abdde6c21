// UpstreamPool: one worker's connections to one target that are at rest, newest on top, and what was learned of how
// long the target keeps them.
//
// A target closes an idle connection after a time of its own; reusing one at that moment costs a request. The pool
// learns that time from the closings it sees (and from "Keep-Alive: timeout=N") and retires connections well before it.
// A connection whose peer has said anything while at rest is dropped at once and never handed out. Worker's thread
// only. Held by TargetShare::locals; retire() on that thread before it goes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/settings.h"
#include "io/timer_wheel.h"
#include "traffic/cells.h"
#include "traffic/l7/upstream.h"
#include "wire/http/connection.h"
#include "wire/tls/either_stream.h"

namespace ballast::traffic {

class UpstreamPool;

// One connection to a target that carries one request at a time; its protocol is a class of its own. In use it belongs
// to an attempt, at rest to its pool.
class UpstreamConnection : public Upstream, public io::IdleListener {
 public:
  UpstreamConnection(UpstreamPool& pool, tls::EitherStream stream);
  ~UpstreamConnection() override;
  UpstreamConnection(const UpstreamConnection&) = delete;

  bool is_reused() const final { return served_ != 0; }
  io::Ready until_head(io::Deadline deadline) override { return stream_.get().until_readable(deadline); }
  void finish(std::unique_ptr<Upstream> self, Use use, const config::Pool& pool) final;

 protected:
  io::Stream& stream() { return stream_.get(); }
  http::Connection& reader() { return reader_; }
  UpstreamPool& pool() { return *pool_; }
  // Whether its protocol allows another request after this one; asked when one has ended in order.
  virtual bool may_serve_again() const { return true; }
  // Of one that was taken from the pool.
  io::Instant resting_since() const { return resting_since_; }

 private:
  friend class UpstreamPool;
  void on_idle_event(News news) override;

  std::shared_ptr<UpstreamPool> pool_;
  tls::EitherStream stream_;
  http::Connection reader_;
  std::uint64_t served_ = 0;
  io::Instant resting_since_{};
};

class UpstreamPool final : public std::enable_shared_from_this<UpstreamPool>, private io::Timer {
 public:
  UpstreamPool(io::Loop& loop, TargetCell& cell) : loop_(loop), cell_(cell) {}
  ~UpstreamPool() override = default;

  // The connection that rested shortest, or nullptr. With `certain`, one that is asked whether it still stands first:
  // for requests that cannot be sent twice.
  enum class Certainty : std::uint8_t { Likely, Asked };
  // `context`: what TLS is made with, nullptr for none; connections made otherwise are closed.
  std::unique_ptr<UpstreamConnection> take(Certainty certainty, const tls::ClientContext* context);
  // Back to rest after a whole exchange; closed where it may not be used again.
  void give(std::unique_ptr<UpstreamConnection> connection, const config::Pool& settings);
  // The target said how long it keeps idle connections.
  void told_idle_time(std::chrono::seconds time);
  // Closes what rests, and from now on whatever is given back.
  void retire();

  io::Loop& loop() { return loop_; }
  std::size_t size() const { return resting_.size(); }
  // How long a connection may rest; the learned time with a margin.
  io::Duration rest_max(const config::Pool& settings) const;

 private:
  friend class UpstreamConnection;
  void closed_by_peer(UpstreamConnection& connection, io::IdleListener::News news);
  void expired() override;
  void arm();

  io::Loop& loop_;
  TargetCell& cell_;
  std::vector<std::unique_ptr<UpstreamConnection>>
      resting_;                // by resting_since_, oldest first; bounded by Pool::idle_max
  io::Duration rest_limit_{};  // of those resting, from the last give()
  std::optional<io::Duration> told_;
  std::optional<io::Duration> suspected_;  // one closing seen; a second that agrees makes it learned
  std::optional<io::Duration> learned_;
  bool retired_ = false;
};

}  // namespace ballast::traffic
