#include "traffic/l7/mirror.h"

#include "io/loop.h"
#include "traffic/balance/hash.h"
#include "traffic/connect.h"
#include "traffic/l7/exchange.h"
#include "traffic/l7/http1_upstream.h"
#include "traffic/l7/http2_upstream.h"
#include "traffic/l7/request_out.h"
#include "traffic/route/shaping.h"
#include "wire/http/bytes_body.h"

namespace ballast::traffic {
namespace {

// Says to the other group's programs that nobody waits for their answer.
constexpr Bytes mark_name = "X-Ballast-Mirror";

// How a copy ended, other than with an answer.
Reason reason_of(const Error& error) {
  switch (error.code()) {
    case Code::Cancelled:
      return Reason::Stopped;
    case Code::TimedOut:
      return Reason::TargetTimeout;
    case Code::Malformed:
      return Reason::TargetMalformed;
    case Code::Closed:
      return Reason::TargetClosed;
    default:
      return Reason::TargetReset;
  }
}

struct MirrorAnswer {
  int status = 0;
  std::uint64_t bytes = 0;
};

io::Task<Result<>> read_away(http::Body& body, std::uint64_t& bytes, io::Deadline deadline) {
  while (true) {
    const http::Pulled pulled = body.try_pull();
    switch (pulled.state) {
      case http::PullState::End:
        co_return Result<>();
      case http::PullState::Failed:
        co_return fail(pulled.code);
      case http::PullState::Data:
        bytes += pulled.data.size();
        // One that sends without end is read no further than its time.
        if (deadline.passed(io::Clock::now())) co_return fail(Code::TimedOut);
        continue;
      case http::PullState::WouldBlock:
        break;
    }
    if (const io::Wake wake = co_await body.until_ready(deadline); wake != io::Wake::Event) {
      co_return fail(io::error_of(wake));
    }
  }
}

io::Task<Result<>> receive_head(Upstream& upstream, ExchangeState& state, const config::TargetGroup& group,
                                io::Deadline deadline) {
  constexpr int interim_max = 32;
  for (int interims = 0;;) {
    const HeadStep step = upstream.try_head(state, head_limits(group));
    if (step.kind == HeadStep::Kind::Malformed) co_return fail(Code::Malformed);
    if (step.kind == HeadStep::Kind::Lost) co_return fail(step.code);
    if (step.kind == HeadStep::Kind::Complete) {
      if (state.response.status >= 200) co_return Result<>();
      if (++interims > interim_max || state.response.status == 101) co_return fail(Code::Malformed);
      upstream.skip_head(state);
      continue;
    }
    if (const io::Wake wake = co_await upstream.until_head(deadline); wake != io::Wake::Event) {
      co_return fail(io::error_of(wake));
    }
  }
}

io::Task<Result<std::unique_ptr<Upstream>>> reach(Worker& worker, const MirroredRequest& request, TargetShare& target) {
  const PlanGroup& group = *request.group;
  TargetCell& cell = worker.cell_of(target);
  if (config::is_http2(group.settings->protocol)) {
    auto connection = worker.http2_pool_of(target).take(Http2Pool::Fresh::Allowed,
                                                        {.plan = request.plan, .group = group, .target = target});
    if (connection == nullptr) co_return fail(Code::Exhausted);
    co_return std::make_unique<Http2Upstream>(std::move(connection));
  }
  UpstreamPool& pool = worker.pool_of(target);
  // Nothing is tried again, so that a connection at rest has to be sure.
  auto upstream = pool.take(UpstreamPool::Certainty::Asked,
                            group.tls != nullptr ? worker.own(group.tls->by_worker).get() : nullptr);
  if (upstream != nullptr) co_return upstream;
  cell.connects.add();
  const io::Deadline deadline = worker.loop().after(group.settings->timeouts.connect);
  auto stream = co_await connect_target(worker, {}, group, target, deadline);
  if (!stream) {
    cell.connect_failures.add();
    co_return fail(std::move(stream.error()));
  }
  co_return std::make_unique<Http1Upstream>(worker.pool_of(target), std::move(*stream));
}

// The Error's code tells how it failed, on a connection that stood.
io::Task<Result<>> ask(Worker& worker, const MirroredRequest& request, std::unique_ptr<Upstream>& upstream,
                       MirrorAnswer& answer) {
  const config::TargetGroup& settings = *request.group->settings;
  io::Loop& loop = worker.loop();
  const ExchangePool::Lease state = worker.exchanges().take();
  state->request.is_head = request.method == "HEAD";
  std::vector<http::FieldLine>& lines = state->lines;
  lines.clear();
  for (const auto& [name, value] : request.lines) lines.push_back({name, value});
  UpstreamRequest out{.head = {.method = request.method, .target = request.target, .lines = lines}};
  if (request.has_body) out.framing = {.framing = http::Framing::Length, .length = request.body.size()};
  out.body_is_whole = request.body.empty();
  if (Result<> sent = co_await upstream->send(*state, out, settings.timeouts.idle); !sent) co_return sent;
  if (!request.body.empty()) {
    Buffer buffer;
    http::BytesBody body(request.body);
    const http::RelayLimits limits{.source_idle = settings.timeouts.idle, .sink_idle = settings.timeouts.idle};
    const http::RelayResult sent = co_await upstream->upload(buffer, body, http::Framing::Length, limits);
    if (sent.end != http::RelayEnd::Done) {
      co_return fail(sent.end == http::RelayEnd::Cancelled ? Code::Cancelled : Code::Reset);
    }
  }
  if (Result<> head = co_await receive_head(*upstream, *state, settings, loop.after(settings.timeouts.header)); !head) {
    co_return head;
  }
  const http::ResponseHead& response = state->response;
  answer.status = response.status;
  const bool stays = response.keep_alive && response.framing != http::Framing::UntilClose;
  http::Body& body = upstream->body(*state);
  if (Result<> read = co_await read_away(body, answer.bytes, loop.after(settings.timeouts.header)); !read) {
    co_return read;
  }
  Upstream& self = *upstream;
  self.finish(std::move(upstream), stays ? Upstream::Use::Reuse : Upstream::Use::Close, settings.pool);
  co_return Result<>();
}

}  // namespace

http::Pulled MirrorCopy::try_pull() {
  const http::Pulled pulled = body_.try_pull();
  if (pulled.state != http::PullState::Data || too_large_) return pulled;
  if (text_.size() + pulled.data.size() > bytes_max_) {
    too_large_ = true;
    text_ = std::string();
  } else {
    text_ += pulled.data;
  }
  return pulled;
}

io::Task<void> send_mirrored(Worker& worker, std::unique_ptr<MirroredRequest> request) {
  const PlanGroup& group = *request->group;
  const std::shared_ptr<TargetShare> target = group.targets[request->slot];
  GroupCell& group_cell = worker.cell_of(*group.share);
  TargetCell& target_cell = worker.cell_of(*target);
  const TargetUse use(worker.local_of(*target).uses, co_await io::this_strand());
  const io::Instant began = worker.loop().now();
  group_cell.traffic.in_flight.add();
  target_cell.traffic.in_flight.add();
  MirrorAnswer answer;
  Reason reason = Reason::None;
  Result<std::unique_ptr<Upstream>> upstream = co_await reach(worker, *request, *target);
  if (!upstream) {
    reason =
        upstream.error().code() == Code::Exhausted ? Reason::TargetsFull : reason_of_connect(upstream.error().code());
  } else if (const Result<> done = co_await ask(worker, *request, *upstream, answer); !done) {
    reason = answer.status != 0 ? Reason::BodyCut : reason_of(done.error());
  }
  group_cell.traffic.in_flight.subtract();
  target_cell.traffic.in_flight.subtract();
  const Finished finished{.status = answer.status,
                          .bytes_in = request->body.size(),
                          .bytes_out = answer.bytes,
                          .took = std::chrono::duration_cast<std::chrono::microseconds>(worker.loop().now() - began)};
  group_cell.traffic.finished(finished);
  target_cell.traffic.finished(finished);
  if (reason != Reason::None) group_cell.errors[static_cast<std::size_t>(reason)].add();
  const MirrorDone done = reason == Reason::None ? MirrorDone::Answered : MirrorDone::Failed;
  worker.cell_of(*request->listener).mirrors[static_cast<std::size_t>(done)].add();
}

void Exchange::begin_mirror(const MirrorTo& mirror) {
  if (!is_drawn(mirror.settings.percent, worker_.random())) return;
  const http::RequestHead& head = state_->request;
  auto& counters = worker_.cell_of(client_.listener()).mirrors;
  const auto skip = [&counters](MirrorDone done) { counters[static_cast<std::size_t>(done)].add(); };
  if (head.framing == http::Framing::Length && head.content_length > mirror.settings.body_bytes_max) {
    return skip(MirrorDone::TooLarge);
  }
  // A tunnel has no answer, and a call may have none for as long as it likes.
  if (head.wants_upgrade || state_->facts.is_call) return skip(MirrorDone::Unfinished);
  if (worker_.mirroring() >= MirrorPlace::places_max) return skip(MirrorDone::OverLimit);
  mirror_ = std::make_unique<MirrorCopy>(*state_->body, mirror.group_index, mirror.settings.body_bytes_max,
                                         MirrorPlace(worker_.mirroring()));
  state_->body = mirror_.get();
}

void Exchange::end_mirror() {
  auto& counters = worker_.cell_of(client_.listener()).mirrors;
  const auto skip = [&counters](MirrorDone done) { counters[static_cast<std::size_t>(done)].add(); };
  // From here on its place is the copy's, or free.
  MirrorPlace place = mirror_->take_place();
  if (mirror_->is_too_large()) return skip(MirrorDone::TooLarge);
  const Reason reason = state_->facts.reason;
  const bool is_refused =
      reason == Reason::RewriteRefused || reason == Reason::HeaderTooLong || reason == Reason::RequestMalformed;
  if (!mirror_->ended() || is_refused || worker_.is_draining()) return skip(MirrorDone::Unfinished);
  const PlanGroup& group = *plan_->groups[mirror_->group_index()];
  const auto loads = [&](std::uint32_t slot) {
    TargetShare& target = *group.targets[slot];
    return Load{static_cast<std::uint32_t>(worker_.cell_of(target).traffic.in_flight.get()),
                worker_.local_of(target).latency.at(loop_.now())};
  };
  Picker picker(group.balancer, key_of({reinterpret_cast<const char*>(source_.data()), source_.size()}));
  const auto slot = picker.next(worker_.state_of(*group.share), loads);
  if (!slot.has_value()) {
    worker_.cell_of(*group.share).errors[static_cast<std::size_t>(Reason::NoTarget)].add();
    return skip(MirrorDone::Failed);
  }
  const Shaping& shaping = *route_->shaping;
  const http::OutgoingRequest head = request_head({.state = *state_,
                                                   .client = client_,
                                                   .listener = *listener_,
                                                   .group = *group.settings,
                                                   .target = *group.targets[*slot],
                                                   .group_cookie = group_cookie(),
                                                   .edits = shaping.request.empty() ? nullptr : &shaping.request});
  auto request = std::make_unique<MirroredRequest>(MirroredRequest{.plan = plan_,
                                                                   .listener = client_.listener_share(),
                                                                   .group = &group,
                                                                   .slot = *slot,
                                                                   .place = std::move(place),
                                                                   .method = std::string(head.method),
                                                                   .target = std::string(head.target),
                                                                   .lines = {},
                                                                   .body = mirror_->take_text(),
                                                                   .has_body = false});
  request->has_body = state_->request.framing != http::Framing::None;
  for (const http::FieldLine& line : head.lines) request->lines.emplace_back(line.name, line.value);
  request->lines.emplace_back(mark_name, "1");
  worker_.mirrors().spawn(send_mirrored(worker_, std::move(request)));
}

}  // namespace ballast::traffic
