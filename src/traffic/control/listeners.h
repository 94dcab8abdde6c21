// Listeners: the bound sockets of a configuration. A change binds what is new before anything is touched, and lets go
// of what is no longer named only after the workers have; a socket whose address stays is kept, whatever else of its
// listener changes. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "io/datagrams.h"
#include "io/socket_source.h"
#include "io/tcp.h"
#include "traffic/plan.h"

namespace ballast::io {
class Loop;
}

namespace ballast::traffic {

// A bound socket, and what it was asked for with; the key is its address as configured.
struct OpenSocket {
  io::SocketSpec spec;
  std::shared_ptr<io::ListeningSocket> socket;         // of one that takes connections
  std::shared_ptr<io::BoundDatagrams> datagrams = {};  // of a udp one
  const io::SocketAddress& address() const { return socket != nullptr ? socket->address() : datagrams->address(); }
};

// One listener and where it listens.
struct OpenListener {
  config::Address address;
  config::ListenerProtocol protocol = config::ListenerProtocol::Http;
  std::vector<OpenSocket> sockets;  // one a port; never empty
  std::shared_ptr<ListenerShare> share;
  // As bound: with the real port where 0 was asked for; of a range the whole of it.
  std::string bound() const;
};

class Listeners {
 public:
  // What another set of listeners would need; holds newly bound sockets until commit().
  struct Change {
    std::vector<OpenListener> next;    // in the order of the settings
    std::vector<OpenListener> opened;  // of those: to be watched by the workers
    std::vector<OpenListener> closed;  // of the present ones: to be watched no more
  };

  Listeners(io::Loop& loop, io::SocketSource& source, int workers);
  ~Listeners() { *self_ = nullptr; }
  Listeners(const Listeners&) = delete;

  // Nothing has changed yet; on an Error nothing will have. The text names the listener, the address and what to do.
  Result<Change> prepare(const config::Settings& settings);
  // The sockets of `closed` are closed when the last holder lets go, and given up where no listener has them now; those
  // of udp listeners when their last flow has ended.
  void commit(Change change);
  // Another process goes on with all of them: closes them here.
  void hand_over() { open_.clear(); }

  const std::vector<OpenListener>& open() const { return open_; }

 private:
  Result<OpenSocket> take_or_bind(const config::Listener& listener, const config::Address& where) const;
  std::uint32_t free_slot(const std::vector<OpenListener>& taken) const;
  // Of udp listeners that are gone and whose flows are not: one that comes back to the address takes them over.
  struct Leaving {
    std::string key;
    std::weak_ptr<io::BoundDatagrams> datagrams;
  };

  // Given up when the last who uses it, on whatever thread, is done.
  std::shared_ptr<io::BoundDatagrams> hold(io::BoundDatagrams datagrams, const io::SocketSpec& spec) const;
  void give_up(const io::SocketSpec& spec);

  io::Loop& loop_;
  io::SocketSource& source_;
  const std::shared_ptr<Listeners*> self_;  // nullptr in it: gone
  int workers_;
  std::vector<Leaving> leaving_;
  std::vector<OpenListener> open_;
};

}  // namespace ballast::traffic
