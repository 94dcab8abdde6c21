#include "traffic/l7/http2_pool.h"

#include <algorithm>

#include "io/loop.h"
#include "io/tcp.h"

namespace ballast::traffic {

Http2Pool::Connection::Connection(io::Loop& loop, const config::TargetGroup& settings)
    : connect_max_(settings.timeouts.connect),
      idle_max_(settings.pool.idle_timeout),
      session_(http2::Session::make(http2::Session::Role::Client, loop, transport_, *this,
                                    {.head_bytes = settings.response_headers_max,
                                     .header = settings.timeouts.header,
                                     .sink_idle = settings.timeouts.idle})) {}

std::shared_ptr<Http2Pool::Connection> Http2Pool::take(Fresh fresh, const config::TargetGroup& settings) {
  if (fresh == Fresh::Allowed) {
    for (const std::shared_ptr<Connection>& connection : connections_) {
      if (!connection->session().may_request()) continue;
      if (connection->has_answered()) cell_.reuses.add();
      return connection;
    }
  }
  if (retired_ || connections_.size() >= connections_max) return nullptr;
  auto connection = std::make_shared<Connection>(scope_.loop(), settings);
  if (connection->session_ == nullptr) return nullptr;
  connections_.push_back(connection);
  scope_.spawn(run(shared_from_this(), connection));
  return connection;
}

io::Task<void> Http2Pool::run(std::shared_ptr<Http2Pool> pool, std::shared_ptr<Connection> connection) {
  io::Loop& loop = pool->scope_.loop();
  pool->cell_.connects.add();
  auto stream = co_await io::TcpStream::connect(loop, pool->address_, loop.after(connection->connect_max_));
  if (stream) {
    connection->transport_ = std::move(*stream);
    pool->cell_.connections.add();
    co_await connection->session().run({});
    pool->cell_.connections.subtract();
  } else {
    pool->cell_.connect_failures.add();
    connection->connect_failure_ = stream.error().code();
    connection->session().abandon(stream.error().code());
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
