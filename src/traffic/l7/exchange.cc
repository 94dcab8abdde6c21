#include "traffic/l7/exchange.h"

#include "io/loop.h"
#include "traffic/balance/hash.h"
#include "traffic/l7/cookie.h"
#include "traffic/l7/grpc.h"
#include "traffic/l7/mirror.h"
#include "traffic/l7/request_out.h"
#include "traffic/l7/session_route.h"
#include "traffic/l7/sticky.h"
#include "traffic/l7/walk.h"
#include "traffic/route/cors.h"
#include "traffic/route/shaping.h"

namespace ballast::traffic {

namespace {

// Whether it tells what the target did; then the request may be under way there.
bool is_of_target(Reason reason) {
  return reason == Reason::TargetClosed || reason == Reason::TargetReset || reason == Reason::TargetTimeout ||
         reason == Reason::TargetMalformed;
}

}  // namespace

Exchange::~Exchange() = default;

Exchange::Exchange(Client& client)
    : worker_(client.worker()),
      client_(client),
      loop_(client.worker().loop()),
      state_(client.worker().exchanges().take()),
      plan_(client.worker().plan()),
      listener_(plan_->listener(client.listener())),
      source_(client.peer().bytes) {
  state_->facts.began = loop_.now();
}

// In its own frame: a connection at rest has no room for one.
io::Task<After> Exchange::serve(Client& client) {
  Exchange exchange(client);
  if (exchange.listener_ == nullptr) co_return After::Linger;  // removed while the connection was at rest
  ExchangeState& state = *exchange.state_;
  After after = After::Linger;
  const Client::HeadRead read = co_await client.read_head(state, *exchange.listener_->settings);
  state.facts.asked = exchange.loop_.now();
  make_ids(state, exchange.worker_.random(), exchange.worker_.random());
  switch (read) {
    case Client::HeadRead::Gone:
      co_return After::Linger;
    case Client::HeadRead::Refused:
      after = co_await exchange.refuse(state.facts.reason);
      break;
    case Client::HeadRead::Complete:
      after = co_await exchange.answer();
      break;
  }
  exchange.count_and_log();
  // Lingering is for a client that may still be sending, and so would have its answer overtaken by a reset.
  const bool has_said_all =
      state.facts.reason == Reason::None && !state.request.keep_alive && state.body->ended() && client.has_said_all();
  co_return after == After::Linger&& has_said_all ? After::Close : after;
}

io::Task<After> Exchange::answer() {
  const http::RequestHead& head = state_->request;
  const config::Listener& listener = *listener_->settings;
  if (head.is_connect || head.method() == "TRACE") co_return co_await refuse(Reason::MethodRefused);
  source_ = client_address(head, client_.peer(), listener);
  if (plan_->challenges != nullptr) {
    if (const std::string* proof = plan_->challenges->answer_to(head.path()); proof != nullptr) {
      co_return co_await answer_own({.status = 200, .content_type = "application/octet-stream", .body = *proof});
    }
  }
  const RequestFacts facts{
      .host = head.host(),
      .path = head.path(),
      .query = head.query(),
      .method = head.method(),
      .fields = &head.fields,
      .source = source_,
  };
  route_ = listener_->routes->match(facts);
  if (const Reason reason = ask_at_door(); reason != Reason::None) co_return co_await refuse(reason);
  if (listener_->maintenance != nullptr && is_under_maintenance()) co_return co_await answer_maintenance();
  // With the route known, so that the answer says which pages may read it.
  if (listener.limits.body.has_value() && head.framing == http::Framing::Length &&
      head.content_length > *listener.limits.body) {
    co_return co_await refuse(Reason::RequestTooLarge);
  }
  // Before authentication: a browser sends no credentials with a preflight.
  if (const CorsPolicy* cors = route_->cors.get(); cors != nullptr) {
    if (CorsPolicy::is_preflight(head)) co_return co_await answer_preflight(*cors);
    if (cors->refuses(head)) co_return co_await refuse(Reason::CorsRefused);
  }
  if (const auth::Guard* asks = guard(); asks != nullptr) {
    if (const std::optional<After> ended = co_await authenticate(*asks)) co_return *ended;
  }
  if (route_->shaping != nullptr && !route_->shaping->faults.empty()) {
    if (const std::optional<After> ended = co_await inject(*route_->shaping)) co_return *ended;
  }
  if (client_.major_version() == 2 && is_grpc(head)) {
    state_->facts.is_call = true;
    const http::Field* timeout = head.fields.find(Bytes("grpc-timeout"));
    const auto time = timeout != nullptr ? grpc_timeout(head.fields.value(*timeout)) : std::nullopt;
    if (time.has_value()) call_deadline_ = io::Deadline::at(state_->facts.began + *time);
  }
  if (const auto* forward_to = std::get_if<ForwardTo>(&route_->action)) {
    ListenerCell& cell = worker_.cell_of(client_.listener());
    cell.traffic.in_flight.add();
    if (route_->shaping != nullptr && route_->shaping->mirror.has_value()) begin_mirror(*route_->shaping->mirror);
    const After after = co_await forward(*forward_to);
    if (mirror_ != nullptr) end_mirror();
    cell.traffic.in_flight.subtract();
    co_return after;
  }
  if (const auto* redirect_to = std::get_if<RedirectTo>(&route_->action)) co_return co_await redirect(*redirect_to);
  if (const auto* files = std::get_if<std::shared_ptr<const StaticFiles>>(&route_->action)) {
    co_return co_await answer_files(**files);
  }
  const auto& fixed = std::get<FixedAnswer>(route_->action);
  co_return co_await answer_own(
      OwnAnswer{.status = fixed.status, .content_type = fixed.content_type, .body = fixed.body});
}

std::uint64_t Exchange::balance_key() const {
  const http::Fields& fields = state_->request.fields;
  const config::HashKey& key = group_->settings->hash_key;
  switch (key.kind) {
    case config::HashKeyKind::Path:
      return key_of(state_->request.path());
    case config::HashKeyKind::Header: {
      const http::Field* field = fields.find(Bytes(key.name));
      if (field != nullptr) return key_of(fields.value(*field));
      break;
    }
    case config::HashKeyKind::Cookie:
      if (const auto value = cookie_value(fields, key.name)) return key_of(*value);
      break;
    case config::HashKeyKind::Source:
      break;
  }
  return key_of({reinterpret_cast<const char*>(source_.data()), source_.size()});
}

// A body that came whole with its head is held, so that it goes out with the head in one call and can be sent again.
Reason Exchange::gather_small_body() {
  constexpr std::uint64_t held_max = 16 * kib;
  const http::RequestHead& head = state_->request;
  const std::size_t waiting = client_.body_bytes_waiting();
  if (head.framing == http::Framing::None || head.expects_continue || waiting == 0) return Reason::None;
  if (head.framing == http::Framing::Length && (head.content_length > held_max || head.content_length > waiting)) {
    return Reason::None;
  }
  if (head.framing == http::Framing::Chunked && waiting > held_max) return Reason::None;
  const http::Pulled pulled = state_->body->try_pull();
  if (pulled.state == http::PullState::Failed) {
    state_->facts.defect = pulled.defect;
    return Reason::RequestMalformed;
  }
  if (pulled.state == http::PullState::Data) {
    if (pulled.data.size() > listener_->settings->limits.body.value_or(UINT64_MAX)) return Reason::RequestTooLarge;
    state_->small_body.append(pulled.data);
    state_->facts.bytes_in += pulled.data.size();
  }
  return Reason::None;
}

// Whom the client belongs to goes first; then those that its address or header is hashed onto, or the algorithm's.
Exchange::Way Exchange::way() {
  const http::RequestHead& head = state_->request;
  const std::optional<config::Sticky>& sticky = group_->settings->sticky;
  if (sticky.has_value()) {
    if (const auto hash = sticky_hash(head, source_, *sticky)) {
      return {.balancer = group_->sticky_balancer, .key = *hash};
    }
    sticky_claim_ = sticky_claim(head, *sticky, group_->sticky_targets);
  }
  return {.balancer = group_->balancer,
          .key = group_->balancer.needs_key() ? balance_key() : 0,
          .owner = sticky_claim_ != nullptr
                       ? sticky_claim_->slot
                       : session_target(head, group_->settings->session_route, group_->session_routes)};
}

io::Task<After> Exchange::forward(const ForwardTo& forward_to) {
  const ForwardTo::Choice* choice = forward_to.pick(place_among_groups(forward_to));
  if (choice == nullptr) co_return co_await refuse(Reason::NoTarget);
  group_ = plan_->groups[choice->group_index].get();
  GroupCell& group_cell = worker_.cell_of(*group_->share);
  if (route_->shaping != nullptr) {
    if (const Reason reason = shape_request(*route_->shaping); reason != Reason::None) {
      co_return co_await refuse(reason);
    }
  }
  if (const Reason reason = gather_small_body(); reason != Reason::None) co_return co_await refuse(reason);
  group_cell.traffic.in_flight.add();

  const bool may_wait = group_->settings->target_requests_max != 0 && group_->settings->queue.length != 0;
  std::optional<Walk> walk;
  walk.emplace(worker_, *group_, way(), may_wait ? Walk::FullOwner::Awaited : Walk::FullOwner::PassedOver);
  Attempt last{.reason = Reason::NoTarget};
  bool same_target_again = false;  // a connection at rest had died: the target itself has not been asked yet
  bool in_budget = false;          // this attempt may double what a target had to do already
  while (true) {
    if (!same_target_again) {
      auto slot = walk->next(state_->facts.attempts != 0 ? Walk::Reserve::Allowed : Walk::Reserve::No);
      if (!slot.has_value() && may_wait && state_->facts.attempts == 0 && walk->found_full()) {
        slot = co_await wait_for_place(walk, last);
      } else if (!slot.has_value() && last.reason == Reason::NoTarget && walk->found_full()) {
        last.reason = Reason::TargetsFull;
      }
      if (!slot.has_value()) {
        if (state_->facts.attempts != 0) note().again = Again::NoTargetLeft;
        break;
      }
      walk_ = &*walk;
      target_ = group_->targets[*slot].get();
      target_slot_ = *slot;
    }
    ++state_->facts.attempts;
    AttemptNote& noted = note();
    noted = {.target = target_, .began = loop_.now()};
    if (in_budget) group_cell.retries_active.add();
    last = co_await try_target(same_target_again ? Fresh::Required : Fresh::Allowed);
    if (in_budget) group_cell.retries_active.subtract();
    noted.reason = last.answered ? state_->facts.reason : last.reason;
    if (last.answered) break;
    if (last.unwelcome) {
      noted.again = Again::NextTarget;
      same_target_again = false;
      in_budget = true;
      group_cell.retries.add();
      if (co_await pause(last)) continue;
      noted.again = last.reason == Reason::Stopped ? Again::Stopped : Again::ClientGone;
      break;
    }

    // A new connection of HTTP/2 is others' as well, and may have answered them before it was cut.
    if (same_target_again) last.was_stale = false;
    if (group_->judges) count_failure(last);
    same_target_again = last.was_stale;
    replayed_ = replayed_ || last.was_stale;
    noted.again = may_try_again(last);
    if (!is_again(noted.again)) break;
    // What could not connect, or was cut before a program of the target's showed itself, has cost no target anything;
    // attempts bound it.
    if (!last.was_stale && last.retry != Retry::Always && !last.unattended) {
      if (!budget_allows(group_cell, group_->settings->retries)) {
        noted.again = Again::Budget;
        group_cell.retries_refused.add();
        break;
      }
      in_budget = true;
    }
    if (last.was_stale) {
      group_cell.stale_replays.add();
    } else {
      group_cell.retries.add();
    }
  }
  group_cell.traffic.in_flight.subtract();
  count_sticky(last);
  if (last.answered) co_return last.after;
  state_->facts.defect = last.defect;
  state_->facts.defect_at = last.defect_at;
  co_return co_await refuse(last.reason);
}

Again Exchange::may_try_again(const Attempt& attempt) const {
  if (client_.was_cut()) return Again::ClientGone;
  if (client_.called_off()) return Again::Stopped;
  if (state_->facts.attempts >= attempts_max()) return Again::AttemptsUsed;
  if (attempt.retry == Retry::Never) return is_of_target(attempt.reason) ? Again::MayHaveActed : Again::None;
  // What has been pulled from the client and not been held cannot be sent again.
  if (goes_once_) return Again::BodySent;
  if (attempt.retry != Retry::Always && !state_->request.is_idempotent()) return Again::NotIdempotent;
  return attempt.was_stale ? Again::SameTarget : Again::NextTarget;
}

io::Task<bool> Exchange::pause(Attempt& last) {
  if (last.pause.count() > 0) co_await io::Sleep(loop_.after(last.pause));
  if (client_.was_cut()) last.reason = Reason::ClientGone;
  if (client_.called_off()) last.reason = Reason::Stopped;
  co_return last.reason == Reason::None;
}

void Exchange::count_and_log() {
  ExchangeFacts& facts = state_->facts;
  if (facts.is_call && !facts.call_status.has_value()) {
    facts.call_status = status_of_call(facts.reason, facts.status);
  }
  const Finished finished{
      .status = facts.status,
      .call = facts.call_status,
      .bytes_in = facts.bytes_in,
      .bytes_out = facts.bytes_out,
      .took = std::chrono::duration_cast<std::chrono::microseconds>(loop_.now() - facts.began),
  };
  ListenerCell& listener_cell = worker_.cell_of(client_.listener());
  listener_cell.traffic.finished(finished);
  const auto reason = static_cast<std::size_t>(facts.reason);
  note_flaws();
  if (facts.reason == Reason::RequestMalformed) listener_cell.defects[static_cast<std::size_t>(facts.defect)].add();
  if (facts.request_oddity.defect != http::Defect::None) {
    listener_cell.defects_passed[static_cast<std::size_t>(facts.request_oddity.defect)].add();
  }
  if (facts.reason != Reason::None) listener_cell.errors[reason].add();
  if (group_ != nullptr) {
    GroupCell& group_cell = worker_.cell_of(*group_->share);
    group_cell.traffic.finished(finished);
    if (facts.reason != Reason::None) group_cell.errors[reason].add();
    if (facts.defect != http::Defect::None && facts.reason != Reason::RequestMalformed) {
      group_cell.defects[static_cast<std::size_t>(facts.defect)].add();
    }
    if (facts.response_oddity.defect != http::Defect::None) {
      group_cell.defects_passed[static_cast<std::size_t>(facts.response_oddity.defect)].add();
    }
  }
  if (target_ != nullptr) {
    worker_.cell_of(*target_).traffic.finished(finished);
    if (facts.header_took.count() >= 0) {
      worker_.local_of(*target_).latency.observe(
          std::chrono::duration_cast<std::chrono::microseconds>(facts.header_took), loop_.now());
    }
  }
  if (listener_->settings->access_log && worker_.access_log().is_on()) log();
  if ((facts.reason != Reason::None || is_slow()) && worker_.records().is_on()) keep_record();
}

Bytes Exchange::request_id() const {
  if (is_parsed()) return request_id_of(*state_, is_trusted(client_.peer().bytes, *listener_->settings));
  return {state_->request_id.data(), state_->request_id.size()};
}

void Exchange::note_flaws() {
  ExchangeFacts& facts = state_->facts;
  const http::Body* body = state_->body;
  if (facts.reason == Reason::RequestMalformed) {
    facts.request_oddity = {};
    if (facts.defect_at.has_value() || body == nullptr) return;
    const auto at = body->broken_at();
    if (at.has_value()) facts.defect_at = facts.head_bytes + *at;
    return;
  }
  if (body == nullptr || state_->request.framing != http::Framing::Chunked) return;
  if (facts.request_oddity.defect != http::Defect::None) return;
  facts.request_oddity = body->oddity();
  facts.request_oddity.offset += facts.head_bytes;
}

void Exchange::log() {
  const ExchangeFacts& facts = state_->facts;
  const http::RequestHead& head = state_->request;
  const auto us = [](io::Duration duration) {
    return duration.count() < 0 ? -1 : std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  };
  const std::string client = source_ == client_.peer().bytes ? client_.peer_text() : io::Peer{source_}.host();
  const std::string proxy = client_.told() != nullptr ? client_.told()->proxy.host() : std::string();
  AccessRecord record{
      .at = std::chrono::system_clock::now(),
      .listener = listener_->settings->name,
      .client = client,
      .proxy = proxy,
      .major_version = client_.major_version(),
      .status = facts.status,
      .grpc_status = facts.call_status.has_value() ? to_string(*facts.call_status) : Bytes(),
      .reason = to_string(facts.reason),
      .defect = facts.defect == http::Defect::None ? Bytes() : http::to_string(facts.defect),
      .defect_class = to_string(http::class_of(facts.defect)),
      .defect_at = facts.defect_at,
      .request_oddity = facts.request_oddity,
      .response_oddity = facts.response_oddity,
      .rule = route_ != nullptr ? Bytes(route_->name) : Bytes(),
      .user = state_->user,
      .auth_fault = state_->auth_fault,
      .limit = state_->limit_name,
      .fault = state_->fault,
      .group = group_ != nullptr ? Bytes(group_->settings->name) : Bytes(),
      .target_name = target_ != nullptr ? Bytes(target_->name) : Bytes(),
      .attempts = facts.attempts,
      .bytes_in = facts.bytes_in,
      .bytes_out = facts.bytes_out,
      .duration_us = us(loop_.now() - facts.began),
      .queue_us = us(facts.queued),
      .connect_us = us(facts.connect_took),
      .header_us = us(facts.header_took),
  };
  if (const tls::Stream* secure = client_.secure(); secure != nullptr) {
    record.tls_version = secure->version();
    record.tls_cipher = secure->cipher();
    record.sni = secure->server_name();
  }
  record.request_id = request_id();
  if (is_parsed()) {
    record.method = head.method();
    record.host = head.authority();
    record.target = head.target();
    record.path = head.path();
    record.query = head.query();
    record.minor_version = head.minor_version;
    record.user_agent = head.fields.value_or_empty(http::HeaderId::UserAgent);
    record.referer = head.fields.value_or_empty(http::HeaderId::Referer);
  }
  worker_.access_log().write(record);
}

}  // namespace ballast::traffic
