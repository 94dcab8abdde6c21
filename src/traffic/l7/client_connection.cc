#include "traffic/l7/client_connection.h"

#include "io/loop.h"
#include "traffic/l7/exchange.h"
#include "traffic/worker.h"

namespace ballast::traffic {

ClientConnection::ClientConnection(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd,
                                   const io::Peer& peer, std::shared_ptr<const Told> told, io::Strand& strand)
    : worker_(worker),
      listener_(std::move(listener)),
      count_(worker, *listener_),
      strand_(strand),
      stream_(io::Descriptor(worker.loop(), fd)),
      reader_(worker.loop(), stream_),
      peer_(peer),
      told_(std::move(told)) {
  stream_.descriptor().on_idle_event(this);
  worker_.opened(*this);
}

ClientConnection::~ClientConnection() {
  worker_.closed(*this);
}

std::uint16_t ClientConnection::port() const {
  return told_ != nullptr && told_->has_destination ? told_->destination.port : listener_->port;
}

Introduction ClientConnection::introduction() const {
  return {.client = peer_, .told = told_.get(), .connection = &stream_, .sni = {}};
}

const std::string& ClientConnection::peer_text() {
  if (peer_text_.empty()) peer_text_ = peer_.host();
  return peer_text_;
}

void ClientConnection::on_idle_event(News news) {
  // Bytes: the next request, pipelined, has its turn later. Ended: a client may close its sending side and wait for its
  // answer.
  if (news != News::Cut) return;
  cut_ = true;
  strand_.interrupt();
}

namespace {

// Closes so that what was sent arrives: the kernel resets a connection closed over unread bytes, and the reset may
// overtake the answer. Reads away what comes for a second, at most 256 KiB.
io::Task<void> close_lingering(ClientConnection& client) {
  constexpr auto patience = std::chrono::seconds(1);
  constexpr std::size_t bytes_max = 256 * kib;
  io::TcpStream& stream = client.stream();
  io::Loop& loop = stream.descriptor().loop();
  stream.end();
  const io::Deadline deadline = loop.after(patience);
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

}  // namespace

io::Task<void> serve_http(Worker& worker, std::shared_ptr<ListenerShare> listener, int fd, io::Peer peer,
                          std::shared_ptr<const Told> told) {
  ClientConnection client(worker, std::move(listener), fd, peer, std::move(told), co_await io::this_strand());
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

}  // namespace ballast::traffic
