#include "traffic/l7/upload.h"

#include "io/loop.h"

namespace ballast::traffic {

void Upload::start(http::Body& body, http::Framing framing, io::Stream& to, http::RelayLimits limits) {
  started_ = true;
  scope_.spawn(run(body, framing, to, limits));
}

bool Upload::client_failed() const {
  using http::RelayEnd;
  return started_ && !is_running() &&
         (result_.end == RelayEnd::SourceFailed || result_.end == RelayEnd::SourceTooSlow ||
          result_.end == RelayEnd::SourceTooLarge);
}

io::Task<void> Upload::run(http::Body& body, http::Framing framing, io::Stream& to, http::RelayLimits limits) {
  result_ = co_await http::relay(out_, body, framing, to, limits);
  ended_at_ = loop_.now();
  if (awaited_) awaiting_.interrupt();
}

}  // namespace ballast::traffic
