#include "config/settings.h"

#include <algorithm>

#include <fmt/format.h>

namespace ballast::config {

std::string Address::to_string() const {
  if (is_unix()) return "unix:" + unix_path;
  const bool is_v6 = host.find(':') != std::string::npos;
  if (same_port) return is_v6 ? fmt::format("[{}]", host) : host;
  const std::string ports = port_last == 0 ? fmt::format("{}", port) : fmt::format("{}-{}", port, port_last);
  return is_v6 ? fmt::format("[{}]:{}", host, ports) : fmt::format("{}:{}", host, ports);
}

std::string_view to_string(ListenerProtocol protocol) {
  switch (protocol) {
    case ListenerProtocol::Tcp:
      return "tcp";
    case ListenerProtocol::Http:
      return "http";
    case ListenerProtocol::Tls:
      return "tls";
  }
  return "unknown";
}

bool is_layer4(ListenerProtocol protocol) {
  return protocol != ListenerProtocol::Http;
}

const TargetGroup* Settings::group(std::string_view name) const {
  const auto found = std::ranges::find(target_groups, name, &TargetGroup::name);
  return found == target_groups.end() ? nullptr : &*found;
}

const Listener* Settings::listener(std::string_view name) const {
  const auto found = std::ranges::find(listeners, name, &Listener::name);
  return found == listeners.end() ? nullptr : &*found;
}

}  // namespace ballast::config
