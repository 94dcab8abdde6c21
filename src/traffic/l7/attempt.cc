// One attempt at one target: connect or reuse, send, receive a head, respond.
#include "io/loop.h"
#include "traffic/connect.h"
#include "traffic/l4/tunnel.h"
#include "traffic/l7/exchange.h"
#include "traffic/l7/request_out.h"
#include "traffic/l7/upload.h"
#include "wire/http/head_writer.h"
#include "wire/http/hop_by_hop.h"
#include "wire/http/parse.h"

namespace ballast::traffic {
namespace {

// A client whose first request is answered within this is never watched by the kernel; a slower answer is worth it, to
// learn that the client has gone.
constexpr auto unwatched_max = std::chrono::milliseconds(100);
// More interim responses than this are no protocol but a flood.
constexpr int interim_max = 32;

}  // namespace

io::Task<Exchange::Attempt> Exchange::try_target(Fresh fresh) {
  using Certainty = UpstreamPool::Certainty;
  const config::TargetGroup& settings = *group_->settings;
  TargetCell& cell = worker_.cell_of(*target_);
  std::unique_ptr<UpstreamConnection> connection;
  if (fresh == Fresh::Allowed) {
    connection = pool_of_target().take(state_->request.is_idempotent() ? Certainty::Likely : Certainty::Asked);
  }
  if (connection == nullptr) {
    cell.connects.add();
    const io::Instant began = loop_.now();
    auto stream = co_await connect_target(loop_, client_.introduction(), settings, *target_,
                                          loop_.after(settings.timeouts.connect));
    state_->facts.connect_took = loop_.now() - began;
    if (!stream) {
      cell.connect_failures.add();
      if (client_.was_cut()) co_return failed(Reason::ClientGone, Retry::Never);
      co_return failed(reason_of_connect(stream.error().code()), Retry::Always);
    }
    connection = std::make_unique<UpstreamConnection>(pool_of_target(), std::move(*stream));
  }
  const TargetUse use(worker_.local_of(*target_).uses, co_await io::this_strand());
  cell.traffic.in_flight.add();
  bool reusable = false;
  const Attempt result = co_await attempt(*connection, reusable);
  cell.traffic.in_flight.subtract();
  // One that is not given back is reset by its destructor, unless it was closed in order.
  UpstreamPool& pool = connection->pool();
  if (reusable) pool.give(std::move(connection), settings.pool);
  co_return result;
}

// Shared by all clients, unless the target is told whom a connection is from: then it is that client's own.
UpstreamPool& Exchange::pool_of_target() {
  return tells_client(*group_->settings) ? client_.own_pool().of(*target_, loop_, worker_.cell_of(*target_))
                                         : worker_.pool_of(*target_);
}

void Exchange::write_request() {
  ExchangeState& state = *state_;
  state.to_target.clear();
  RequestOut out{
      .state = state, .client = client_, .listener = *listener_, .group = *group_->settings, .target = *target_};
  const bool held_whole = body_.ended();
  if (state.request.framing == http::Framing::Length) {
    out.framing = http::Framing::Length;
    out.length = state.request.content_length;
  } else if (state.request.framing == http::Framing::Chunked) {
    // What is known whole is sent with its length, which every server understands.
    const bool measured = held_whole && body_.trailers().empty();
    out.framing = measured ? http::Framing::Length : http::Framing::Chunked;
    out.length = state.small_body.size();
  }
  write_request_head(out);
  if (out.framing != http::Framing::Chunked) {
    state.to_target.append(state.small_body.view());
    return;
  }
  if (!state.small_body.empty()) {
    char chunk_head[18];
    state.to_target.append({chunk_head, http::write_chunk_head(chunk_head, state.small_body.size())});
    state.to_target.append(state.small_body.view());
    state.to_target.append(Bytes("\r\n"));
  }
  if (held_whole) {
    state.to_target.append(Bytes("0\r\n"));
    state.to_target.append(body_.trailers());
    state.to_target.append(Bytes("\r\n"));
  }
}

Exchange::Attempt Exchange::failed_by(const Error& error, const UpstreamConnection& connection) const {
  if (client_.was_cut()) return failed(Reason::ClientGone, Retry::Never);
  switch (error.code()) {
    case Code::Cancelled:
      return failed(Reason::Stopped, Retry::Never);
    case Code::TimedOut:
      return failed(Reason::TargetTimeout, Retry::Never);
    default:
      break;
  }
  Attempt attempt = failed(error.code() == Code::Closed ? Reason::TargetClosed : Reason::TargetReset, Retry::IfReused);
  attempt.was_stale = connection.is_reused();
  return attempt;
}

Exchange::Attempt Exchange::failed_by_client(const Upload& upload) const {
  const http::RelayResult& result = upload.result();
  Attempt attempt;
  switch (result.end) {
    case http::RelayEnd::SourceTooLarge:
      attempt.reason = Reason::RequestTooLarge;
      break;
    case http::RelayEnd::SourceTooSlow:
      attempt.reason = Reason::RequestTooSlow;
      break;
    default:
      if (result.code == Code::Malformed) {
        attempt.reason = Reason::RequestMalformed;
        attempt.defect = result.defect;
      } else {
        attempt.reason = result.code == Code::TimedOut ? Reason::RequestTooSlow : Reason::ClientGone;
      }
  }
  return attempt;
}

io::Task<Exchange::Attempt> Exchange::attempt(UpstreamConnection& connection, bool& reusable) {
  const config::Listener& listener = *listener_->settings;
  write_request();
  const std::size_t head_bytes = state_->to_target.size();
  Upload upload(loop_, co_await io::this_strand());
  Attempt result;
  const Result<> sent = co_await http::flush(state_->to_target, connection.stream(), group_->settings->timeouts.idle);
  if (!sent) {
    result = failed_by(sent.error(), connection);
    // The kernel took nothing: the target cannot have seen this request, whatever its method.
    if (state_->to_target.size() == head_bytes && result.retry == Retry::IfReused) result.retry = Retry::Always;
    co_return result;
  }
  if (!body_.ended()) {
    upload_began_ = true;
    const bool chunked = state_->request.framing == http::Framing::Chunked;
    upload.start(body_, chunked ? http::Framing::Chunked : http::Framing::Length, connection.stream(),
                 http::RelayLimits{.source_idle = listener.timeouts.idle,
                                   .sink_idle = group_->settings->timeouts.idle,
                                   .bytes_max = listener.limits.body.value_or(UINT64_MAX) - state_->small_body.size(),
                                   .rate_min = listener.timeouts.minimum_rate});
  }
  result = co_await receive_head(connection, upload, loop_.now());
  if (result.answered) {
    result = state_->response.status == 101 ? co_await open_tunnel(connection)
                                            : co_await respond(connection, upload, reusable);
  }
  co_await upload.close();
  if (upload.was_started()) state_->facts.bytes_in += upload.result().body_bytes;
  co_return result;
}

// Gives `answered` when the final head stands in state_->response, not yet consumed from the reader.
io::Task<Exchange::Attempt> Exchange::receive_head(UpstreamConnection& connection, Upload& upload, io::Instant sent) {
  const config::TargetGroup& settings = *group_->settings;
  const http::HeadLimits limits{.line = settings.response_headers_max,
                                .header = settings.response_headers_max,
                                .head = settings.response_headers_max,
                                .header_count = http::fields_max};
  http::Connection& reader = connection.reader();
  int interims = 0;
  while (true) {
    if (reader.has_held()) {
      const http::ResponseParser::Question question{.to_head = state_->request.is_head, .to_connect = false};
      const http::Outcome outcome = http::ResponseParser::parse(reader.held(), limits, question, state_->response);
      const int status = state_->response.status;
      if (outcome.progress == http::Progress::Failed ||
          (outcome.progress == http::Progress::Complete && status < 200 &&
           (++interims > interim_max || (status == 101 && !state_->request.wants_upgrade)))) {
        Attempt malformed = failed(Reason::TargetMalformed, Retry::Never);
        malformed.defect = outcome.defect;
        co_return malformed;
      }
      if (outcome.progress == http::Progress::Complete) {
        if (status >= 200 || status == 101) {
          state_->facts.header_took = loop_.now() - sent;
          upload.answered();
          co_return Attempt{.answered = true};
        }
        if (const Result<> passed = co_await send_interim(reader); !passed) {
          co_return failed(
              client_.was_cut() || passed.error().code() != Code::Cancelled ? Reason::ClientGone : Reason::Stopped,
              Retry::Never);
        }
        continue;
      }
    }
    const io::Transfer got = connection.stream().may_read() ? reader.receive() : io::Transfer{};
    if (got.state == io::TransferState::Done) continue;
    if (got.state != io::TransferState::WouldBlock) {
      const bool began = reader.has_held();
      Attempt attempt = failed_by(Error(got.state == io::TransferState::End ? Code::Closed : got.code), connection);
      if (began || interims != 0) attempt.retry = Retry::Never;
      if (attempt.retry == Retry::Never) attempt.was_stale = false;
      co_return attempt;
    }
    reader.keep();
    if (upload.client_failed()) co_return failed_by_client(upload);

    io::Deadline deadline = io::Deadline::never();  // the upload has limits of its own
    if (!upload.is_running()) {
      deadline = io::Deadline::at((upload.was_started() ? upload.ended_at() : sent) + settings.timeouts.header);
    }
    const bool watched = client_.stream().descriptor().is_registered();
    const io::Deadline look = watched ? deadline : earlier(deadline, io::Deadline::at(sent + unwatched_max));
    const io::Wake wake = co_await connection.stream().until_readable(look);
    if (wake == io::Wake::Event) continue;
    if (client_.was_cut()) co_return failed(Reason::ClientGone, Retry::Never);
    if (wake == io::Wake::Cancelled) {
      if (client_.called_off()) co_return failed(Reason::Stopped, Retry::Never);
      continue;  // the upload has ended
    }
    if (deadline.passed(loop_.now())) co_return failed(Reason::TargetTimeout, Retry::Never);
    if (!client_.stream().descriptor().watch_now()) co_return failed(Reason::Overloaded, Retry::Never);
  }
}

io::Task<Result<>> Exchange::send_interim(http::Connection& reader) {
  const http::ResponseHead& response = state_->response;
  // A client of HTTP/1.0 knows no interim responses.
  if (state_->request.minor_version >= 1) {
    gather_response_lines();
    http::HeadWriter head(state_->to_client);
    head.status_line(response.status, response.reason());
    for (const http::FieldLine& line : state_->lines) head.field(line.name, line.value);
    head.end();
  }
  reader.consume(response.size);
  reader.keep();
  co_return co_await http::flush(state_->to_client, client_.stream(), listener_->settings->timeouts.idle);
}

void Exchange::gather_response_lines() {
  const http::ResponseHead& response = state_->response;
  const http::HopByHop hop_by_hop(response.fields);
  const std::string& server = listener_->settings->server_header;
  auto& lines = state_->lines;
  lines.clear();
  for (const http::Field& field : response.fields) {
    if (field.id == http::HeaderId::ContentLength || hop_by_hop.contains(field)) continue;
    if (field.id == http::HeaderId::Server && !server.empty()) continue;
    lines.push_back({response.fields.name(field), response.fields.value(field)});
  }
  if (!server.empty()) lines.push_back({"Server", server});
}

io::Task<Exchange::Attempt> Exchange::respond(UpstreamConnection& connection, Upload& upload, bool& reusable) {
  const http::RequestHead& request = state_->request;
  const http::ResponseHead& response = state_->response;
  ExchangeFacts& facts = state_->facts;

  http::OutgoingFraming out{.peer_minor_version = request.minor_version};
  switch (response.framing) {
    case http::Framing::None:
      out.length = response.content_length;
      out.states_length = response.has_content_length && (request.is_head || response.status == 304);
      break;
    case http::Framing::Length:
      out.framing = http::Framing::Length;
      out.length = response.content_length;
      break;
    case http::Framing::Chunked:
    case http::Framing::UntilClose:
      out.framing = request.minor_version >= 1 ? http::Framing::Chunked : http::Framing::UntilClose;
      break;
  }
  const bool stays = client_may_stay() && upload.is_whole() && out.framing != http::Framing::UntilClose;
  out.use = stays ? http::ConnectionUse::KeepAlive : http::ConnectionUse::Close;

  gather_response_lines();
  http::write_head(state_->to_client, http::OutgoingResponse{response.status, response.reason(), state_->lines}, out);
  facts.status = response.status;
  if (response.keep_alive_seconds.has_value()) {
    connection.pool().told_idle_time(std::chrono::seconds(*response.keep_alive_seconds));
  }
  connection.reader().consume(response.size);
  http::ConnectionBody body(connection.reader());
  body.begin(response.framing, response.content_length, {});

  const http::RelayLimits limits{.source_idle = group_->settings->timeouts.idle,
                                 .sink_idle = listener_->settings->timeouts.idle};
  const http::RelayResult result = co_await http::relay(state_->to_client, body, out.framing, client_.stream(), limits);
  if (result.end == http::RelayEnd::SourceFailed && !result.head_sent) {
    // The client has seen nothing of it: an answer that says what went wrong is better than half of one.
    state_->to_client.clear();
    facts.status = 0;
    if (result.code != Code::Malformed) co_return failed_by(Error(result.code), connection);
    Attempt malformed = failed(Reason::TargetMalformed, Retry::Never);
    malformed.defect = result.defect;
    co_return malformed;
  }
  facts.bytes_out = result.body_bytes;
  switch (result.end) {
    case http::RelayEnd::Done:
      reusable = response.keep_alive && upload.is_whole() && response.framing != http::Framing::UntilClose;
      if (!reusable && upload.is_whole()) connection.stream().close();
      co_return Attempt{.answered = true, .after = stays ? After::KeepAlive : After::Linger};
    case http::RelayEnd::SourceFailed:
      facts.reason = result.code == Code::TimedOut ? Reason::BodyTimeout : Reason::BodyCut;
      facts.defect = result.defect;
      break;
    case http::RelayEnd::Cancelled:
      facts.reason = client_.was_cut() ? Reason::ClientGone : Reason::Stopped;
      break;
    default:
      facts.reason = Reason::ClientGone;
      break;
  }
  co_return Attempt{.answered = true, .after = After::Reset};
}

io::Task<Exchange::Attempt> Exchange::open_tunnel(UpstreamConnection& connection) {
  const http::ResponseHead& response = state_->response;
  ExchangeFacts& facts = state_->facts;
  gather_response_lines();
  http::write_head(state_->to_client, http::OutgoingResponse{101, response.reason(), state_->lines},
                   http::OutgoingFraming{.use = http::ConnectionUse::Upgrade,
                                         .upgrade = response.fields.value_or_empty(http::HeaderId::Upgrade)});
  connection.reader().consume(response.size);
  facts.status = 101;
  TunnelSides sides{.client = client_.stream(), .target = connection.stream(), .to_target = {}, .to_client = {}};
  sides.to_client.append(state_->to_client.view());
  sides.to_client.append(connection.reader().held());
  sides.to_target.append(client_.reader().held());
  state_->to_client.clear();
  const TunnelResult result = co_await tunnel(sides, listener_->settings->timeouts.tunnel);
  facts.bytes_in += result.to_target_bytes;
  facts.bytes_out = result.to_client_bytes;
  if (result.end == TunnelEnd::ClientCut) facts.reason = Reason::ClientGone;
  if (result.end == TunnelEnd::TargetCut) facts.reason = Reason::BodyCut;
  if (result.end == TunnelEnd::Cancelled) facts.reason = Reason::Stopped;
  co_return Attempt{.answered = true, .after = After::Done};
}

}  // namespace ballast::traffic
