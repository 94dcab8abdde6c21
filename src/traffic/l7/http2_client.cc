#include "traffic/l7/http2_client.h"

#include <optional>

#include <fmt/format.h>

#include "io/loop.h"
#include "traffic/explain/connection.h"
#include "traffic/l7/exchange.h"
#include "traffic/open_connection.h"
#include "traffic/worker.h"
#include "wire/http/list.h"
#include "wire/http/oddity.h"
#include "wire/http/parse.h"

namespace ballast::traffic {
namespace {

// One stream: a client with one request.
class Http2Client final : public Client, private http2::StreamListener {
 public:
  Http2Client(const Http2Origin& origin, std::shared_ptr<http2::Stream> stream, io::Strand& strand)
      : Client(origin.worker, origin.listener, origin.peer, origin.origin, strand),
        stream_(std::move(stream)),
        secure_(origin.secure) {
    stream_->listen(this);
  }
  ~Http2Client() override { stream_->listen(nullptr); }

  // Whether a response was begun.
  bool is_answered() const { return answered_; }

  io::Task<HeadRead> read_head(ExchangeState& state, const config::Listener& listener) override;
  std::size_t body_bytes_waiting() const override { return stream_->received().size(); }
  io::Task<Result<>> interim(ExchangeState& state, io::Duration idle) override;
  io::Task<http::RelayResult> respond(ExchangeState& state, const http::OutgoingResponse& response,
                                      const http::OutgoingFraming& framing, http::Body& body,
                                      const http::RelayLimits& limits) override;
  io::Stream& begin_tunnel(ExchangeState& state, Buffer& to_client, Buffer& to_target) override;
  int major_version() const override { return 2; }
  const tls::Stream* secure() const override { return secure_; }
  bool may_stay(const ExchangeState&) const override { return true; }
  bool has_said_all() const override { return true; }
  bool watch() override { return true; }
  bool is_watched() const override { return true; }

 private:
  void on_cut() override { cut(); }
  io::Task<http::RelayResult> send_body(Buffer& out, http::Body& body, http::RelayLimits limits);
  io::Task<http::RelayResult> end(http::RelayResult result, io::Duration idle);

  std::shared_ptr<http2::Stream> stream_;
  const tls::Stream* secure_;
  std::optional<http2::StreamBody> body_;
  bool answered_ = false;
};

io::Task<Client::HeadRead> Http2Client::read_head(ExchangeState& state, const config::Listener& listener) {
  http::RequestHead& head = state.request;
  const http::HeadLimits limits = head_limits(listener);
  const Bytes text = stream_->head();
  state.facts.bytes_in = text.size();
  state.facts.defect = stream_->head_defect();
  if (state.facts.defect == http::Defect::None) {
    state.request_bytes.append(text);
    stream_->skip_head();  // what is kept is kept once
    const http::Outcome outcome = http::RequestParser::parse(state.request_bytes.view(), limits, head);
    state.facts.defect = outcome.defect;
    // What was written is a whole head: nothing can be missing.
    CHECK(outcome.progress != http::Progress::NeedMore);
  }
  const bool has_body = !stream_->peer_ended() || !stream_->received().empty();
  if (state.facts.defect == http::Defect::None) {
    if (!stream_->is_upgrade() && has_body && head.framing == http::Framing::None) {
      head.framing = http::Framing::Chunked;
      if (head.oddity.defect == http::Defect::None && http::expects_no_body(head.method())) {
        head.oddity = {http::Defect::UnexpectedBody, 0};
      }
    }
    state.facts.request_oddity = head.oddity;
    if (limits.strictness == http::Strictness::Strictest) state.facts.defect = head.oddity.defect;
  }
  if (state.facts.defect != http::Defect::None) {
    state.request_bytes.clear();
    state.facts.reason = Reason::RequestMalformed;
    co_return HeadRead::Refused;
  }
  state.body = &body_.emplace(*stream_, head.framing, head.content_length);
  co_return HeadRead::Complete;
}

io::Task<Result<>> settled() {
  co_return Result<>();
}

io::Task<Result<>> Http2Client::interim(ExchangeState& state, io::Duration) {
  stream_->respond({.status = state.response.status, .lines = state.lines}, http2::Stream::BodyFollows::Yes);
  return settled();
}

io::Task<http::RelayResult> Http2Client::respond(ExchangeState& state, const http::OutgoingResponse& response,
                                                 const http::OutgoingFraming& framing, http::Body& body,
                                                 const http::RelayLimits& limits) {
  answered_ = true;
  http2::Stream::ResponseHead head{.status = response.status, .lines = response.lines};
  if (framing.framing == http::Framing::Length || framing.states_length) head.length = framing.length;
  if (body.ended() && body.trailers().empty()) {
    stream_->respond(head, http2::Stream::BodyFollows::No);
    return end({.head_sent = true}, limits.sink_idle);
  }
  stream_->respond(head, http2::Stream::BodyFollows::Yes);
  state.to_client.clear();
  return send_body(state.to_client, body, limits);
}

io::Task<http::RelayResult> Http2Client::send_body(Buffer& out, http::Body& body, http::RelayLimits limits) {
  http::RelayResult result = co_await http::relay(out, body, http::Framing::UntilClose, *stream_, limits);
  result.head_sent = true;
  if (result.end != http::RelayEnd::Done) co_return result;
  stream_->trailers_at_end(body.trailers());
  stream_->end();
  co_return co_await end(result, limits.sink_idle);
}

io::Task<http::RelayResult> Http2Client::end(http::RelayResult result, io::Duration idle) {
  if (!co_await stream_->until_sent(idle)) {
    result.end = called_off() ? http::RelayEnd::Cancelled : http::RelayEnd::SinkFailed;
    result.code = stream_->is_lost() ? stream_->code() : Code::TimedOut;
    co_return result;
  }
  stream_->discard_rest();
  co_return result;
}

io::Stream& Http2Client::begin_tunnel(ExchangeState& state, Buffer&, Buffer&) {
  answered_ = true;
  // The answer to a key that the client does not know of (RFC 8441 5.1).
  std::erase_if(state.lines,
                [](const http::FieldLine& line) { return http::iequals(line.name, "Sec-WebSocket-Accept"); });
  state.facts.status = 200;
  stream_->respond({.status = 200, .lines = state.lines}, http2::Stream::BodyFollows::Yes);
  return *stream_;
}

class Http2Connection final : public OpenConnection, private http2::SessionOwner {
 public:
  Http2Connection(Http2Origin origin, io::Stream& transport)
      : origin_(std::move(origin)), transport_(transport), requests_(origin_.worker.loop()) {
    origin_.worker.opened(*this);
  }
  ~Http2Connection() { origin_.worker.closed(*this); }

