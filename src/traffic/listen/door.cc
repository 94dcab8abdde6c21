#include "traffic/listen/door.h"

#include <fmt/format.h>

#include "io/linger.h"
#include "io/loop.h"
#include "io/tcp.h"
#include "traffic/connection_count.h"
#include "traffic/explain/connection.h"
#include "traffic/protect/protection.h"
#include "traffic/worker.h"
#include "wire/http/head_writer.h"

namespace ballast::traffic {
namespace {

// As l7/own_answer.cc words it; no request has been read yet.
std::string answer_of(Reason reason) {
  const int status = status_of(reason);
  const Bytes words = http::standard_reason(status);
  const std::string body = fmt::format("{} {}\n{}\nreason: {}\n", status, words, explain(reason), to_string(reason));
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, words, body.size(), body);
}

}  // namespace

Reason admit(const PlanListener& listener, const io::Peer& client, const Told* told, AddressHold& hold) {
  const Protection& protection = *listener.protection;
  if (!config::is_http(listener.settings->protocol) && protection.door.keeps_out(client.bytes)) {
    return Reason::AddressDenied;
  }
  if (protection.counts == nullptr) return Reason::None;
  // Of a proxy in front, which brings everybody's: trusted, or one that says that the connection is its own; or on a
  // Unix socket.
  const bool is_own = told != nullptr && !told->has_destination;
  const bool is_unix = told == nullptr && listener.settings->address.is_unix();
  if (is_own || is_unix || protection.trusted.contains(client.bytes)) return Reason::None;
  const bool entered = protection.counts->enter(client.bytes, protection.connections_per_address, hold);
  return entered ? Reason::None : Reason::AddressFull;
}

io::Task<void> turn_away(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer client,
                         std::shared_ptr<const Told> told, Reason reason) {
  const ConnectionCount count(worker, *listener, ConnectionCount::Stage::Arriving);
  io::TcpStream stream{io::Descriptor(worker.loop(), fd)};
  const std::shared_ptr<const Plan> plan = worker.plan();
  const PlanListener* of_plan = plan->listener(*listener);
  if (of_plan == nullptr) {
    stream.close();
    co_return;
  }
  const config::Listener& settings = *of_plan->settings;
  const bool answers = reason == Reason::AddressFull && settings.protocol == config::ListenerProtocol::Http;
  worker.cell_of(*listener).errors[static_cast<std::size_t>(reason)].add();
  if (settings.access_log && worker.access_log().is_on()) {
    const std::string address = client.host();
    const std::string proxy = told != nullptr ? told->proxy.host() : std::string();
    worker.access_log().write({.at = std::chrono::system_clock::now(),
                               .listener = settings.name,
                               .client = address,
                               .proxy = proxy,
                               .layer4 = settings.protocol == config::ListenerProtocol::Tls ? "tls" : "tcp",
                               .reason = to_string(reason)});
  }
  keep_record(worker, {.listener = settings, .peer = client, .told = told.get(), .cause = reason});
  if (!answers) {
    stream.close();
    co_return;
  }
  // One write: what the kernel does not take of so little, from a connection that is new, has nobody to read it.
  stream.try_write(answer_of(reason));
  co_await io::close_lingering(stream);
}

}  // namespace ballast::traffic
