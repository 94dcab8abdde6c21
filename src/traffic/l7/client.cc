#include "traffic/l7/client.h"

#include "traffic/worker.h"

namespace ballast::traffic {

const std::string& Client::local_text() {
  if (local_text_.has_value()) return *local_text_;
  local_text_.emplace();
  if (told() != nullptr && told()->has_destination) {
    local_text_ = told()->destination.host();
  } else if (origin_.socket != nullptr) {
    const io::SocketAddress local = io::local_address(*origin_.socket);
    if (!local.is_unix()) local_text_ = io::Peer{local.bytes()}.host();
  }
  return *local_text_;
}

const std::string& Client::peer_text() {
  if (peer_text_.empty()) peer_text_ = peer_.host();
  return peer_text_;
}

std::uint16_t Client::port() const {
  return told() != nullptr && told()->has_destination ? told()->destination.port : listener_->port;
}

Introduction Client::introduction() const {
  const tls::Stream* stream = secure();
  return {.client = peer_,
          .told = told(),
          .connection = origin_.socket,
          .sni = stream != nullptr ? stream->server_name() : Bytes()};
}

namespace {

http::Strictness strictness_of(config::DesyncMode mode) {
  switch (mode) {
    case config::DesyncMode::Monitor:
      return http::Strictness::Monitor;
    case config::DesyncMode::Defensive:
      return http::Strictness::Defensive;
    case config::DesyncMode::Strictest:
      break;
  }
  return http::Strictness::Strictest;
}

}  // namespace

http::HeadLimits head_limits(const config::Listener& listener) {
  const config::RequestLimits& limits = listener.limits;
  return {.line = limits.request_line,
          .header = limits.header,
          .head = limits.headers,
          .header_count = limits.header_count,
          .strictness = strictness_of(listener.desync)};
}

http::HeadLimits head_limits(const config::TargetGroup& group) {
  const std::size_t bytes = group.response_headers_max;
  return {.line = bytes,
          .header = bytes,
          .head = bytes,
          .header_count = http::fields_max,
          .strictness = strictness_of(group.desync)};
}

io::Duration rest_of(const Worker& worker, const ListenerShare& listener) {
  const PlanListener* plan = worker.plan()->listener(listener);
  return plan != nullptr && !worker.is_draining() ? plan->settings->timeouts.keep_alive : io::Duration(0);
}

}  // namespace ballast::traffic
