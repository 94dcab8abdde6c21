#include "traffic/l7/session_route.h"

#include "traffic/l7/cookie.h"

namespace ballast::traffic {

namespace {

// What stands behind the first dot of a session's id; routes may have dots of their own.
Bytes route_of(Bytes id) {
  const std::size_t dot = id.find('.');
  return dot == Bytes::npos ? Bytes() : id.substr(dot + 1);
}

// The next value of ";name=value" in the path (RFC 3986 3.3); takes what it has read off the front.
std::optional<Bytes> next_parameter(Bytes& path, Bytes name) {
  while (true) {
    const std::size_t semicolon = path.find(';');
    if (semicolon == Bytes::npos) return std::nullopt;
    path.remove_prefix(semicolon + 1);
    if (path.size() <= name.size() || !path.starts_with(name) || path[name.size()] != '=') continue;
    const Bytes value = path.substr(name.size() + 1);
    return value.substr(0, value.find_first_of(";/"));
  }
}

}  // namespace

std::optional<std::uint32_t> session_target(const http::RequestHead& head, const config::SessionRoute& settings,
                                            const SessionRoutes& routes) {
  if (!settings.enabled || routes.empty()) return std::nullopt;
  Bytes path = head.path();
  while (const auto id = next_parameter(path, settings.parameter)) {
    if (const auto slot = routes.find(route_of(*id))) return slot;
  }
  CookieReader cookies(head.fields, settings.cookie);
  while (const auto id = cookies.next()) {
    if (const auto slot = routes.find(route_of(*id))) return slot;
  }
  return std::nullopt;
}

}  // namespace ballast::traffic
