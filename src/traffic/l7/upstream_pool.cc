#include "traffic/l7/upstream_pool.h"

#include <algorithm>
#include <utility>

#include "io/loop.h"

namespace ballast::traffic {

namespace {

// A connection closed sooner than this after its answer was closed because of that answer or of a restart; it teaches
// nothing.
constexpr auto lesson_min = std::chrono::milliseconds(50);
// Two closings agree when they differ by no more than a tenth, or this.
constexpr auto lesson_tolerance = std::chrono::milliseconds(50);

}  // namespace

UpstreamConnection::UpstreamConnection(UpstreamPool& pool, tls::EitherStream stream)
    : pool_(pool.shared_from_this()), stream_(std::move(stream)), reader_(pool.loop(), stream_.get()) {
  pool_->cell_.connections.add();
}

UpstreamConnection::~UpstreamConnection() {
  pool_->cell_.connections.subtract();
}

void UpstreamConnection::finish(std::unique_ptr<Upstream> self, Use use, const config::Pool& pool) {
  std::unique_ptr<UpstreamConnection> connection(static_cast<UpstreamConnection*>(self.release()));
  CHECK(connection.get() == this);
  if (use == Use::Reuse && may_serve_again()) {
    pool_->give(std::move(connection), pool);
  } else {
    stream_.get().close();
  }
}

void UpstreamConnection::on_idle_event(News news) {
  pool_->closed_by_peer(*this, news);
}

std::unique_ptr<UpstreamConnection> UpstreamPool::take(Certainty certainty, const tls::ClientContext* context) {
  while (!resting_.empty()) {
    std::unique_ptr<UpstreamConnection> connection = std::move(resting_.back());
    resting_.pop_back();
    cell_.pool_idle.subtract();
    connection->stream_.descriptor().on_idle_event(nullptr);
    if (loop_.now() - connection->resting_since_ > rest_limit_) {
      // The one on top rested shortest: all below are too old as well.
      connection->stream_.get().close();
      continue;
    }
    const tls::Stream* secure = connection->stream_.secure();
    if ((secure != nullptr ? secure->context() : nullptr) != context) {
      connection->stream_.get().close();  // the group's TLS has changed since
      continue;
    }
    if (certainty == Certainty::Asked) {
      char byte = 0;
      if (connection->stream_.get().try_read(&byte, 1).state != io::TransferState::WouldBlock) {
        connection->stream_.get().close();
        continue;
      }
    }
    cell_.reuses.add();
    return connection;
  }
  return nullptr;
}

void UpstreamPool::give(std::unique_ptr<UpstreamConnection> connection, const config::Pool& settings) {
  ++connection->served_;
  const bool worn = settings.requests_max != 0 && connection->served_ >= settings.requests_max;
  io::Descriptor& descriptor = connection->stream_.descriptor();
  connection->stream_.get().look();
  const tls::Stream* secure = connection->stream_.secure();
  const bool unwanted = secure != nullptr && secure->wants_end();
  // A connection that could not be watched would not be seen to close.
  if (retired_ || worn || unwanted || resting_.size() >= settings.idle_max || connection->reader_.has_held() ||
      descriptor.may_read() || !descriptor.watch_now()) {
    connection->stream_.get().close();
    return;
  }
  connection->reader_.release();
  descriptor.on_idle_event(connection.get());
  connection->resting_since_ = loop_.now();
  const io::Duration limit_before = std::exchange(rest_limit_, rest_max(settings));
  resting_.push_back(std::move(connection));
  cell_.pool_idle.add();
  // What has been learned since the timer was armed may have made the time shorter.
  if (!is_armed() || rest_limit_ != limit_before) arm();
}

void UpstreamPool::told_idle_time(std::chrono::seconds time) {
  told_ = time;
}

io::Duration UpstreamPool::rest_max(const config::Pool& settings) const {
  io::Duration limit = settings.idle_timeout;
  // A fifth of the time, at least 10 ms, is left for the request's way to the target.
  const auto with_margin = [](io::Duration time) {
    return std::max(time - std::max<io::Duration>(time / 5, std::chrono::milliseconds(10)), io::Duration(0));
  };
  if (told_.has_value()) limit = std::min(limit, with_margin(*told_));
  if (learned_.has_value()) limit = std::min(limit, with_margin(*learned_));
  return limit;
}

void UpstreamPool::retire() {
  retired_ = true;
  for (auto& connection : resting_) connection->stream_.get().close();
  cell_.pool_idle.subtract(resting_.size());
  // Freed after the loop over it: a connection's destructor holds the pool.
  std::exchange(resting_, {}).clear();
  disarm();
}

void UpstreamPool::closed_by_peer(UpstreamConnection& connection, io::IdleListener::News news) {
  if (news == io::IdleListener::News::Bytes && connection.stream_.secure() != nullptr) {
    connection.stream_.get().look();
    if (!connection.stream_.get().may_read()) return;  // a session ticket
  }
  const io::Duration rested = loop_.now() - connection.resting_since_;
  // An orderly close of a connection that had rested a while is the target's idle timeout; a cut one tells of a crash.
  if (news == io::IdleListener::News::Ended && rested >= lesson_min) {
    const auto agrees = [&](io::Duration other) {
      const io::Duration apart = rested > other ? rested - other : other - rested;
      return apart <= std::max<io::Duration>(other / 10, lesson_tolerance);
    };
    if (suspected_.has_value() && agrees(*suspected_)) learned_ = std::min(rested, *suspected_);
    suspected_ = rested;
  }
  const auto place =
      std::find_if(resting_.begin(), resting_.end(), [&](const auto& each) { return each.get() == &connection; });
  CHECK(place != resting_.end());
  const std::unique_ptr<UpstreamConnection> gone = std::move(*place);
  resting_.erase(place);
  cell_.pool_idle.subtract();
  gone->stream_.get().close();
}

void UpstreamPool::arm() {
  if (!resting_.empty()) loop_.timers().arm(*this, resting_.front()->resting_since_ + rest_limit_);
}

void UpstreamPool::expired() {
  std::size_t old = 0;
  while (old < resting_.size() && loop_.now() - resting_[old]->resting_since_ >= rest_limit_) ++old;
  for (std::size_t i = 0; i < old; ++i) resting_[i]->stream_.get().close();
  cell_.pool_idle.subtract(old);
  const auto end = resting_.begin() + static_cast<std::ptrdiff_t>(old);
  std::vector<std::unique_ptr<UpstreamConnection>> gone(std::make_move_iterator(resting_.begin()),
                                                        std::make_move_iterator(end));
  resting_.erase(resting_.begin(), end);
  arm();
}

}  // namespace ballast::traffic
