#include "traffic/control/listeners.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/loop.h"

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

// A udp listener has one socket a worker (decisions/0022).
Result<io::SocketSpec> spec_of(const config::Listener& listener, const config::Address& where, int workers) {
  const auto address = address_of(where);
  if (!address) return fail(address.error());
  // In HTTP and TLS the client speaks first; what a tcp listener relays is not known.
  using First = io::ListenOptions::FirstSpeaker;
  const bool client_first = listener.protocol != config::ListenerProtocol::Tcp;
  return io::SocketSpec{.key = key_of_socket(listener, where),
                        .address = address->to_string(),
                        .first_speaker = client_first ? First::Client : First::Either,
                        .datagram_sockets = listener.protocol == config::ListenerProtocol::Udp ? workers : 0};
}

// Bound to all addresses, on a machine without IPv6: to those of IPv4.
template <typename Open>
auto on_any_family(const config::Address& where, io::SocketSpec& spec, const Open& open) {
  auto opened = open();
  if (!opened && where.host.empty() && !where.is_unix() && opened.error().code() == Code::Unsupported) {
    spec.address = io::SocketAddress::numeric("0.0.0.0", where.port)->to_string();
    opened = open();
  }
  return opened;
}

}  // namespace

Listeners::Listeners(io::Loop& loop, io::SocketSource& source, int workers)
    : loop_(loop), source_(source), self_(std::make_shared<Listeners*>(this)), workers_(workers) {}

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
  const auto named = [&](Error error) {
    return std::move(error).within(fmt::format("listener \"{}\"", listener.name));
  };
  auto spec = spec_of(listener, where, workers_);
  if (!spec) return fail(named(std::move(spec.error())));
  for (const OpenListener& open : open_) {
    const auto same = std::find_if(open.sockets.begin(), open.sockets.end(),
                                   [&](const OpenSocket& each) { return each.spec.key == spec->key; });
    if (same != open.sockets.end()) return *same;
  }
  if (listener.protocol == config::ListenerProtocol::Udp) {
    for (const Leaving& each : leaving_) {
      auto datagrams = each.key == spec->key ? each.datagrams.lock() : nullptr;
      if (datagrams != nullptr) return OpenSocket{.spec = std::move(*spec), .datagrams = std::move(datagrams)};
    }
    auto datagrams = on_any_family(where, *spec, [&] { return source_.open_datagrams(*spec); });
    if (!datagrams) return fail(named(std::move(datagrams.error())));
    auto held = hold(std::move(*datagrams), *spec);
    return OpenSocket{.spec = std::move(*spec), .datagrams = std::move(held)};
  }
  auto socket = on_any_family(where, *spec, [&] { return source_.open(*spec); });
  if (!socket) return fail(named(std::move(socket.error())));
  return OpenSocket{.spec = std::move(*spec), .socket = std::make_shared<io::ListeningSocket>(std::move(*socket))};
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
      if (!socket) {
        change.opened.push_back(std::move(opened));
        for (const OpenListener& each : change.opened) {
          for (const OpenSocket& bound : each.sockets) {
            if (bound.socket != nullptr) give_up(bound.spec);
          }
        }
        return fail(std::move(socket.error()));
      }
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
      if (each.datagrams != nullptr) leaving_.push_back({each.spec.key, each.datagrams});
    }
  }
  const std::vector<OpenListener> before = std::move(open_);
  open_ = std::move(change.next);
  for (const OpenListener& each : before) {
    for (const OpenSocket& socket : each.sockets) {
      if (socket.socket != nullptr) give_up(socket.spec);
    }
  }
}

std::shared_ptr<io::BoundDatagrams> Listeners::hold(io::BoundDatagrams datagrams, const io::SocketSpec& spec) const {
  const auto let_go = [&loop = loop_, self = self_, spec](const io::BoundDatagrams* sockets) {
    delete sockets;
    loop.post([self, spec] {
      if (*self != nullptr) (*self)->give_up(spec);
    });
  };
  return {new io::BoundDatagrams(std::move(datagrams)), let_go};
}

void Listeners::give_up(const io::SocketSpec& spec) {
  const auto has = [&](const OpenListener& open) {
    return std::any_of(open.sockets.begin(), open.sockets.end(),
                       [&](const OpenSocket& each) { return each.spec.key == spec.key; });
  };
  if (!std::any_of(open_.begin(), open_.end(), has)) source_.release(spec);
}

}  // namespace ballast::traffic
