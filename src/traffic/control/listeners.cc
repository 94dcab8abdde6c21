#include "traffic/control/listeners.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace ballast::traffic {
namespace {

Result<io::SocketAddress> address_of(const config::Address& address) {
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
std::string key_of_socket(const config::Listener& listener, const config::Address& address) {
  const bool any_port = !address.is_unix() && address.port == 0;
  const std::string key =
      listener.protocol == config::ListenerProtocol::Udp ? address.to_string() + "/udp" : address.to_string();
  return any_port ? fmt::format("{} of {}", key, listener.name) : key;
}

Result<std::shared_ptr<io::ListeningSocket>> bind(const config::Listener& listener, const config::Address& where) {
  const auto named = [&](Error error) {
    return std::move(error).within(fmt::format("listener \"{}\"", listener.name));
  };
  auto address = address_of(where);
  if (!address) return fail(named(std::move(address.error())));
  // In HTTP and TLS the client speaks first; what a tcp listener relays is not known.
  using First = io::ListenOptions::FirstSpeaker;
  const bool client_first = listener.protocol != config::ListenerProtocol::Tcp;
  const io::ListenOptions options{.first_speaker = client_first ? First::Client : First::Either};
  auto socket = io::ListeningSocket::bind(*address, options);
  if (!socket && where.host.empty() && !where.is_unix() && socket.error().code() == Code::Unsupported) {
    // A machine without IPv6.
    socket = io::ListeningSocket::bind(*io::SocketAddress::numeric("0.0.0.0", where.port), options);
  }
  if (!socket) return fail(named(std::move(socket.error())));
  return std::make_shared<io::ListeningSocket>(std::move(*socket));
}

// One socket a worker (decisions/0022).
Result<std::shared_ptr<io::BoundDatagrams>> bind_datagrams(const config::Listener& listener,
                                                           const config::Address& where, int workers) {
  const auto named = [&](Error error) {
    return std::move(error).within(fmt::format("listener \"{}\"", listener.name));
  };
  auto address = address_of(where);
  if (!address) return fail(named(std::move(address.error())));
  auto bound = io::BoundDatagrams::bind(*address, workers);
  if (!bound && where.host.empty() && bound.error().code() == Code::Unsupported) {
    // A machine without IPv6.
    bound = io::BoundDatagrams::bind(*io::SocketAddress::numeric("0.0.0.0", where.port), workers);
  }
  if (!bound) return fail(named(std::move(bound.error())));
  return std::make_shared<io::BoundDatagrams>(std::move(*bound));
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

std::string OpenListener::bound() const {
  const std::string first = sockets.front().address().to_string();
  return address.port_last == 0 ? first : fmt::format("{}-{}", first, address.port_last);
}

// A socket that is open already is taken over, whichever listener has it now.
Result<OpenSocket> Listeners::take_or_bind(const config::Listener& listener, const config::Address& where) const {
  const std::string key = key_of_socket(listener, where);
  for (const OpenListener& open : open_) {
    const auto same =
        std::find_if(open.sockets.begin(), open.sockets.end(), [&](const OpenSocket& each) { return each.key == key; });
    if (same != open.sockets.end()) return *same;
  }
  if (listener.protocol == config::ListenerProtocol::Udp) {
    for (const Leaving& each : leaving_) {
      auto datagrams = each.key == key ? each.datagrams.lock() : nullptr;
      if (datagrams != nullptr) return OpenSocket{.key = key, .datagrams = std::move(datagrams)};
    }
    auto datagrams = bind_datagrams(listener, where, workers_);
    if (!datagrams) return fail(std::move(datagrams.error()));
    return OpenSocket{.key = key, .datagrams = std::move(*datagrams)};
  }
  auto socket = bind(listener, where);
  if (!socket) return fail(std::move(socket.error()));
  return OpenSocket{.key = key, .socket = std::move(*socket)};
}

Result<Listeners::Change> Listeners::prepare(const config::Settings& settings) {
  Change change;
  for (const config::Listener& listener : settings.listeners) {
    const auto same = std::find_if(open_.begin(), open_.end(), [&](const OpenListener& each) {
      return each.share->name == listener.name && each.address == listener.address &&
             each.protocol == listener.protocol;
    });
    if (same != open_.end()) {
      change.next.push_back(*same);
      continue;
    }
    OpenListener opened{.address = listener.address, .protocol = listener.protocol};
    config::Address one = listener.address;
    one.port_last = 0;
    for (int i = 0; i < listener.address.port_count(); ++i, ++one.port) {
      auto socket = take_or_bind(listener, one);
      if (!socket) return fail(std::move(socket.error()));
      opened.sockets.push_back(std::move(*socket));
    }
    opened.share = std::make_shared<ListenerShare>(listener.name, free_slot(change.next), workers_);
    opened.share->port = opened.sockets.front().address().port();
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
  std::erase_if(leaving_, [](const Leaving& each) { return each.datagrams.expired(); });
  for (const OpenListener& closed : change.closed) {
    for (const OpenSocket& each : closed.sockets) {
      if (each.datagrams != nullptr) leaving_.push_back({each.key, each.datagrams});
    }
  }
  open_ = std::move(change.next);
}

}  // namespace ballast::traffic
