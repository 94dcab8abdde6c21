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

const TargetGroup* Settings::group(std::string_view name) const {
  const auto found = std::ranges::find(target_groups, name, &TargetGroup::name);
  return found == target_groups.end() ? nullptr : &*found;
}

const Listener* Settings::listener(std::string_view name) const {
  const auto found = std::ranges::find(listeners, name, &Listener::name);
  return found == listeners.end() ? nullptr : &*found;
}

std::string_view to_string(ListenerProtocol protocol) {
  switch (protocol) {
    case ListenerProtocol::Tcp:
      return "tcp";
    case ListenerProtocol::Tls:
      return "tls";
    case ListenerProtocol::Udp:
      return "udp";
    case ListenerProtocol::Http:
      return "http";
    case ListenerProtocol::Https:
      break;
  }
  return "https";
}

std::string_view to_string(GroupProtocol protocol) {
  switch (protocol) {
    case GroupProtocol::Tcp:
      return "tcp";
    case GroupProtocol::Tls:
      return "tls";
    case GroupProtocol::Udp:
      return "udp";
    case GroupProtocol::Http:
      return "http";
    case GroupProtocol::H2c:
      return "h2c";
    case GroupProtocol::H2:
      return "h2";
    case GroupProtocol::Ajp:
      return "ajp";
    case GroupProtocol::Https:
      break;
  }
  return "https";
}

}  // namespace ballast::config
