#include "traffic/connect.h"

#include <utility>

#include <fmt/format.h>

#include "io/loop.h"
#include "traffic/worker.h"
#include "wire/proxy_protocol/header.h"
#include "wire/tls/alert.h"

namespace ballast::traffic {
namespace {

proxy_protocol::Version version_of(const config::TargetGroup& group) {
  return group.proxy_protocol == config::ProxyHeader::V1 ? proxy_protocol::Version::V1 : proxy_protocol::Version::V2;
}

// The client's address and where it connected to: behind a balancer that has said so, at that balancer.
proxy_protocol::Outgoing introduce(const Introduction& client) {
  proxy_protocol::Outgoing what{.source = proxy_protocol::Endpoint{client.client.bytes, client.client.port}};
  if (client.told != nullptr && client.told->has_destination) {
    what.destination = {client.told->destination.bytes, client.told->destination.port};
  } else if (client.connection != nullptr) {
    const io::SocketAddress local = io::local_address(*client.connection);
    // Of a client on a Unix socket there is no address to tell.
    if (local.is_unix()) return {};
    what.destination = {local.bytes(), local.port()};
  }
  what.authority = client.sni;
  if (client.told != nullptr) {
    if (what.authority.empty()) what.authority = client.told->authority;
    what.unique_id = client.told->unique_id;
  }
  return what;
}

io::SocketAddress client_address(const Introduction& client) {
  return io::SocketAddress::from_bytes(client.client.bytes, 0);
}

// The port that the client connected to.
std::uint16_t port_of(const Introduction& client) {
  if (client.told != nullptr && client.told->has_destination) return client.told->destination.port;
  return client.connection != nullptr ? io::local_address(*client.connection).port() : std::uint16_t{0};
}

io::Task<Result<io::TcpStream>> connect_introduced(io::Loop& loop, Introduction client,
                                                   const config::TargetGroup& group, io::SocketAddress to,
                                                   io::Deadline deadline) {
  if (!to.is_unix() && to.port() == 0) to.set_port(port_of(client));
  Result<io::TcpStream> stream =
      group.source_address == config::SourceAddress::Client
          ? co_await io::TcpStream::connect_from(loop, {client_address(client), to}, deadline)
          : co_await io::TcpStream::connect(loop, to, deadline);
  if (!stream || group.proxy_protocol == config::ProxyHeader::Off) co_return std::move(stream);
  Buffer header;
  proxy_protocol::write(header, version_of(group), introduce(client));
  // The send buffer of a new connection has room for it.
  const io::Transfer sent = stream->try_write(header.view());
  if (sent.state != io::TransferState::Done || sent.count != header.size()) {
    co_return fail(sent.state == io::TransferState::Failed ? sent.code : Code::Reset);
  }
  co_return std::move(stream);
}

}  // namespace

bool tells_client(const config::TargetGroup& group) {
  return group.proxy_protocol != config::ProxyHeader::Off || group.source_address == config::SourceAddress::Client;
}

Buffer introduction_of_check(const config::TargetGroup& group) {
  Buffer header;
  if (group.proxy_protocol != config::ProxyHeader::Off) proxy_protocol::write(header, version_of(group), {});
  return header;
}

io::Task<Result<tls::EitherStream>> connect_target(Worker& worker, Introduction client, const PlanGroup& group,
                                                   TargetShare& target, io::Deadline deadline, Connecting* how) {
  const io::Instant began = worker.loop().now();
  Result<io::TcpStream> tcp =
      co_await connect_introduced(worker.loop(), client, *group.settings, target.address, deadline);
  const io::Instant connected = worker.loop().now();
  if (how != nullptr) how->tcp = connected - began;
  if (!tcp) {
    // The others are what the reason says.
    const Code code = tcp.error().code();
    if (how != nullptr && code != Code::Refused && code != Code::TimedOut) how->trouble = tcp.error().text();
    co_return fail(std::move(tcp.error()));
  }
  if (group.tls == nullptr) co_return tls::EitherStream(std::move(*tcp));
  std::shared_ptr<tls::SessionSlot>& slot = worker.local_of(target).session;
  if (slot == nullptr) slot = std::make_shared<tls::SessionSlot>();
  std::unique_ptr<tls::Stream> stream =
      tls::Stream::client(worker.own(group.tls->by_worker), std::move(*tcp),
                          {.name = server_name_of(*group.settings, target.host), .slot = slot});
  if (stream == nullptr) co_return fail(Code::Exhausted);
  const tls::HandshakeEnd end = co_await stream->handshake(deadline);
  if (how != nullptr) how->tls = worker.loop().now() - connected;
  if (is_done(end)) co_return tls::EitherStream(std::move(stream));
  if (how != nullptr) how->trouble = fmt::format("TLS: {}", trouble_of(*stream, end));
  stream->close();
  if (end == tls::HandshakeEnd::Timeout) co_return fail(Code::TimedOut);
  if (end == tls::HandshakeEnd::CalledOff) co_return fail(Code::Cancelled);
  co_return fail(Code::Malformed);
}

std::string trouble_of(const tls::Stream& stream, tls::HandshakeEnd end) {
  std::string text = stream.failure().empty() ? std::string(tls::to_string(end)) : stream.failure();
  if (const auto& alert = stream.alerted(); alert.has_value()) {
    text += fmt::format("; alert {} ({}) was {}", tls::alert_name(alert->number), alert->number,
                        alert->by_peer ? "received" : "sent");
  }
  return text;
}

const std::string& server_name_of(const config::TargetGroup& group, const std::string& host) {
  return group.tls.server_name.empty() ? host : group.tls.server_name;
}

}  // namespace ballast::traffic
