#include "traffic/listen/proxied.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "io/loop.h"
#include "io/tcp.h"
#include "traffic/connection_count.h"
#include "traffic/explain/connection.h"
#include "traffic/listen/serve.h"
#include "traffic/route/conditions.h"
#include "traffic/worker.h"
#include "wire/proxy_protocol/header.h"

namespace ballast::traffic {
namespace {

using proxy_protocol::Origin;
using proxy_protocol::Progress;

// What the header comes to.
struct Heard {
  bool is_there = false;
  Reason reason = Reason::None;  // of a connection that is refused
  proxy_protocol::Defect defect = proxy_protocol::Defect::None;
  io::Peer client;
  std::shared_ptr<const Told> told;
};

Heard refused(Reason reason, proxy_protocol::Defect defect = proxy_protocol::Defect::None) {
  Heard heard;
  heard.reason = reason;
  heard.defect = defect;
  return heard;
}

Heard take(const proxy_protocol::Header& header, const io::Peer& peer) {
  auto told = std::make_shared<Told>();
  told->proxy = peer;
  told->unique_id = header.unique_id;
  told->authority = header.authority;
  told->over_tls = header.ssl.has_value() && header.ssl->over_tls;
  Heard heard{.is_there = true, .client = peer};
  if (header.origin == Origin::Told) {
    told->destination = {header.destination.bytes, header.destination.port};
    told->has_destination = true;
    heard.client = {header.source.bytes, header.source.port};
  }
  heard.told = std::move(told);
  return heard;
}

// Looks at what has come without taking it, until the header is whole; then takes exactly that, so that whoever serves
// the connection, TLS too, finds the client's first byte.
io::Task<Heard> hear(io::TcpStream& stream, const io::Peer& peer, io::Deadline deadline) {
  io::Loop& loop = stream.descriptor().loop();
  while (true) {
    const auto buffer = loop.receive_buffer();
    // Seen before the bytes, so that none can have come between.
    const bool ended = stream.peer_ended();
    const io::Transfer got = stream.try_peek(buffer.data(), buffer.size());
    if (got.state == io::TransferState::End || got.state == io::TransferState::Failed) co_return Heard{};
    if (got.state == io::TransferState::Done) {
      proxy_protocol::Header header;
      const auto outcome = proxy_protocol::parse({buffer.data(), got.count}, header);
      if (outcome.progress == Progress::Failed) co_return refused(Reason::ProxyMalformed, outcome.defect);
      if (outcome.progress == Progress::Complete) {
        Heard heard = take(header, peer);
        const io::Transfer taken = stream.try_read(buffer.data(), header.size);
        const bool whole = taken.state == io::TransferState::Done && taken.count == header.size;
        co_return whole ? std::move(heard) : Heard{};  // cut in this moment
      }
      if (ended) co_return refused(Reason::ProxyMalformed);
    }
    const io::Wake wake = co_await stream.until_readable(deadline);
    if (wake == io::Wake::Cancelled) co_return Heard{};
    if (wake == io::Wake::Deadline) co_return refused(Reason::ProxyTimeout);
  }
}

void count_and_log(Worker& worker, const PlanListener& listener, const io::Peer& peer, const Heard& heard) {
  worker.cell_of(*listener.share).errors[static_cast<std::size_t>(heard.reason)].add();
  keep_record(worker, {.listener = *listener.settings,
                       .peer = peer,
                       .cause = heard.reason,
                       .defect = proxy_protocol::to_string(heard.defect)});
  if (!listener.settings->access_log || !worker.access_log().is_on()) return;
  const std::string client = peer.host();
  worker.access_log().write({.at = std::chrono::system_clock::now(),
                             .listener = listener.settings->name,
                             .client = client,
                             .layer4 = "tcp",
                             .reason = to_string(heard.reason),
                             .defect = proxy_protocol::to_string(heard.defect)});
}

bool is_believed(const config::Listener& listener, const io::Peer& peer) {
  if (listener.address.is_unix()) return true;
  const auto& from = listener.proxy_protocol->from;
  return std::any_of(from.begin(), from.end(),
                     [&](const config::Network& network) { return contains(network, peer.bytes); });
}

}  // namespace

io::Task<void> serve_proxied(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer) {
  Heard heard{.is_there = true, .client = peer};
  {
    std::optional<ConnectionCount> count(std::in_place, worker, *listener, ConnectionCount::Stage::Arriving);
    const std::shared_ptr<const Plan> plan = worker.plan();
    const PlanListener* of_plan = plan->listener(*listener);
    io::TcpStream stream{io::Descriptor(worker.loop(), fd)};
    if (of_plan == nullptr || !of_plan->settings->proxy_protocol.has_value()) {
      stream.close();
      co_return;
    }
    const config::ProxyProtocol& settings = *of_plan->settings->proxy_protocol;
    if (is_believed(*of_plan->settings, peer)) {
      heard = co_await hear(stream, peer, worker.loop().after(settings.timeout));
    } else if (settings.others == config::OtherPeers::Refused) {
      heard = refused(Reason::ProxyUntrusted);
    }
    if (!heard.is_there) {
      stream.close();
      if (heard.reason != Reason::None) count_and_log(worker, *of_plan, peer, heard);
      co_return;
    }
    stream.descriptor().release();
  }
  co_await serve_connection(worker, std::move(listener), fd, heard.client, std::move(heard.told));
}

}  // namespace ballast::traffic
