// Forward authentication: the question to the service about one request, and its whole answer. Nothing of the request's
// body is part of it. Whatever goes wrong is an Error, which its caller takes for a no.
#include <algorithm>

#include <fmt/format.h>

#include "io/loop.h"
#include "io/tcp.h"
#include "traffic/auth/guard.h"
#include "traffic/balance/hash.h"
#include "traffic/connect.h"
#include "traffic/l7/exchange.h"
#include "traffic/l7/http1_upstream.h"
#include "traffic/l7/request_out.h"
#include "traffic/outlier/failure.h"
#include "wire/http/hop_by_hop.h"
#include "wire/http/list.h"

namespace ballast::traffic {
namespace {

// A page that asks for a login fits; more is no answer to this question.
constexpr std::size_t answer_body_bytes_max = 64 * kib;

std::vector<auth::HeaderValue> end_to_end(const http::ResponseHead& response) {
  const http::HopByHop hop_by_hop(response.fields);
  std::vector<auth::HeaderValue> headers;
  for (const http::Field& field : response.fields) {
    if (field.id == http::HeaderId::ContentLength || hop_by_hop.contains(field)) continue;
    headers.push_back({std::string(response.fields.name(field)), std::string(response.fields.value(field))});
  }
  return headers;
}

io::Task<Result<std::string>> read_whole(http::Body& body, io::Deadline deadline) {
  std::string text;
  while (true) {
    const http::Pulled pulled = body.try_pull();
    switch (pulled.state) {
      case http::PullState::End:
        co_return text;
      case http::PullState::Failed:
        co_return fail(pulled.code);
      case http::PullState::Data:
        if (text.size() + pulled.data.size() > answer_body_bytes_max) co_return fail(Code::TooLarge);
        text += pulled.data;
        continue;
      case http::PullState::WouldBlock:
        break;
    }
    if (const io::Wake wake = co_await body.until_ready(deadline); wake != io::Wake::Event) {
      co_return fail(io::error_of(wake));
    }
  }
}

}  // namespace

// The head's values stand in `question`, in the Exchange's own state and in `uri`.
http::OutgoingRequest Exchange::question_head(const auth::ForwardGuard& guard, const PlanGroup& group,
                                              const TargetShare& target, ExchangeState& question,
                                              std::string& uri) const {
  const http::RequestHead& head = state_->request;
  const http::HopByHop hop_by_hop(head.fields);
  uri = head.path();
  if (head.has_query()) uri += fmt::format("?{}", head.query());
  question.forwarded_for = source_ == client_.peer().bytes ? client_.peer_text() : io::Peer{source_}.host();
  auto& lines = question.lines;
  lines.clear();
  const bool passes_host = group.settings->pass_host && !head.authority().empty();
  lines.push_back({"Host", passes_host ? head.authority() : host_of(target)});
  lines.push_back({"X-Forwarded-Method", head.method()});
  lines.push_back({"X-Forwarded-Proto", "http"});
  if (!head.authority().empty()) lines.push_back({"X-Forwarded-Host", head.authority()});
  lines.push_back({"X-Forwarded-Uri", uri});
  lines.push_back({"X-Forwarded-For", question.forwarded_for});
  lines.push_back({"X-Request-Id", request_id_of(*state_, is_trusted(client_.peer().bytes, *listener_->settings))});
  const std::size_t own_count = lines.size();
  for (const http::Field& field : head.fields) {
    const Bytes name = head.fields.name(field);
    const auto is_own = [&] {
      return std::any_of(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(own_count),
                         [&](const http::FieldLine& line) { return auth::is_same_header(line.name, name); });
    };
    const bool is_wanted = std::ranges::any_of(guard.settings.request_headers,
                                               [&](const std::string& wanted) { return http::iequals(wanted, name); });
    if (is_wanted && !hop_by_hop.contains(field) && !is_own()) lines.push_back({name, head.fields.value(field)});
  }
  return {.method = "GET", .target = guard.settings.path, .lines = lines};
}

io::Task<Result<Exchange::ServiceAnswer>> Exchange::ask_service(const auth::ForwardGuard& guard) {
  const PlanGroup& group = *plan_->groups[guard.group_index];
  const io::Deadline deadline = loop_.after(guard.settings.timeout);
  GroupCell& cell = worker_.cell_of(*group.share);
  const auto loads = [&](std::uint32_t slot) {
    TargetShare& target = *group.targets[slot];
    return Load{static_cast<std::uint32_t>(worker_.cell_of(target).traffic.in_flight.get()),
                worker_.local_of(target).latency.at(loop_.now())};
  };
  client_.watch();  // a client that goes away meanwhile ends the waiting
  cell.traffic.in_flight.add();
  const io::Instant began = loop_.now();
  Picker picker(group.balancer, key_of({reinterpret_cast<const char*>(source_.data()), source_.size()}));
  Result<ServiceAnswer> answer = fail(Code::Unreachable);
  // A GET: it may be asked again, of whom it has not been asked yet.
  for (int attempts = 0; attempts < group.settings->retries.attempts; ++attempts) {
    const auto slot = picker.next(worker_.state_of(*group.share), loads);
    if (!slot.has_value()) break;
    TargetShare& target = *group.targets[*slot];
    answer = co_await ask_target(guard, group, target, Fresh::Allowed, deadline);
    const bool was_stale = !answer && answer.error().retry() == Retry::IfReused;
    if (was_stale) answer = co_await ask_target(guard, group, target, Fresh::Required, deadline);
    // What is left of the time when others have used it up is no measure of the last.
    const bool is_late = !answer && answer.error().code() == Code::TimedOut;
    if (group.judges && !client_.was_cut() && (!is_late || attempts == 0)) count_service(target, answer);
    if (answer || client_.was_cut() || client_.called_off() || deadline.passed(loop_.now())) break;
  }
  cell.traffic.in_flight.subtract();
  cell.traffic.finished({.status = answer ? answer->status : 0,
                         .bytes_out = answer ? answer->body.size() : 0,
                         .took = std::chrono::duration_cast<std::chrono::microseconds>(loop_.now() - began)});
  co_return answer;
}

void Exchange::count_service(TargetShare& target, const Result<ServiceAnswer>& answer) {
  OutcomeCell& cell = worker_.cell_of(target).outcomes;
  if (!answer) {
    const Code code = answer.error().code();
    if (outlier::is_of_this_machine(code)) return;
    return cell.failed(outlier::failure_of(code == Code::Refused     ? Reason::ConnectRefused
                                           : code == Code::TimedOut  ? Reason::TargetTimeout
                                           : code == Code::Malformed ? Reason::TargetMalformed
                                           : code == Code::Closed    ? Reason::TargetClosed
                                                                     : Reason::TargetReset));
  }
  switch (outlier::answer_of(answer->status)) {
    case outlier::Answer::Gateway:
      return cell.failed(outlier::failure_of(answer->status));
    case outlier::Answer::ServerError:
      cell.server_errors.add();
      break;
    case outlier::Answer::Good:
      break;
  }
  cell.run.answered();
}

io::Task<Result<Exchange::ServiceAnswer>> Exchange::ask_target(const auth::ForwardGuard& guard, const PlanGroup& group,
                                                               TargetShare& target, Fresh fresh,
                                                               io::Deadline deadline) {
  TargetCell& cell = worker_.cell_of(target);
  UpstreamPool& pool = worker_.pool_of(target);
  const TargetUse use(worker_.local_of(target).uses, co_await io::this_strand());
  cell.traffic.in_flight.add();
  std::unique_ptr<Upstream> upstream;
  if (fresh == Fresh::Allowed) {
    upstream = pool.take(UpstreamPool::Certainty::Likely,
                         group.tls != nullptr ? worker_.own(group.tls->by_worker).get() : nullptr);
  }
  if (upstream == nullptr) {
    cell.connects.add();
    const io::Deadline connect_by = earlier(deadline, loop_.after(group.settings->timeouts.connect));
    auto stream = co_await connect_target(worker_, {}, group, target, connect_by);
    if (!stream) {
      cell.connect_failures.add();
      cell.traffic.in_flight.subtract();
      co_return fail(std::move(stream.error()));
    }
    upstream = std::make_unique<Http1Upstream>(pool, std::move(*stream));
  }
  const ExchangePool::Lease question = worker_.exchanges().take();
  const bool was_reused = upstream->is_reused();
  Result<ServiceAnswer> answer = co_await question_and_answer(guard, group, target, *question, upstream, deadline);
  cell.traffic.in_flight.subtract();
  if (!answer) {
    const bool was_stale = was_reused && answer.error().retry() != Retry::Never;
    answer = fail(std::move(answer.error()).safe_to_retry(was_stale ? Retry::IfReused : Retry::Never));
  }
  co_return answer;
}

io::Task<Result<Exchange::ServiceAnswer>> Exchange::question_and_answer(
    const auth::ForwardGuard& guard, const PlanGroup& group, const TargetShare& target, ExchangeState& question,
    std::unique_ptr<Upstream>& upstream, io::Deadline deadline) {
  constexpr int interim_max = 32;
  std::string uri;
  question.request.is_head = false;  // of whatever it was used for before
  const UpstreamRequest request{.head = question_head(guard, group, target, question, uri)};
  const io::Duration patience = guard.settings.timeout;
  if (Result<> sent = co_await upstream->send(question, request, patience); !sent) {
    co_return fail(std::move(sent.error()));
  }
  for (int interims = 0;;) {
    const HeadStep step = upstream->try_head(question, head_limits(*group.settings));
    if (step.kind == HeadStep::Kind::Malformed) co_return fail(Code::Malformed);
    if (step.kind == HeadStep::Kind::Lost) {
      co_return fail(Error(step.code).safe_to_retry(step.began ? Retry::Never : Retry::IfReused));
    }
    if (step.kind == HeadStep::Kind::Complete) {
      if (question.response.status >= 200) break;
      if (++interims > interim_max || question.response.status == 101) co_return fail(Code::Malformed);
      upstream->skip_head(question);
      continue;
    }
    if (const io::Wake wake = co_await upstream->until_head(deadline); wake != io::Wake::Event) {
      co_return fail(io::error_of(wake));
    }
  }
  const http::ResponseHead& response = question.response;
  ServiceAnswer answer{.status = response.status, .headers = end_to_end(response), .body = {}};
  const bool stays = response.keep_alive && response.framing != http::Framing::UntilClose;
  http::Body& body = upstream->body(question);
  Result<std::string> text = co_await read_whole(body, deadline);
  if (!text) co_return fail(std::move(text.error()).safe_to_retry(Retry::Never));
  answer.body = std::move(*text);
  Upstream& self = *upstream;
  self.finish(std::move(upstream), stays ? Upstream::Use::Reuse : Upstream::Use::Close, group.settings->pool);
  co_return answer;
}

}  // namespace ballast::traffic
