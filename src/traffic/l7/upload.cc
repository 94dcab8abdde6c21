#include "traffic/l7/upload.h"

#include "io/loop.h"

namespace ballast::traffic {

void Upload::start(Upstream& upstream, http::Body& body, http::Framing framing, http::RelayLimits limits) {
  started_ = true;
  scope_.spawn(run(upstream, body, framing, limits));
}

bool Upload::client_failed() const {
  using http::RelayEnd;
  return started_ && !is_running() &&
         (result_.end == RelayEnd::SourceFailed || result_.end == RelayEnd::SourceTooSlow ||
          result_.end == RelayEnd::SourceTooLarge);
}

io::Task<void> Upload::run(Upstream& upstream, http::Body& body, http::Framing framing, http::RelayLimits limits) {
  result_ = co_await upstream.upload(out_, body, framing, limits);
  ended_at_ = loop_.now();
  if (awaited_) awaiting_.interrupt();
}

}  // namespace ballast::traffic
