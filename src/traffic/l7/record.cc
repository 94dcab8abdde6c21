// What is kept of a request that failed or was slow, for `ballast explain`.
#include <algorithm>

#include <fmt/format.h>

#include "io/loop.h"
#include "traffic/explain/rings.h"
#include "traffic/l7/exchange.h"
#include "traffic/l7/request_out.h"

namespace ballast::traffic {

bool Exchange::is_slow() const {
  const config::Milliseconds limit = plan_->explain.slow_after;
  return limit.count() != 0 && state_->facts.answered_after >= limit;
}

void Exchange::keep_record() {
  using Text = ExplainRecord::Text;
  const ExchangeFacts& facts = state_->facts;
  const http::RequestHead& head = state_->request;
  const config::Listener& listener = *listener_->settings;
  auto record = std::make_shared<ExplainRecord>();
  record->cause = facts.reason;
  record->slow = is_slow();
  record->at = std::chrono::system_clock::now();
  record->status = facts.status;
  record->call_status = facts.call_status;
  record->defect = facts.defect;
  record->defect_at = facts.defect_at;
  record->bytes_in = facts.bytes_in;
  record->bytes_out = facts.bytes_out;
  record->took = loop_.now() - facts.began;
  record->queued = facts.queued;
  record->body_took = facts.body_took;
  record->answered = facts.answered_after;
  record->put(Text::Id, request_id());
  record->put(Text::Listener, listener.name);
  record->put(Text::Client, source_ == client_.peer().bytes ? client_.peer_text() : io::Peer{source_}.host());
  if (client_.told() != nullptr) record->put(Text::Proxy, client_.told()->proxy.host());
  record->put(Text::Protocol, client_.major_version() == 2             ? "h2"
                              : is_parsed() && head.minor_version == 0 ? "http/1.0"
                                                                       : "http/1.1");
  if (is_parsed()) {
    record->put(Text::Method, head.method());
    record->put(Text::Host, head.authority());
    record->put(Text::Path, head.path());
    // Nothing is kept that this listener's log is not to have.
    if (listener.access_log) record->put(Text::Query, head.query());
    const Bytes rewritten = state_->rewritten;
    record->put(Text::Rewritten, listener.access_log ? rewritten : rewritten.substr(0, rewritten.find('?')));
  }
  record->put(Text::User, state_->user);
  if (route_ != nullptr) record->put(Text::Rule, route_->name);
  if (group_ != nullptr) record->put(Text::Group, group_->settings->name);
  if (const tls::Stream* secure = client_.secure(); secure != nullptr) record->put(Text::Sni, secure->server_name());
  if (!state_->trouble.empty()) {
    record->put(Text::Detail, state_->trouble);
  } else if (!state_->fault.empty()) {
    record->put(Text::Detail, fmt::format("by the rule's fault, on purpose: {}", state_->fault));
  } else if (!state_->limit_name.empty()) {
    record->put(Text::Detail, state_->limit_name);
  } else if (!state_->auth_fault.empty()) {
    record->put(Text::Detail, state_->auth_fault);
  } else if (facts.reason == Reason::NoTarget || facts.reason == Reason::TargetsFull ||
             facts.reason == Reason::QueueFull || facts.reason == Reason::QueueTimeout) {
    record->put(Text::Detail, describe_group());
  }
  const auto noted = std::min(static_cast<std::size_t>(facts.attempts), attempts_noted_max);
  for (std::size_t i = 0; i < noted; ++i) record->put(state_->notes[i], facts.asked);
  if (facts.reason != Reason::None) {
    worker_.records().put_error(std::move(record));
  } else {
    const std::size_t rule = route_ != nullptr ? route_->index : 0;
    worker_.records().put_slow(client_.listener().slot * 31 + rule, std::move(record));
  }
}

std::string Exchange::describe_group() const {
  if (group_ == nullptr) return "the rule's groups all have the weight 0";
  const std::size_t all = group_->targets.size();
  const auto taking = static_cast<std::size_t>(std::ranges::count(group_->in_balancer, true));
  return fmt::format("{} of the {} targets of \"{}\" take requests", taking, all, group_->settings->name);
}

}  // namespace ballast::traffic
