#include "traffic/l7/client.h"

#include "traffic/worker.h"

namespace ballast::traffic {

const std::string& Client::peer_text() {
  if (peer_text_.empty()) peer_text_ = peer_.host();
  return peer_text_;
}

std::uint16_t Client::port() const {
  return told() != nullptr && told()->has_destination ? told()->destination.port : listener_->port;
}

Introduction Client::introduction() const {
  return {.client = peer_, .told = told(), .connection = origin_.socket, .sni = {}};
}

http::HeadLimits head_limits(const config::RequestLimits& limits) {
  return {.line = limits.request_line,
          .header = limits.header,
          .head = limits.headers,
          .header_count = limits.header_count};
}

io::Duration rest_of(const Worker& worker, const ListenerShare& listener) {
  const PlanListener* plan = worker.plan()->listener(listener);
  return plan != nullptr && !worker.is_draining() ? plan->settings->timeouts.keep_alive : io::Duration(0);
}

}  // namespace ballast::traffic
