#include "traffic/l7/client_connection.h"

#include <type_traits>

#include "io/linger.h"
#include "io/loop.h"
#include "traffic/l7/exchange.h"
#include "traffic/l7/http2_client.h"
#include "traffic/worker.h"
#include "wire/http/head_writer.h"
#include "wire/http/normalise.h"
#include "wire/http/parse.h"

namespace ballast::traffic {
ClientConnection::ClientConnection(Worker& worker, std::shared_ptr<ListenerShare> listener, tls::EitherStream stream,
                                   const io::Peer& peer, std::shared_ptr<const Told> told, io::Strand& strand)
    : Client(worker, std::move(listener), peer, origin_, strand),
      origin_{.told = std::move(told), .own_pool = {}},
      count_(worker, this->listener()),
      stream_(std::move(stream)),
      reader_(worker.loop(), stream_.get()) {
  origin_.socket = &stream_.descriptor();
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
  const http::HeadLimits limits = head_limits(listener);
  http::RequestHead& head = state.request;
  const io::Deadline deadline = worker().loop().after(listener.timeouts.header);
  const bool strictest = limits.strictness == http::Strictness::Strictest;
  bool forgiving = true;
  while (true) {
    // One empty line before a request line is forgiven (RFC 9112 2.2).
    const bool empty_line = forgiving && reader_.held().starts_with("\r\n");
    if (empty_line && !strictest) {
      reader_.consume(2);
      forgiving = false;
      state.facts.request_oddity = {http::Defect::LeadingEmptyLine, 0};
    }
    const Bytes held = reader_.held();
    if (!held.empty() && !(forgiving && held == "\r")) {
      http::Outcome outcome{.progress = http::Progress::Failed, .defect = http::Defect::LeadingEmptyLine};
      if (!empty_line || !strictest) outcome = http::RequestParser::parse(held, limits, head);
      if (outcome.progress == http::Progress::Complete) {
        state.request_bytes.append(held.substr(0, head.size));
        head.rebase(state.request_bytes.view().data());
        take_head(state, limits, head.size);
        co_return HeadRead::Complete;
      }
      http::Progress normal = http::Progress::Failed;
      if (outcome.progress == http::Progress::Failed && limits.strictness == http::Strictness::Monitor) {
        const http::Normalised normalised = http::normalise(held, outcome, limits, state.request_bytes, head);
        normal = normalised.progress;
        if (normal == http::Progress::Complete) {
          take_head(state, limits, normalised.size);
          co_return HeadRead::Complete;
        }
        state.request_bytes.clear();
      }
      if (outcome.progress == http::Progress::Failed && normal == http::Progress::Failed) {
        state.facts.reason = Reason::RequestMalformed;
        state.facts.defect = outcome.defect;
        state.facts.defect_at = outcome.offset;
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

void ClientConnection::take_head(ExchangeState& state, const http::HeadLimits& limits, std::size_t head_bytes) {
  const http::RequestHead& head = state.request;
  reader_.consume(head_bytes);
  reader_.keep();
  state.body = &state.connection_body.emplace(reader_);
  state.connection_body->begin(head.framing, head.content_length, limits);
  state.facts.bytes_in = state.facts.head_bytes = head_bytes;
  if (head.oddity.defect != http::Defect::None) state.facts.request_oddity = head.oddity;
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
  state.facts.status = response.status;
  http::write_head(to_client, http::OutgoingResponse{101, response.reason(), state.lines},
                   http::OutgoingFraming{.use = http::ConnectionUse::Upgrade,
                                         .upgrade = response.fields.value_or_empty(http::HeaderId::Upgrade)});
  to_target.append(reader_.held());
  return stream();
}

bool ClientConnection::may_stay(const ExchangeState& state) const {
  if (secure() != nullptr && secure()->wants_end()) return false;
  return state.request.keep_alive && !worker().is_draining() && worker().plan()->listener(listener()) != nullptr;
}

namespace {

// For a client that takes the last of its response slowly, where the kernel does not see to that by itself: it does for
// plain connections.
constexpr auto sending_patience = std::chrono::seconds(60);
template <typename Source>
constexpr bool may_owe = !std::is_same_v<Source, int>;

// Whether the first bytes of a connection are those of HTTP/2; waits where they are cut short. What came stands in the
// reader.
io::Task<bool> begins_http2(ClientConnection& client) {
  http::Connection& reader = client.reader();
  const PlanListener* plan = client.worker().plan()->listener(client.listener());
  if (plan == nullptr || !plan->settings->http2.enabled) co_return false;
  const io::Deadline deadline = client.worker().loop().after(plan->settings->timeouts.header);
  while (reader.held().size() < http2_preface.size()) {
    if (!http2_preface.starts_with(reader.held())) co_return false;
    const io::Transfer got = reader.receive();
    if (got.state == io::TransferState::Done) continue;
    if (got.state != io::TransferState::WouldBlock) co_return false;
    reader.keep();
    if (co_await client.stream().until_readable(deadline) != io::Wake::Event) co_return false;
  }
  co_return reader.held().starts_with(http2_preface);
}

tls::EitherStream stream_of(Worker& worker, int fd) {
  return io::TcpStream(io::Descriptor(worker.loop(), fd));
}
tls::EitherStream stream_of(Worker&, std::unique_ptr<tls::Stream>& secure) {
  return std::move(secure);
}

// `source` is a descriptor or a TLS stream: a plain connection's frame has no room for the other.
template <typename Source>
io::Task<void> serve_from(Worker& worker, std::shared_ptr<ListenerShare> listener, Source source, io::Peer peer,
                          std::shared_ptr<const Told> told, AddressHold hold) {
  const AddressHold held = std::move(hold);
  ClientConnection client(worker, std::move(listener), stream_of(worker, source), peer, std::move(told),
                          co_await io::this_strand());
  bool is_first = true;
  while (true) {
    if (!client.reader().has_held()) {
      // The first bytes of a new connection are mostly there already: try before asking the kernel to watch it.
      io::Transfer got = client.stream().may_read() ? client.reader().receive() : io::Transfer{};
      while (got.state == io::TransferState::WouldBlock) {
        client.reader().release();
        const io::Duration rest = rest_of(worker, client.listener());
        const io::Wake wake = co_await client.stream().until_readable(worker.loop().after(rest));
        if (wake != io::Wake::Event) {
          if constexpr (may_owe<Source>) {
            if (!client.stream().may_close()) co_await io::close_when_sent(client.stream(), sending_patience);
          }
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
    if (std::exchange(is_first, false) && client.reader().held().front() == http2_preface.front() &&
        co_await begins_http2(client)) {
      co_await serve_http2({worker, client.listener_share(), client.peer(), client.origin(), client.secure()},
                           client.stream(), client.reader().held());
      co_return;
    }
    const After after = co_await Exchange::serve(client);
    client.at_rest = true;
    switch (after) {
      case After::KeepAlive:
        continue;
      case After::Close:
        if constexpr (may_owe<Source>) {
          if (!client.stream().may_close()) co_await io::close_when_sent(client.stream(), sending_patience);
        }
        client.stream().close();
        co_return;
      case After::Linger:
        co_await io::close_lingering(client.stream());
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

io::Task<void> serve_http(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer,
                          std::shared_ptr<const Told> told, AddressHold hold) {
  return serve_from(worker, std::move(listener), fd, peer, std::move(told), std::move(hold));
}

io::Task<void> serve_http(Worker& worker, std::shared_ptr<ListenerShare> listener, std::unique_ptr<tls::Stream> stream,
                          io::Peer peer, std::shared_ptr<const Told> told, AddressHold hold) {
  return serve_from(worker, std::move(listener), std::move(stream), peer, std::move(told), std::move(hold));
}

}  // namespace ballast::traffic
