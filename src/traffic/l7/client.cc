#include "traffic/l7/client.h"

#include "traffic/worker.h"

namespace ballast::traffic {

const std::string& Client::local_text() {
  if (!local_text_.has_value()) local_text_ = local_host();
  return *local_text_;
}

const std::string& Client::peer_text() {
  if (peer_text_.empty()) peer_text_ = peer_.host();
  return peer_text_;
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
