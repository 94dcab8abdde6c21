#include "traffic/control/listeners.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace ballast::traffic {
namespace {

Result<io::SocketAddress> address_of(const config::Listener& listener) {
  const config::Address& address = listener.address;
  if (address.is_unix()) return io::SocketAddress::unix_path(address.unix_path);
  if (address.host.empty()) return io::SocketAddress::any(address.port);
  if (address.host == "localhost") return io::SocketAddress::numeric("127.0.0.1", address.port);
  auto numeric = io::SocketAddress::numeric(address.host, address.port);
  if (!numeric) {
    return fail(Code::Invalid,
                fmt::format("cannot listen on {}: {} is a name; write one of this machine's addresses, or \":{}\" "
                            "for all of them",
                            address.to_string(), address.host, address.port));
  }
  return numeric;
}

// Port 0 asks for any free port: two such listeners are not the same socket.
std::string key_of_socket(const config::Listener& listener) {
  const bool any_port = !listener.address.is_unix() && listener.address.port == 0;
  return any_port ? fmt::format("{} of {}", listener.address.to_string(), listener.name) : listener.address.to_string();
}

Result<std::shared_ptr<io::ListeningSocket>> bind(const config::Listener& listener) {
  const auto named = [&](Error error) {
    return std::move(error).within(fmt::format("listener \"{}\"", listener.name));
  };
  auto address = address_of(listener);
  if (!address) return fail(named(std::move(address.error())));
  // In HTTP and TLS the client speaks first; what a tcp listener relays is not known.
  using First = io::ListenOptions::FirstSpeaker;
  const bool tcp = listener.protocol == config::ListenerProtocol::Tcp;
  const io::ListenOptions options{.first_speaker = tcp ? First::Either : First::Client};
  auto socket = io::ListeningSocket::bind(*address, options);
  if (!socket && listener.address.host.empty() && !listener.address.is_unix() &&
      socket.error().code() == Code::Unsupported) {
    // A machine without IPv6.
    socket = io::ListeningSocket::bind(*io::SocketAddress::numeric("0.0.0.0", listener.address.port), options);
  }
  if (!socket) return fail(named(std::move(socket.error())));
  return std::make_shared<io::ListeningSocket>(std::move(*socket));
}

}  // namespace

std::uint32_t Listeners::free_slot(const std::vector<OpenListener>& taken) const {
  const auto is_taken = [&](std::uint32_t slot) {
    const auto has = [slot](const OpenListener& each) { return each.share->slot == slot; };
    return std::any_of(open_.begin(), open_.end(), has) || std::any_of(taken.begin(), taken.end(), has);
  };
  std::uint32_t slot = 0;
  while (is_taken(slot)) ++slot;
  return slot;
}

Result<Listeners::Change> Listeners::prepare(const config::Settings& settings) {
  Change change;
  for (const config::Listener& listener : settings.listeners) {
    const std::string key = key_of_socket(listener);
    const auto same = std::find_if(open_.begin(), open_.end(), [&](const OpenListener& each) {
      return each.share->name == listener.name && each.key == key && each.protocol == listener.protocol;
    });
    if (same != open_.end()) {
      change.next.push_back(*same);
      continue;
    }
    OpenListener opened{.key = key, .protocol = listener.protocol};
    const auto same_socket =
        std::find_if(open_.begin(), open_.end(), [&](const OpenListener& each) { return each.key == key; });
    if (same_socket != open_.end()) {
      opened.socket = same_socket->socket;
    } else {
      auto socket = bind(listener);
      if (!socket) return fail(std::move(socket.error()));
      opened.socket = std::move(*socket);
    }
    opened.share = std::make_shared<ListenerShare>(listener.name, free_slot(change.next), workers_);
    opened.share->port = opened.socket->address().port();
    change.next.push_back(opened);
    change.opened.push_back(std::move(opened));
  }
  for (const OpenListener& open : open_) {
    const bool stays = std::any_of(change.next.begin(), change.next.end(),
                                   [&](const OpenListener& each) { return each.share == open.share; });
    if (!stays) change.closed.push_back(open);
  }
  return change;
}

void Listeners::commit(Change change) {
  open_ = std::move(change.next);
}

}  // namespace ballast::traffic
