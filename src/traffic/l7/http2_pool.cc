#include "traffic/l7/http2_pool.h"

#include <algorithm>

#include "io/loop.h"

namespace ballast::traffic {

Http2Pool::Connection::Connection(io::Loop& loop, const config::TargetGroup& settings)
    : idle_max_(settings.pool.idle_timeout),
      is_secure_(is_secure(settings.protocol)),
      session_(http2::Session::make(http2::Session::Role::Client, loop, *this,
                                    {.head_bytes = settings.response_headers_max,
                                     .header = settings.timeouts.header,
                                     .sink_idle = settings.timeouts.idle})) {}

std::shared_ptr<Http2Pool::Connection> Http2Pool::take(Fresh fresh, const Way& way) {
  for (const std::shared_ptr<Connection>& connection : connections_) {
    if (fresh == Fresh::Required && connection->has_answered()) continue;
    if (!connection->session().may_request()) continue;
    if (connection->has_answered()) cell_.reuses.add();
    return connection;
  }
  if (retired_ || connections_.size() >= connections_max) return nullptr;
  auto connection = std::make_shared<Connection>(scope_.loop(), *way.group.settings);
  if (connection->session_ == nullptr) return nullptr;
  connections_.push_back(connection);
  scope_.spawn(run(shared_from_this(), connection, way));
  return connection;
}

io::Task<void> Http2Pool::run(std::shared_ptr<Http2Pool> pool, std::shared_ptr<Connection> connection, Way way) {
  const config::TargetGroup& settings = *way.group.settings;
  // What it counts is the target's, which may have left every Plan before the connection ends.
  const std::shared_ptr<TargetShare> target = way.target.shared_from_this();
  pool->cell_.connects.add();
  // Many clients share it, so it is nobody's in particular: the configuration refuses groups that would tell.
  auto stream = co_await connect_target(pool->worker_, {}, way.group, way.target,
                                        pool->scope_.loop().after(settings.timeouts.connect), &connection->connecting_);
  std::optional<Code> failure;
  if (!stream) {
    failure = stream.error().code();
  } else if (const tls::Stream* secure = stream->secure(); secure != nullptr && secure->protocol() != "h2") {
    failure = Code::Malformed;
    connection->connecting_.trouble = "TLS: the target does not speak HTTP/2 (ALPN)";
  }
  way.plan.reset();  // a connection outlives many Plans
  if (!failure.has_value()) {
    connection->transport_.emplace(std::move(*stream));
    pool->cell_.connections.add();
    co_await connection->session().run(connection->transport_->get(), {});
    pool->cell_.connections.subtract();
  } else {
    pool->cell_.connect_failures.add();
    connection->connect_failure_ = failure;
    connection->session().abandon(*failure);
  }
  std::erase(pool->connections_, connection);
}

void Http2Pool::retire() {
  retired_ = true;
  for (const std::shared_ptr<Connection>& connection : connections_) {
    connection->retired_ = true;
    connection->session().drain();
  }
}

}  // namespace ballast::traffic
