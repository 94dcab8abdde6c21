#include "traffic/l7/client_connection.h"

#include "io/loop.h"
#include "traffic/l7/exchange.h"
#include "traffic/worker.h"
#include "wire/http/head_writer.h"
#include "wire/http/parse.h"

namespace ballast::traffic {
namespace {

http::HeadLimits head_limits(const config::RequestLimits& limits) {
  return {.line = limits.request_line,
          .header = limits.header,
          .head = limits.headers,
          .header_count = limits.header_count};
}

}  // namespace

const std::string& Client::peer_text() {
  if (peer_text_.empty()) peer_text_ = peer_.host();
  return peer_text_;
}

ClientConnection::ClientConnection(Worker& worker, std::shared_ptr<ListenerShare> listener, tls::EitherStream stream,
                                   const io::Peer& peer, io::Strand& strand)
    : Client(worker, std::move(listener), peer, strand),
      count_(worker, this->listener()),
      stream_(std::move(stream)),
      reader_(worker.loop(), stream_.get()) {
  stream_.descriptor().on_idle_event(this);
  worker.opened(*this);
}

ClientConnection::~ClientConnection() {
  worker().closed(*this);
}

void ClientConnection::on_idle_event(News news) {
  // Bytes: the next request, pipelined, has its turn later. Ended: a client may close its sending side and wait for its
  // answer.
  if (news == News::Cut) cut();
}

io::Task<Client::HeadRead> ClientConnection::read_head(ExchangeState& state, const config::Listener& listener) {
  const http::HeadLimits limits = head_limits(listener.limits);
  http::RequestHead& head = state.request;
  const io::Deadline deadline = worker().loop().after(listener.timeouts.header);
  bool forgiving = true;
  while (true) {
    // One empty line before a request line is forgiven (RFC 9112 2.2).
    if (forgiving && reader_.held().starts_with("\r\n")) {
      reader_.consume(2);
      forgiving = false;
    }
    const Bytes held = reader_.held();
    if (!held.empty() && !(forgiving && held == "\r")) {
      const http::Outcome outcome = http::RequestParser::parse(held, limits, head);
      if (outcome.progress == http::Progress::Complete) {
        state.request_bytes.append(held.substr(0, head.size));
        head.rebase(state.request_bytes.view().data());
        reader_.consume(head.size);
        reader_.keep();
        state.body = &state.connection_body.emplace(reader_);
        state.connection_body->begin(head.framing, head.content_length, limits);
        state.facts.bytes_in = head.size;
        co_return HeadRead::Complete;
      }
      if (outcome.progress == http::Progress::Failed) {
        state.facts.reason = Reason::RequestMalformed;
        state.facts.defect = outcome.defect;
        state.facts.bytes_in = held.size();
        reader_.consume(held.size());
        co_return HeadRead::Refused;
      }
    }
    // Parsing again is worth it only when a line has been completed, or a limit may have been passed.
    const std::size_t seen = held.size();
    while (true) {
      const io::Transfer got = reader_.receive();
      if (got.state == io::TransferState::Done) {
        const Bytes now = reader_.held();
        if (now.find('\n', seen) != Bytes::npos || now.size() >= limits.line) break;
        continue;
      }
      if (got.state != io::TransferState::WouldBlock) co_return HeadRead::Gone;
      reader_.keep();
      const io::Wake wake = co_await stream().until_readable(deadline);
      if (wake == io::Wake::Cancelled) co_return HeadRead::Gone;
      if (wake == io::Wake::Deadline) {
        state.facts.reason = Reason::RequestTimeout;
        co_return HeadRead::Refused;
      }
    }
  }
}

io::Task<Result<>> ClientConnection::interim(ExchangeState& state, io::Duration idle) {
  // A client of HTTP/1.0 knows no interim responses.
  if (state.request.minor_version >= 1) {
    http::HeadWriter head(state.to_client);
    head.status_line(state.response.status, state.response.reason());
    for (const http::FieldLine& line : state.lines) head.field(line.name, line.value);
    head.end();
  }
  return http::flush(state.to_client, stream(), idle);
}

io::Task<http::RelayResult> ClientConnection::respond(ExchangeState& state, const http::OutgoingResponse& response,
                                                      const http::OutgoingFraming& framing, http::Body& body,
                                                      const http::RelayLimits& limits) {
  http::write_head(state.to_client, response, framing);
  return http::relay(state.to_client, body, framing.framing, stream(), limits);
}

io::Stream& ClientConnection::begin_tunnel(ExchangeState& state, Buffer& to_client, Buffer& to_target) {
  const http::ResponseHead& response = state.response;
  http::write_head(to_client, http::OutgoingResponse{101, response.reason(), state.lines},
                   http::OutgoingFraming{.use = http::ConnectionUse::Upgrade,
                                         .upgrade = response.fields.value_or_empty(http::HeaderId::Upgrade)});
  to_target.append(reader_.held());
  return stream();
}

bool ClientConnection::may_stay(const ExchangeState& state) const {
  return state.request.keep_alive && !worker().is_draining() && worker().plan()->listener(listener()) != nullptr;
}

namespace {

// Closes so that what was sent arrives: the kernel resets a connection closed over unread bytes, and the reset may
// overtake the answer. Reads away what comes for a second, at most 256 KiB.
io::Task<void> close_lingering(ClientConnection& client) {
  constexpr auto patience = std::chrono::seconds(1);
  constexpr std::size_t bytes_max = 256 * kib;
  io::Stream& stream = client.stream();
  io::Loop& loop = stream.loop();
  const io::Deadline deadline = loop.after(patience);
  while (!stream.end() && co_await stream.until_writable(deadline) == io::Wake::Event) {
  }
  std::size_t read_away = 0;
  while (read_away < bytes_max) {
    const auto buffer = loop.receive_buffer();
    const io::Transfer got = stream.try_read(buffer.data(), buffer.size());
    if (got.state == io::TransferState::Done) {
      read_away += got.count;
      continue;
    }
    if (got.state != io::TransferState::WouldBlock) break;
    if (co_await stream.until_readable(deadline) != io::Wake::Event) break;
  }
  stream.close();
}

// How long a connection may rest before its next request; zero when it is to end.
io::Duration rest_of(Worker& worker, const ListenerShare& listener) {
  const PlanListener* plan = worker.plan()->listener(listener);
  return plan != nullptr && !worker.is_draining() ? plan->settings->timeouts.keep_alive : io::Duration(0);
}

tls::EitherStream stream_of(Worker& worker, int fd) {
  return io::TcpStream(io::Descriptor(worker.loop(), fd));
}
tls::EitherStream stream_of(Worker&, std::unique_ptr<tls::Stream>& secure) {
  return std::move(secure);
}

// `source` is a descriptor or a TLS stream: a plain connection's frame has no room for the other.
template <typename Source>
io::Task<void> serve_from(Worker& worker, std::shared_ptr<ListenerShare> listener, Source source, io::Peer peer) {
  ClientConnection client(worker, std::move(listener), stream_of(worker, source), peer, co_await io::this_strand());
  while (true) {
    if (!client.reader().has_held()) {
      // The first bytes of a new connection are mostly there already: try before asking the kernel to watch it.
      io::Transfer got = client.stream().may_read() ? client.reader().receive() : io::Transfer{};
      while (got.state == io::TransferState::WouldBlock) {
        client.reader().release();
        const io::Duration rest = rest_of(worker, client.listener());
        const io::Wake wake = co_await client.stream().until_readable(worker.loop().after(rest));
        if (wake != io::Wake::Event) {
          client.stream().close();
          co_return;
        }
        got = client.reader().receive();
      }
      if (got.state != io::TransferState::Done) {
        client.stream().close();  // nothing was asked, so nothing is counted or logged
        co_return;
      }
    }
    client.at_rest = false;
    After after = After::Linger;
    {
      Exchange exchange(client);
      after = co_await exchange.run();
    }
    client.at_rest = true;
    switch (after) {
      case After::KeepAlive:
        continue;
      case After::Close:
        client.stream().close();
        co_return;
      case After::Linger:
        co_await close_lingering(client);
        co_return;
      case After::Reset:
        client.stream().reset();
        co_return;
      case After::Done:
        co_return;
    }
  }
}

}  // namespace

io::Task<void> serve_http(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer) {
  return serve_from(worker, std::move(listener), fd, peer);
}

io::Task<void> serve_http(Worker& worker, std::shared_ptr<ListenerShare> listener, std::unique_ptr<tls::Stream> stream,
                          io::Peer peer) {
  return serve_from(worker, std::move(listener), std::move(stream), peer);
}

}  // namespace ballast::traffic
