#include "traffic/listen/serve.h"

#include <utility>

#include "traffic/l4/serve.h"
#include "traffic/l7/client_connection.h"
#include "traffic/listen/door.h"
#include "traffic/secure.h"
#include "traffic/worker.h"

namespace ballast::traffic {

// No coroutine itself: it only says which one it is.
io::Task<void> serve_connection(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer,
                                std::shared_ptr<const Told> told) {
  using enum config::ListenerProtocol;
  const PlanListener* plan = worker.plan()->listener(*listener);
  AddressHold hold;
  if (plan != nullptr && plan->protection != nullptr) {
    const Reason reason = admit(*plan, peer, told.get(), hold);
    if (reason != Reason::None) return turn_away(worker, std::move(listener), fd, peer, std::move(told), reason);
  }
  switch (plan != nullptr ? plan->settings->protocol : Tcp) {  // one that was removed meanwhile: closes it
    case Http:
      return serve_http(worker, std::move(listener), fd, peer, std::move(told), std::move(hold));
    case Https:
      return serve_https(worker, std::move(listener), fd, peer, std::move(told), std::move(hold));
    case Tcp:
    case Tls:
    case Udp:  // has no connections
      break;
  }
  return serve_tcp(worker, std::move(listener), fd, peer, std::move(told), std::move(hold));
}

}  // namespace ballast::traffic
