#include "traffic/secure.h"

#include <optional>

#include <fmt/format.h>

#include "io/linger.h"
#include "io/loop.h"
#include "traffic/connect.h"
#include "traffic/connection_count.h"
#include "traffic/explain/connection.h"
#include "traffic/worker.h"
#include "wire/tls/client_hello.h"

namespace ballast::traffic {
namespace {

// To a browser that was given http:// for https://.
constexpr Bytes plain_answer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 82\r\n"
    "Connection: close\r\n\r\n"
    "400 Bad Request\nThis port speaks HTTPS: write https:// in the address.\nplain_http\n";

struct Who {
  const io::Peer& peer;
  const Told* told;
};

void log_failure(Worker& worker, const config::Listener& listener, Who who, tls::HandshakeEnd end,
                 const tls::Stream& stream, io::Duration took) {
  const std::string client = who.peer.host();
  const std::string proxy = who.told != nullptr ? who.told->proxy.host() : std::string();
  const std::string reason = fmt::format("tls_{}", tls::to_string(end));
  worker.access_log().write({
      .at = std::chrono::system_clock::now(),
      .listener = listener.name,
      .client = client,
      .proxy = proxy,
      .layer4 = "tls",
      .reason = reason,
      .duration_us = std::chrono::duration_cast<std::chrono::microseconds>(took).count(),
      .sni = stream.server_name(),
  });
}

// What an authority that verifies a name is to be shown: of a client that offers the protocol of challenges alone (RFC
// 8737 3), for a name whose challenge is under way. The hello is looked at and stays where it is.
io::Task<std::shared_ptr<const tls::ServerContext>> challenge_context(Worker& worker, io::TcpStream& tcp,
                                                                      std::shared_ptr<const Plan> plan,
                                                                      io::Deadline deadline) {
  while (true) {
    const auto buffer = worker.loop().receive_buffer();
    // Seen before the bytes, so that none can have come between.
    const bool ended = tcp.peer_ended();
    const io::Transfer peeked = tcp.try_peek(buffer.data(), buffer.size());
    if (peeked.state == io::TransferState::Done) {
      tls::ClientHelloReader reader;
      const auto progress = reader.feed({buffer.data(), peeked.count});
      if (progress == tls::ClientHelloReader::Progress::Complete) {
        const tls::ClientHello& hello = reader.hello();
        if (hello.alpn.size() != 1 || hello.alpn.front() != acme::challenge_protocol) co_return nullptr;
        std::string name(hello.server_name);
        for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        const auto found = plan->challenges->by_name.find(name);
        if (found == plan->challenges->by_name.end()) co_return nullptr;
        co_return worker.own(found->second);
      }
      // What is no hello, or has no end, is for the handshake to refuse.
      const bool goes_on = progress == tls::ClientHelloReader::Progress::NeedMore && peeked.count < buffer.size();
      if (!goes_on || ended) co_return nullptr;
    } else if (peeked.state != io::TransferState::WouldBlock) {
      co_return nullptr;
    }
    if (co_await tcp.until_readable(deadline) != io::Wake::Event) co_return nullptr;
  }
}

}  // namespace

io::Task<std::unique_ptr<tls::Stream>> shake_hands(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd,
                                                   io::Peer peer, std::shared_ptr<const Told> told) {
  io::TcpStream tcp(io::Descriptor(worker.loop(), fd));
  const std::shared_ptr<const Plan> plan = worker.plan();
  const PlanListener* planned = plan->listener(*listener);
  if (planned == nullptr || planned->tls.empty()) {
    tcp.close();
    co_return nullptr;
  }
  const config::Listener& settings = *planned->settings;
  const io::Instant began = worker.loop().now();
  const io::Deadline deadline = worker.loop().after(settings.timeouts.handshake);
  std::shared_ptr<const tls::ServerContext> challenge;
  if (plan->challenges != nullptr && !plan->challenges->by_name.empty()) {
    challenge = co_await challenge_context(worker, tcp, plan, deadline);
    tcp.descriptor().still_readable();  // what was looked at is to be read yet
  }
  std::unique_ptr<tls::Stream> stream =
      tls::Stream::server(challenge != nullptr ? challenge : worker.own(planned->tls), std::move(tcp));
  if (stream == nullptr) co_return nullptr;  // no memory: the connection was reset
  const tls::HandshakeEnd end = co_await stream->handshake(deadline);
  worker.cell_of(*listener).handshakes[static_cast<std::size_t>(end)].add();
  if (is_done(end) && challenge != nullptr) {
    stream->close();  // the handshake was all that was asked for
    co_return nullptr;
  }
  if (is_done(end)) co_return stream;
  if (end == tls::HandshakeEnd::PlainHttp && is_http(settings.protocol)) stream->below().try_write(plain_answer);
  if (end != tls::HandshakeEnd::PeerGone && end != tls::HandshakeEnd::CalledOff) {
    keep_record(worker, {.listener = settings,
                         .peer = peer,
                         .told = told.get(),
                         .cause = end,
                         .detail = trouble_of(*stream, end),
                         .sni = stream->server_name(),
                         .began = began});
  }
  if (end != tls::HandshakeEnd::PeerGone && settings.access_log && worker.access_log().is_on()) {
    log_failure(worker, settings, {peer, told.get()}, end, *stream, worker.loop().now() - began);
  }
  // In TLS 1.3 a client has sent its request before it learns that its certificate will not do.
  const bool is_told =
      end != tls::HandshakeEnd::PeerGone && end != tls::HandshakeEnd::Timeout && end != tls::HandshakeEnd::CalledOff;
  if (is_told) co_await io::close_lingering(stream->below());
  stream->close();
  co_return nullptr;
}

io::Task<void> serve_https(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer,
                           std::shared_ptr<const Told> told, AddressHold hold) {
  AddressHold held = std::move(hold);
  HandshakeCount count(worker, *listener);
  std::unique_ptr<tls::Stream> stream = co_await shake_hands(worker, listener, fd, peer, told);
  if (stream == nullptr) co_return;
  count.passes_on();
  worker.serve_secure(std::move(listener), std::move(stream), peer, std::move(told), std::move(held));
}

}  // namespace ballast::traffic