  io::Task<void> run(Bytes received);
  const ListenerShare& of_listener() const override { return *origin_.listener; }
  void end_soon() override {
    if (session_ != nullptr) session_->drain();
  }
  void end_with_next_request() override { end_soon(); }

 private:
  void on_request(const std::shared_ptr<http2::Stream>& stream) override {
    ++requests_before_;
    requests_.spawn(serve(stream));
  }
  void keep(http2::SessionDefect defect);
  io::Duration rest_max() override { return rest_of(origin_.worker, *origin_.listener); }
  io::Task<void> serve(std::shared_ptr<http2::Stream> stream);

  Http2Origin origin_;
  io::Stream& transport_;
  std::shared_ptr<http2::Session> session_;
  io::Scope requests_;
  io::Duration sink_idle_{};
  io::Instant began_ = origin_.worker.loop().now();
  std::uint64_t requests_before_ = 0;
};

io::Task<void> Http2Connection::serve(std::shared_ptr<http2::Stream> stream) {
  // It came while its listener was being removed.
  if (origin_.worker.plan()->listener(*origin_.listener) == nullptr) {
    stream->refuse();
    co_return;
  }
  Http2Client client(origin_, stream, co_await io::this_strand());
  const After after = co_await Exchange::serve(client);
  if (after == After::Reset || !client.is_answered()) {
    stream->reset();
    co_return;
  }
  stream->close();
  // The end of a tunnel, too, has to be taken: else the stream would be there for as long as the client likes.
  if (!co_await stream->until_sent(sink_idle_)) stream->reset();
}

io::Task<void> Http2Connection::run(Bytes received) {
  const PlanListener* listener = origin_.worker.plan()->listener(*origin_.listener);
  if (listener == nullptr) co_return;
  const config::Listener& settings = *listener->settings;
  sink_idle_ = settings.timeouts.idle;
  session_ = http2::Session::make(http2::Session::Role::Server, origin_.worker.loop(), *this,
                                  {.streams = static_cast<std::uint32_t>(settings.http2.streams),
                                   .stream_window = static_cast<std::uint32_t>(settings.http2.stream_window_bytes),
                                   .window = static_cast<std::uint32_t>(settings.http2.window_bytes),
                                   .head_bytes = settings.limits.headers,
                                   .header = settings.timeouts.header,
                                   .sink_idle = settings.timeouts.idle});
  if (session_ == nullptr) co_return;
  ListenerCell& cell = origin_.worker.cell_of(*origin_.listener);
  cell.http2_connections.add();
  co_await session_->run(transport_, received);
  co_await requests_.close();
  if (const http2::SessionDefect defect = session_->defect(); defect != http2::SessionDefect::None) {
    cell.http2_defects[static_cast<std::size_t>(defect)].add();
    keep(defect);
  }
}

void Http2Connection::keep(http2::SessionDefect defect) {
  const PlanListener* listener = origin_.worker.plan()->listener(*origin_.listener);
  if (listener == nullptr) return;
  std::string detail = fmt::format("GOAWAY {}", session_->error_name());
  if (!session_->error_text().empty()) detail += fmt::format(": {}", session_->error_text());
  detail += fmt::format("; {} requests before", requests_before_);
  keep_record(origin_.worker, {.listener = *listener->settings,
                               .peer = origin_.peer,
                               .told = origin_.origin.told.get(),
                               .cause = defect,
                               .protocol = "h2",
                               .detail = detail,
                               .sni = origin_.secure != nullptr ? origin_.secure->server_name() : Bytes(),
                               .began = began_});
}

}  // namespace

io::Task<void> serve_http2(Http2Origin origin, io::Stream& transport, Bytes received) {
  Http2Connection connection(std::move(origin), transport);
  co_await connection.run(received);
}

}  // namespace ballast::traffic
