// One attempt at one target: connect or reuse, send, receive a head, respond.
#include <fmt/format.h>

#include "io/loop.h"
#include "traffic/connect.h"
#include "traffic/l4/tunnel.h"
#include "traffic/l7/ajp_upstream.h"
#include "traffic/l7/compress.h"
#include "traffic/l7/exchange.h"
#include "traffic/l7/grpc.h"
#include "traffic/l7/http1_upstream.h"
#include "traffic/l7/http2_upstream.h"
#include "traffic/l7/kept_body.h"
#include "traffic/l7/request_out.h"
#include "traffic/l7/upload.h"
#include "traffic/l7/walk.h"
#include "traffic/outlier/failure.h"
#include "traffic/route/shaping.h"
#include "wire/http/hop_by_hop.h"

namespace ballast::traffic {
namespace {

// A client whose first request is answered within this is never watched by the kernel; a slower answer is worth it, to
// learn that the client has gone.
constexpr auto unwatched_max = std::chrono::milliseconds(100);
// More interim responses than this are no protocol but a flood.
constexpr int interim_max = 32;

void take_note(AttemptNote& note, const Connecting& how) {
  note.connect = how.tcp;
  note.tls = how.tls;
  if (!how.trouble.empty()) note.text = how.trouble;
}

std::optional<std::uint64_t> broken_at(const http::ResponseHead& head, const http::Body& body) {
  const auto in_body = body.broken_at();
  return in_body.has_value() ? std::optional(head.size + *in_body) : std::nullopt;
}

}  // namespace

void Exchange::note_failure(const Attempt& attempt) {
  if (attempt.defect != http::Defect::None) {
    note().text = fmt::format("{} ({})", http::explain(attempt.defect), http::to_string(attempt.defect));
  }
}

io::Task<Exchange::Attempt> Exchange::try_target(Fresh fresh) {
  TargetCell& cell = worker_.cell_of(*target_);
  // From before a connection is made: a burst must not pass the target's limit, nor a drain be over, meanwhile.
  const TargetUse use(worker_.local_of(*target_).uses, co_await io::this_strand());
  cell.traffic.in_flight.add();
  Attempt result;
  if (std::unique_ptr<Upstream> upstream = co_await reach(fresh, result); upstream != nullptr) {
    AttemptNote& noted = note();
    noted.reused = upstream->is_reused();
    std::optional<Upstream::Use> end;
    result = co_await attempt(*upstream, end);
    if (const Connecting* how = upstream->connecting(); how != nullptr && !noted.reused) take_note(noted, *how);
    // One that has not ended in order is cut by its destructor.
    if (end.has_value()) {
      Upstream& self = *upstream;
      self.finish(std::move(upstream), *end, group_->settings->pool);
    }
  }
  cell.traffic.in_flight.subtract();
  co_return result;
}

// Shared by all clients, unless the target is told whom a connection is from: then it is that client's own. To be asked
// anew after a wait: another request of the client may have changed its own pool to another target.
UpstreamPool& Exchange::pool_of_target() {
  return tells_client(*group_->settings) ? client_.own_pool().of(*target_, loop_, worker_.cell_of(*target_))
                                         : worker_.pool_of(*target_);
}

io::Task<std::unique_ptr<Upstream>> Exchange::reach(Fresh fresh, Attempt& failure) {
  const config::TargetGroup& settings = *group_->settings;
  if (is_http2(settings.protocol)) {
    using From = Http2Pool::Fresh;
    auto connection = worker_.http2_pool_of(*target_).take(fresh == Fresh::Allowed ? From::Allowed : From::Required,
                                                           {.plan = plan_, .group = *group_, .target = *target_});
    if (connection == nullptr) {
      failure = failed(Reason::TargetsFull, Retry::Always);
      co_return nullptr;
    }
    co_return std::make_unique<Http2Upstream>(std::move(connection));
  }
  using Certainty = UpstreamPool::Certainty;
  TargetCell& cell = worker_.cell_of(*target_);
  if (fresh == Fresh::Allowed) {
    auto upstream = pool_of_target().take(state_->request.is_idempotent() ? Certainty::Likely : Certainty::Asked,
                                          group_->tls != nullptr ? worker_.own(group_->tls->by_worker).get() : nullptr);
    if (upstream != nullptr) co_return upstream;
  }
  cell.connects.add();
  const io::Instant began = loop_.now();
  Connecting how;
  auto stream = co_await connect_target(worker_, client_.introduction(), *group_, *target_,
                                        loop_.after(settings.timeouts.connect), &how);
  state_->facts.connect_took = loop_.now() - began;
  take_note(note(), how);
  if (!stream) {
    cell.connect_failures.add();
    failure = client_.was_cut() ? failed(Reason::ClientGone, Retry::Never)
                                : failed(reason_of_connect(stream.error().code()), Retry::Always);
    failure.blameless = outlier::is_of_this_machine(stream.error().code());
    co_return nullptr;
  }
  UpstreamPool& pool = pool_of_target();
  if (settings.protocol == config::GroupProtocol::Ajp)
    co_return std::make_unique<AjpUpstream>(pool, std::move(*stream));
  co_return std::make_unique<Http1Upstream>(pool, std::move(*stream));
}

UpstreamRequest Exchange::request_for_target() {
  ExchangeState& state = *state_;
  UpstreamRequest out;
  const Shaping* shaping = route_->shaping.get();
  out.head = request_head({.state = state,
                           .client = client_,
                           .listener = *listener_,
                           .group = *group_->settings,
                           .target = *target_,
                           .group_cookie = group_cookie(),
                           .edits = shaping != nullptr && !shaping->request.empty() ? &shaping->request : nullptr});
  out.body = state.small_body.view();
  out.body_is_whole = state.body->ended() && state.kept_body.empty();
  if (out.body_is_whole) out.trailers = state.body->trailers();
  if (state.request.framing == http::Framing::Length) {
    out.framing.framing = http::Framing::Length;
    out.framing.length = state.request.content_length;
  } else if (state.request.framing == http::Framing::Chunked) {
    // What is known whole is sent with its length, which every server understands.
    const bool measured = out.body_is_whole && out.trailers.empty();
    out.framing.framing = measured ? http::Framing::Length : http::Framing::Chunked;
    out.framing.length = state.small_body.size();
  }
  if (state.request.wants_upgrade) {
    out.framing.use = http::ConnectionUse::Upgrade;
    out.framing.upgrade = state.request.fields.value_or_empty(http::HeaderId::Upgrade);
  }
  if (group_->settings->protocol == config::GroupProtocol::Ajp) out.ajp = request_for_container();
  return out;
}

// Behind a trusted proxy the client is whom the proxy names, and its port is not known.
AjpRequest Exchange::request_for_container() {
  const bool direct = source_ == client_.peer().bytes;
  state_->client_address = direct ? client_.peer_text() : io::Peer{source_}.host();
  std::optional<ajp::TlsFacts> tls;
  if (const tls::Stream* secure = client_.secure(); secure != nullptr) {
    tls = ajp::TlsFacts{.certificate = secure->peer_certificate(),
                        .cipher = secure->cipher(),
                        .session = secure->session_id(),
                        .key_bits = secure->key_bits(),
                        .protocol = secure->version()};
  } else if (client_.is_over_tls()) {
    tls.emplace();
  }
  return {.settings = &group_->settings->ajp,
          .client_address = state_->client_address,
          .client_port = direct ? client_.peer().port : std::uint16_t{0},
          .local_address = client_.local_text(),
          .local_port = client_.port(),
          .tls = tls,
          .user = state_->user,
          .route = group_->routes.empty() ? Bytes() : Bytes(group_->routes[target_slot_])};
}

Exchange::Attempt Exchange::failed_by(const Error& error, const Upstream& upstream) const {
  if (client_.was_cut()) return failed(Reason::ClientGone, Retry::Never);
  switch (error.code()) {
    case Code::Cancelled:
      return failed(Reason::Stopped, Retry::Never);
    case Code::TimedOut:
      return failed(Reason::TargetTimeout, Retry::Never);
    case Code::TooLarge:
      return failed(Reason::PacketTooSmall, Retry::Never);
    case Code::Invalid:
      return failed(Reason::RequestMalformed, Retry::Never);
    default:
      break;
  }
  Attempt attempt = failed(error.code() == Code::Closed ? Reason::TargetClosed : Reason::TargetReset, Retry::IfReused);
  attempt.was_stale = upstream.is_reused();
  attempt.blameless = outlier::is_of_this_machine(error.code());
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

// Where it may be sent again at all: an unsafe request goes once but where a target can say that it has not looked at
// it.
bool Exchange::keeps_body() const {
  const config::Retries& retries = group_->settings->retries;
  const http::RequestHead& head = state_->request;
  return retries.attempts > 1 && (head.is_idempotent() || is_http2(group_->settings->protocol)) &&
         (head.framing != http::Framing::Length || head.content_length <= retries.body_bytes_max);
}

io::Task<Exchange::Attempt> Exchange::attempt(Upstream& upstream, std::optional<Upstream::Use>& end) {
  const config::Listener& listener = *listener_->settings;
  http::Body& body = *state_->body;
  Upload upload(loop_, co_await io::this_strand());
  const UpstreamRequest request = request_for_target();
  if (const Result<> sent = co_await upstream.send(*state_, request, group_->settings->timeouts.idle); !sent) {
    Attempt lost = failed_by(sent.error(), upstream);
    note().text = "while the request was sent";
    if (lost.retry == Retry::IfReused) lost.retry = sent.error().retry();
    co_return lost;
  }
  std::optional<KeptBody> kept;
  if (!request.body_is_whole) {
    goes_once_ = goes_once_ || !keeps_body();
    if (!goes_once_) kept.emplace(body, state_->kept_body, group_->settings->retries.body_bytes_max, goes_once_);
    http::Body& source = kept.has_value() ? static_cast<http::Body&>(*kept) : body;
    upload.start(upstream, source, request.framing.framing,
                 http::RelayLimits{.source_idle = listener.timeouts.idle,
                                   .sink_idle = group_->settings->timeouts.idle,
                                   .bytes_max = listener.limits.body.value_or(UINT64_MAX) - state_->small_body.size(),
                                   .rate_min = listener.timeouts.minimum_rate});
  }
  Attempt result = co_await receive_head(upstream, upload, loop_.now());
  if (result.answered && state_->response.status == 101) {
    result = co_await open_tunnel(upstream);
  } else if (result.answered) {
    http::Body& answer = upstream.body(*state_);
    const std::optional<Attempt> turned_down = turn_down(answer, end);
    result = turned_down.has_value() ? *turned_down : co_await respond(upstream, answer, upload, end);
  }
  co_await upload.close();
  if (upload.was_started()) {
    const std::uint64_t sent = upload.result().body_bytes;
    const std::uint64_t again = kept.has_value() ? kept->repeated() : 0;
    state_->facts.bytes_in += sent - std::min(sent, again);
  }
  note_failure(result);
  co_return result;
}

bool Exchange::may_move_on() {
  if (!state_->request.is_idempotent() || goes_once_) return false;
  if (client_.was_cut() || client_.called_off() || state_->facts.attempts >= attempts_max()) return false;
  GroupCell& cell = worker_.cell_of(*group_->share);
  if (!budget_allows(cell, group_->settings->retries)) {
    cell.retries_refused.add();
    return false;
  }
  return walk_->has_next();
}

Exchange::Attempt Exchange::given_up() {
  note().text = fmt::format("given up after {} ms, as retries.timeout says", group_->settings->retries.timeout.count());
  return failed(Reason::TargetTimeout, Retry::IfReused);
}

// Gives `answered` when the final head stands in state_->response.
io::Task<Exchange::Attempt> Exchange::receive_head(Upstream& upstream, Upload& upload, io::Instant sent) {
  const config::TargetGroup& settings = *group_->settings;
  int interims = 0;
  bool may_be_given_up = settings.retries.timeout.count() != 0;
  while (true) {
    const HeadStep step = upstream.try_head(*state_, head_limits(settings));
    const int status = state_->response.status;
    if (step.kind == HeadStep::Kind::Malformed ||
        (step.kind == HeadStep::Kind::Complete && status < 200 &&
         (++interims > interim_max || (status == 101 && !state_->request.wants_upgrade)))) {
      Attempt malformed = failed(Reason::TargetMalformed, Retry::Never);
      malformed.defect = step.defect;
      malformed.defect_at = step.offset;
      co_return malformed;
    }
    if (step.kind == HeadStep::Kind::Complete) {
      if (status >= 200 || status == 101) {
        state_->facts.header_took = loop_.now() - sent;
        note().head = state_->facts.header_took;
        note().status = status;
        if (upload.was_started()) {
          state_->facts.body_took = (upload.is_running() ? loop_.now() : upload.ended_at()) - sent;
        }
        if (group_->judges) {
          // As long as the request comes, it is the client who takes the time.
          const io::Duration awaited = upload.was_started() ? state_->facts.body_took : io::Duration(0);
          count_answer(upload.is_running() ? std::nullopt : std::optional(state_->facts.header_took - awaited));
        }
        upload.answered();
        co_return Attempt{.answered = true};
      }
      gather_response_lines();
      auto interim = client_.interim(*state_, listener_->settings->timeouts.idle);
      upstream.skip_head(*state_);
      if (const Result<> passed = co_await std::move(interim); !passed) {
        co_return failed(
            client_.was_cut() || passed.error().code() != Code::Cancelled ? Reason::ClientGone : Reason::Stopped,
            Retry::Never);
      }
      continue;
    }
    if (step.kind == HeadStep::Kind::Lost) {
      if (step.unconnected) {
        Attempt unconnected = failed(reason_of_connect(step.code), Retry::Always);
        unconnected.blameless = outlier::is_of_this_machine(step.code);
        co_return unconnected;
      }
      Attempt attempt = failed_by(Error(step.code), upstream);
      attempt.unattended = step.unattended;
      if (step.began || interims != 0) attempt.retry = Retry::Never;
      if (step.refused) attempt.retry = Retry::Always;
      if (step.refused) attempt.blameless = true;  // it ends in order, or has enough to do
      if (attempt.retry == Retry::Never) attempt.was_stale = false;
      co_return attempt;
    }
    if (upload.client_failed()) co_return failed_by_client(upload);

    io::Deadline deadline = call_deadline_;  // an upload has limits of its own
    io::Deadline give_up = io::Deadline::never();
    if (!upload.is_running()) {
      const io::Instant asked = upload.was_started() ? upload.ended_at() : sent;
      deadline = earlier(deadline, io::Deadline::at(asked + settings.timeouts.header));
      if (may_be_given_up) give_up = io::Deadline::at(asked + settings.retries.timeout);
      if (give_up.passed(loop_.now())) {
        if (interims == 0 && may_move_on()) co_return given_up();
        may_be_given_up = false;
        give_up = io::Deadline::never();
      }
    }
    io::Deadline look = earlier(deadline, give_up);
    if (!client_.is_watched()) look = earlier(look, io::Deadline::at(sent + unwatched_max));
    const io::Wake wake = co_await upstream.until_head(look);
    if (wake == io::Wake::Event) continue;
    if (client_.was_cut()) co_return failed(Reason::ClientGone, Retry::Never);
    if (wake == io::Wake::Cancelled) {
      if (client_.called_off()) co_return failed(Reason::Stopped, Retry::Never);
      continue;  // the upload has ended
    }
    if (deadline.passed(loop_.now())) {
      Attempt late = failed(Reason::TargetTimeout, Retry::Never);
      late.blameless = call_deadline_.passed(loop_.now());
      co_return late;
    }
    if (give_up.passed(loop_.now())) continue;
    if (!client_.watch()) co_return failed(Reason::Overloaded, Retry::Never);
  }
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

io::Task<Exchange::Attempt> Exchange::respond(Upstream& upstream, http::Body& answer, Upload& upload,
                                              std::optional<Upstream::Use>& end) {
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
  const bool stays = client_.may_stay(*state_) && upload.is_whole() && out.framing != http::Framing::UntilClose;
  out.use = stays ? http::ConnectionUse::KeepAlive : http::ConnectionUse::Close;

  gather_response_lines();
  facts.status = response.status;
  answers();
  decorate();
  stick();
  ResponseCompression compression(worker_);
  const ResponseFacts known{
      .status = response.status,
      .length = response.has_content_length ? std::optional(response.content_length) : std::nullopt};
  http::Body& source = answer;
  http::Body& body = compression.apply(listener_->settings->compression, request, known, state_->lines, out, source);
  const http::RelayLimits limits{.source_idle = group_->settings->timeouts.idle,
                                 .sink_idle = listener_->settings->timeouts.idle};
  const http::RelayResult result = co_await client_.respond(
      *state_, http::OutgoingResponse{response.status, response.reason(), state_->lines}, out, body, limits);
  if (result.end == http::RelayEnd::SourceFailed && !result.head_sent) {
    // The client has seen nothing of it: an answer that says what went wrong is better than half of one.
    state_->to_client.clear();
    facts.status = 0;
    if (result.code != Code::Malformed) co_return failed_by(Error(result.code), upstream);
    Attempt malformed = failed(Reason::TargetMalformed, Retry::Never);
    malformed.defect = result.defect;
    malformed.defect_at = broken_at(response, source);
    co_return malformed;
  }
  facts.response_oddity = response.oddity;
  if (facts.response_oddity.defect == http::Defect::None && response.framing == http::Framing::Chunked) {
    facts.response_oddity = source.oddity();
    facts.response_oddity.offset += response.size;
  }
  facts.bytes_out = result.body_bytes;
  if (facts.is_call) {
    facts.call_status = status_of_head(response);
    if (!facts.call_status.has_value()) facts.call_status = grpc::status_in_trailers(body.trailers());
  }
  switch (result.end) {
    case http::RelayEnd::Done:
      if (upload.is_whole()) {
        const bool reusable = response.keep_alive && response.framing != http::Framing::UntilClose;
        end = reusable ? Upstream::Use::Reuse : Upstream::Use::Close;
      }
      co_return Attempt{.answered = true, .after = stays ? After::KeepAlive : After::Linger};
    case http::RelayEnd::SourceFailed:
      if (group_->judges) worker_.cell_of(*target_).outcomes.broken.add();
      facts.reason = result.code == Code::TimedOut ? Reason::BodyTimeout : Reason::BodyCut;
      facts.defect = result.defect;
      facts.defect_at = broken_at(response, source);
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

io::Task<Exchange::Attempt> Exchange::open_tunnel(Upstream& upstream) {
  ExchangeFacts& facts = state_->facts;
  gather_response_lines();
  stick();
  answers();
  Buffer to_target;
  Buffer to_client;
  io::Stream& client = client_.begin_tunnel(*state_, to_client, to_target);
  io::Stream& target = upstream.begin_tunnel(*state_, to_client);
  TunnelSides sides{
      .client = client, .target = target, .to_target = std::move(to_target), .to_client = std::move(to_client)};
  const TunnelResult result = co_await tunnel(sides, listener_->settings->timeouts.tunnel);
  facts.bytes_in += result.to_target_bytes;
  facts.bytes_out = result.to_client_bytes;
  if (result.end == TunnelEnd::ClientCut) facts.reason = Reason::ClientGone;
  if (result.end == TunnelEnd::TargetCut) facts.reason = Reason::BodyCut;
  if (result.end == TunnelEnd::Cancelled) facts.reason = Reason::Stopped;
  if (result.end == TunnelEnd::Idle) facts.reason = Reason::TunnelIdle;
  co_return Attempt{.answered = true, .after = After::Done};
}

}  // namespace ballast::traffic
