#include "admin/serve/small_server.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "io/identity.h"
#include "io/loop.h"
#include "wire/http/connection.h"
#include "wire/http/head_writer.h"
#include "wire/http/parse.h"

namespace ballast::admin {

namespace {

constexpr http::HeadLimits head_limits{};

// After a refusal the client may still be sending; a close with bytes unread would cut our answer off on its way.
constexpr std::chrono::milliseconds linger_time{1'000};
constexpr std::size_t linger_bytes_max = 1 * mib;

constexpr std::size_t padding_block_bytes = 64 * kib;

constexpr auto padding_block = [] {
  std::array<char, padding_block_bytes> bytes{};
  bytes.fill('x');
  return bytes;
}();

}  // namespace

// One connection. Lives in the frame of serve().
struct SmallServer::Session {
  Session(SmallServer& owner, io::TcpStream& s, std::string from, io::Strand& runs_on)
      : server(owner), stream(s), connection(owner.loop_, s), remote(std::move(from)), strand(runs_on) {
    server.sessions_.insert(this);
  }
  ~Session() { server.sessions_.erase(this); }
  Session(const Session&) = delete;

  SmallServer& server;
  io::TcpStream& stream;
  http::Connection connection;
  std::string remote;
  std::optional<std::uint32_t> user;
  io::Strand& strand;
  bool idle = false;  // waits for the first byte of a request
  io::Deadline receive_deadline = io::Deadline::never();
  http::RequestHead head;
  std::string head_bytes;  // what head's views point into
  std::string body;
  std::uint64_t body_bytes = 0;
  bool keep_alive = false;
};

SmallServer::SmallServer(io::Loop& loop, Answerer& answerer, const ServeLimits& limits)
    : loop_(loop), answerer_(answerer), limits_(limits), scope_(loop) {}

SmallServer::~SmallServer() = default;

void SmallServer::listen(io::ListeningSocket socket) {
  socket_ = std::move(socket);
  // Out of descriptors the acceptor rests and tries again; the data plane, which shares them, reports it.
  acceptor_ = std::make_unique<io::Acceptor>(
      loop_, socket_->fd(), [this](int fd, const io::Peer& peer) { accepted(fd, peer); }, [](const Error&) {});
}

void SmallServer::accepted(int fd, const io::Peer& peer) {
  io::TcpStream stream{io::Descriptor(loop_, fd)};
  if (closing_ || scope_.size() >= limits_.connections) {
    // It fits into an empty socket buffer, or the client learns from the close.
    stream.try_write("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.close();
    return;
  }
  const bool local = socket_->address().is_unix();
  scope_.spawn(serve(std::move(stream), local ? std::string("unix") : fmt::format("{}:{}", peer.host(), peer.port),
                     local ? io::user_behind(fd) : std::nullopt));
}

io::Task<void> SmallServer::close(io::Deadline deadline) {
  closing_ = true;
  acceptor_.reset();
  socket_.reset();
  for (Session* session : sessions_) {
    if (session->idle) session->strand.interrupt();
  }
  co_await scope_.closed(deadline);
  co_await scope_.close();
}

io::Task<void> SmallServer::serve(io::TcpStream stream, std::string remote, std::optional<std::uint32_t> user) {
  io::Strand& strand = co_await io::this_strand();
  Session session(*this, stream, std::move(remote), strand);
  session.user = user;
  while (co_await serve_one(session)) {
  }
  // What has failed or was cut resets when destroyed; what ended in order was closed where it ended.
}

// False: the connection has ended.
io::Task<bool> SmallServer::serve_one(Session& session) {
  const bool head = co_await receive_head(session);
  if (!head) co_return false;
  const bool body = co_await receive_body(session);
  if (!body) co_return false;
  session.keep_alive = session.head.keep_alive;
  const HttpQuestion question{session.head, std::move(session.body), session.body_bytes, session.remote, session.user};
  HttpAnswer answer = co_await answerer_.answer(question);
  const bool sent = co_await send(session, std::move(answer));
  co_return sent;
}

io::Task<bool> SmallServer::receive_head(Session& session) {
  http::Connection& connection = session.connection;
  std::size_t looked_at = 0;
  session.receive_deadline = loop_.after(connection.has_held() ? limits_.receive : limits_.idle);
  bool begun = connection.has_held();
  while (true) {
    while (connection.held().starts_with("\r\n")) connection.consume(2);  // RFC 9112 2.2
    const Bytes held = connection.held();
    // A parse starts anew: only a new line can have completed the head.
    const bool worth_it =
        held.size() > head_limits.line || held.substr(std::min(looked_at, held.size())).find('\n') != Bytes::npos;
    looked_at = held.size();
    if (worth_it) {
      const http::Outcome outcome = http::RequestParser::parse(held, head_limits, session.head);
      if (outcome.progress == http::Progress::Complete) {
        session.head_bytes.assign(held.substr(0, session.head.size));
        session.head.rebase(session.head_bytes.data());
        connection.consume(session.head.size);
        co_return true;
      }
      if (outcome.progress == http::Progress::Failed) {
        const bool refused =
            co_await refuse(session, http::status_of(outcome.defect), std::string(http::explain(outcome.defect)));
        co_return refused;
      }
    }
    const io::Transfer got = connection.receive();
    if (got.state == io::TransferState::End) {
      session.stream.close();
      co_return false;
    }
    if (got.state == io::TransferState::Failed) co_return false;
    if (got.state == io::TransferState::Done) {
      if (!begun) session.receive_deadline = loop_.after(limits_.receive);
      begun = true;
      continue;
    }
    if (!begun && closing_) {
      session.stream.close();
      co_return false;
    }
    connection.keep();
    session.idle = !begun;
    const io::Wake wake = co_await session.stream.until_readable(session.receive_deadline);
    session.idle = false;
    if (wake == io::Wake::Event) continue;
    if (wake == io::Wake::Deadline && begun) {
      const bool refused = co_await refuse(session, 408, "the request did not come in time");
      co_return refused;
    }
    session.stream.close();
    co_return false;
  }
}

io::Task<bool> SmallServer::receive_body(Session& session) {
  session.body.clear();
  session.body_bytes = 0;
  http::ConnectionBody body(session.connection);
  body.begin(session.head.framing, session.head.content_length, head_limits);
  if (body.left().value_or(0) > limits_.body_bytes) {
    const bool refused = co_await refuse(session, 413, fmt::format("the body is over {} bytes", limits_.body_bytes));
    co_return refused;
  }
  if (!body.ended() && session.head.expects_continue) {
    session.connection.keep();
    const Result<> told = co_await session.stream.write("HTTP/1.1 100 Continue\r\n\r\n", session.receive_deadline);
    if (!told) co_return false;
  }
  while (true) {
    const http::Pulled pulled = body.try_pull();
    switch (pulled.state) {
      case http::PullState::End:
        co_return true;
      case http::PullState::Data: {
        session.body_bytes += pulled.data.size();
        if (session.body_bytes > limits_.body_bytes) {
          const bool refused =
              co_await refuse(session, 413, fmt::format("the body is over {} bytes", limits_.body_bytes));
          co_return refused;
        }
        if (limits_.body == RequestBody::Keep) session.body += pulled.data;
        continue;
      }
      case http::PullState::Failed: {
        if (pulled.code != Code::Malformed) co_return false;
        const bool refused = co_await refuse(session, 400, std::string(http::explain(pulled.defect)));
        co_return refused;
      }
      case http::PullState::WouldBlock:
        break;
    }
    const io::Wake wake = co_await body.until_ready(session.receive_deadline);
    if (wake == io::Wake::Event) continue;
    if (wake == io::Wake::Cancelled) co_return false;
    const bool refused = co_await refuse(session, 408, "the request's body did not come in time");
    co_return refused;
  }
}

// False: the connection has ended, as asked or because the client is gone.
io::Task<bool> SmallServer::send(Session& session, HttpAnswer answer) {
  session.connection.keep();
  const bool keep_alive = session.keep_alive && !closing_;
  const io::Deadline deadline = loop_.after(limits_.send);
  const bool bodiless = answer.status == 204 || answer.status == 304;
  Buffer out;
  http::HeadWriter head(out);
  head.status_line(answer.status, {});
  if (!bodiless) {
    head.field("Content-Type", Bytes(answer.content_type));
    head.field("Content-Length", answer.body.size() + answer.padding_bytes);
  }
  head.raw(answer.lines);
  if (!keep_alive) {
    head.field("Connection", Bytes("close"));
  } else if (session.head.minor_version == 0) {
    head.field("Connection", Bytes("keep-alive"));
  }
  head.end();
  const bool with_body = !session.head.is_head && !bodiless;
  if (with_body) out.append(answer.body);
  const Result<> sent = co_await session.stream.write(out.view(), deadline);
  if (!sent) co_return false;
  for (std::uint64_t left = with_body ? answer.padding_bytes : 0; left > 0;) {
    const Bytes block(padding_block.data(),
                      static_cast<std::size_t>(std::min<std::uint64_t>(left, padding_block_bytes)));
    const Result<> more = co_await session.stream.write(block, deadline);
    if (!more) co_return false;
    left -= block.size();
  }
  if (!keep_alive) session.stream.close();
  co_return keep_alive;
}

// Answers, then reads away what still comes so that the answer arrives; always false: the connection has ended.
io::Task<bool> SmallServer::refuse(Session& session, int status, std::string text) {
  session.keep_alive = false;
  session.connection.keep();
  session.head.is_head = false;
  HttpAnswer answer = answerer_.refuse(status, std::move(text));
  answer.padding_bytes = 0;
  Buffer out;
  http::HeadWriter head(out);
  head.status_line(answer.status, {});
  head.field("Content-Type", Bytes(answer.content_type));
  head.field("Content-Length", answer.body.size());
  head.raw(answer.lines);
  head.field("Connection", Bytes("close"));
  head.end();
  out.append(answer.body);
  const Result<> sent = co_await session.stream.write(out.view(), loop_.after(limits_.send));
  if (!sent) co_return false;
  session.stream.end();
  const io::Deadline deadline = loop_.after(linger_time);
  std::array<char, 4 * kib> scrap;
  for (std::size_t total = 0; total < linger_bytes_max;) {
    const Result<std::size_t> got = co_await session.stream.read(scrap.data(), scrap.size(), deadline);
    if (!got || *got == 0) break;
    total += *got;
  }
  session.stream.close();
  co_return false;
}

}  // namespace ballast::admin
