#include "traffic/control/group_keeper.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "io/loop.h"
#include "traffic/connect.h"
#include "traffic/control/defect_counts.h"
#include "traffic/control/group_entry.h"
#include "traffic/control/probe.h"
#include "traffic/health/height.h"

namespace ballast::traffic {

namespace {

// How often a draining target's requests are counted.
constexpr auto drain_look = std::chrono::milliseconds(200);
// A lookup that failed is tried again so soon; while the name has no address at all, sooner.
constexpr auto lookup_retry = std::chrono::seconds(5);
constexpr auto first_lookup_retry = std::chrono::seconds(1);
constexpr auto lookup_time_max = std::chrono::seconds(5);

}  // namespace

GroupKeeper::GroupKeeper(Context context, std::string name, const SavedGroup* before)
    : context_(std::move(context)),
      share_(std::make_shared<GroupShare>(std::move(name), context_.workers)),
      before_(before != nullptr ? std::make_unique<const SavedGroup>(*before) : nullptr),
      random_(identity_of(share_->name)),
      scope_(context_.loop) {}

void GroupKeeper::configure(std::shared_ptr<const config::TargetGroup> settings, bool in_use,
                            std::shared_ptr<const GroupContexts> contexts) {
  settings_ = std::move(settings);
  contexts_ = std::move(contexts);
  in_use_ = in_use;
  removed_ = false;
  std::vector<std::shared_ptr<Name>> names;
  for (const config::Target& target : settings_->targets) {
    if (target.address.is_unix() || io::SocketAddress::numeric(target.address.host, 0)) continue;
    const auto same = [&](const auto& each) {
      return each->host == target.address.host && each->port == target.address.port;
    };
    if (std::any_of(names.begin(), names.end(), same)) continue;
    const auto known = std::find_if(names_.begin(), names_.end(), same);
    if (known != names_.end()) {
      names.push_back(*known);
      continue;
    }
    names.push_back(std::make_shared<Name>(Name{.host = target.address.host, .port = target.address.port}));
    restore(*names.back());
    scope_.spawn(look_up(names.back()));
  }
  for (const auto& name : names_) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    name->gone = true;
    if (name->asleep) name->strand->interrupt();
  }
  names_ = std::move(names);
  sync_entries();
  configure_outliers();
  before_.reset();
}

void GroupKeeper::remove() {
  auto none = std::make_shared<config::TargetGroup>(*settings_);
  none->targets.clear();
  configure(std::move(none), in_use_, contexts_);
  removed_ = true;
}

void GroupKeeper::sync_entries() {
  const HealthTime now = context_.loop.now();
  std::vector<std::pair<config::Target, std::optional<io::SocketAddress>>> wanted;
  for (const config::Target& target : settings_->targets) {
    if (target.address.is_unix()) {
      if (auto address = io::SocketAddress::unix_path(target.address.unix_path)) wanted.emplace_back(target, *address);
    } else if (auto numeric = io::SocketAddress::numeric(target.address.host, target.address.port)) {
      wanted.emplace_back(target, *numeric);
    } else {
      for (const auto& name : names_) {
        if (name->host != target.address.host || name->port != target.address.port) continue;
        for (const io::SocketAddress& address : name->addresses) wanted.emplace_back(target, address);
        if (name->addresses.empty()) wanted.emplace_back(target, std::nullopt);
      }
    }
  }
  const auto entries = entries_;
  for (const EntryPointer& entry : entries) {
    const auto match = std::find_if(wanted.begin(), wanted.end(), [&](const auto& each) {
      // One of another protocol is another target: no connection of the old one may serve it.
      return each.second == entry->address && each.first.address == entry->target.address &&
             entry->protocol == settings_->protocol;
    });
    if (match != wanted.end()) {
      entry->target = match->first;
      entry->deregister_by.reset();
      wanted.erase(match);
    } else if (!entry->address.has_value()) {
      entry->gone = true;
      std::erase(entries_, entry);
    } else if (!entry->deregister_by.has_value()) {
      entry->deregister_by = now + settings_->deregistration_delay;
    }
  }
  for (const auto& [target, address] : wanted) add_entry(target, address);
  look_again();
}

void GroupKeeper::add_entry(const config::Target& target, std::optional<io::SocketAddress> address) {
  auto entry = std::make_shared<Entry>();
  entry->target = target;
  entry->configured = target.address.to_string();
  entry->protocol = settings_->protocol;
  entry->address = address;
  entry->record.since = context_.loop.now();
  entry->state_since = std::chrono::system_clock::now();
  if (address.has_value()) {
    const std::string numeric = target.address.same_port ? address->host() : address->to_string();
    const std::string name =
        numeric == entry->configured ? numeric : fmt::format("{} ({})", entry->configured, numeric);
    entry->share = std::make_shared<TargetShare>(TargetShare::Naming{.name = name, .host = target.address.host},
                                                 *address, context_.workers);
  }
  restore(*entry);
  entries_.push_back(entry);
  if (address.has_value()) {
    scope_.spawn(watch(entry));
  } else {
    take(entry, Seen{.kind = Seen::Kind::NameNotResolved,
                     .reason = model::TargetReason::NameNotResolved,
                     .words = fmt::format("{} has no address yet", target.address.host)});
  }
}

// Decides anew for all: settings, overrides or addresses have changed.
void GroupKeeper::look_again() {
  const auto entries = entries_;
  for (const EntryPointer& entry : entries) {
    // Whether a removed target has ended is for its own strand to say, after the workers have the Plan without it.
    if (entry->address.has_value()) take(entry, Seen{.in_flight = std::max<std::uint64_t>(in_flight(*entry), 1)});
    entry->wake();
  }
  context_.changed();
}

TargetSpec GroupKeeper::spec_of(const Entry& entry) const {
  const auto found = overrides_.find(entry.configured);
  const TargetOverride none;
  const TargetOverride& by_operator = found != overrides_.end() ? found->second : none;
  return {.check = settings_->health_check,
          .weight = base_weight(entry),
          .in_use = in_use_,
          .drained = by_operator.drained,
          .ejected = entry.outlier.words,
          .deregister_by = entry.deregister_by};
}

int GroupKeeper::base_weight(const Entry& entry) const {
  if (overrides_.empty()) return entry.target.weight;
  const auto found = overrides_.find(entry.configured);
  return found != overrides_.end() ? found->second.weight.value_or(entry.target.weight) : entry.target.weight;
}

std::uint64_t GroupKeeper::in_flight(const Entry& entry) const {
  std::uint64_t sum = 0;
  if (entry.share != nullptr) {
    for (const TargetCell& cell : entry.share->cells) sum += cell.traffic.in_flight.get();
  }
  return sum;
}

void GroupKeeper::take(const EntryPointer& entry, Seen seen) {
  if (entry->gone) return;
  seen.random = random_.random();
  Decision decision = decide(spec_of(*entry), entry->record, seen, context_.loop.now());
  const bool state_changed =
      decision.record.state != entry->record.state || decision.record.reason != entry->record.reason;
  entry->record = std::move(decision.record);
  const std::string name = entry->share != nullptr ? entry->share->name : entry->configured;
  if (state_changed) entry->state_since = std::chrono::system_clock::now();
  if (decision.event.has_value()) {
    const bool ejected =
        entry->record.state == model::TargetState::Unhealthy && entry->record.reason == model::TargetReason::Ejected;
    context_.events.add(ejected ? "target.ejected" : "target.state", fmt::format("{}/{}", share_->name, name),
                        *decision.event);
  }
  if (decision.gone) {
    entry->gone = true;
    std::erase(entries_, entry);
    context_.events.add("target.gone", fmt::format("{}/{}", share_->name, name),
                        "its requests have ended, or its time has");
    entry->wake();
    const bool in_time = entry->deregister_by.has_value() && context_.loop.now() < *entry->deregister_by;
    context_.retired(entry->share, in_time ? Leftovers::MayEnd : Leftovers::CallOff);
  }
  if (!state_changed && !decision.gone) return;
  call_back();
  context_.changed();
}

void GroupKeeper::note_mode() {
  const bool failing_open = in_use_ && mode() == GroupMode::FailOpen && !entries_.empty() && !removed_;
  if (failing_open != was_failing_open_) {
    was_failing_open_ = failing_open;
    context_.events.add(failing_open ? "group.fail_open" : "group.recovered", share_->name,
                        failing_open ? "too few healthy targets: requests go to all of them, healthy or not"
                                     : "enough healthy targets again: requests go to those only");
  }
}

io::Task<void> GroupKeeper::watch(EntryPointer entry) {
  io::Strand& strand = co_await io::this_strand();
  entry->strand = &strand;
  while (!entry->gone && !strand.cancelled()) {
    const HealthTime now = context_.loop.fresh_now();
    const auto& next_check = entry->record.next_check;
    if (next_check.has_value() && now >= *next_check) {
      co_await check(entry);
      continue;
    }
    io::Deadline until = next_check.has_value() ? io::Deadline::at(*next_check) : io::Deadline::never();
    if (entry->deregister_by.has_value()) until = earlier(until, io::Deadline::at(now + drain_look));
    entry->asleep = true;
    co_await io::Sleep(until);
    entry->asleep = false;
    if (entry->deregister_by.has_value()) take(entry, Seen{.in_flight = in_flight(*entry)});
  }
  entry->strand = nullptr;
}

void GroupKeeper::judge(Entry& entry, std::uint64_t height, const config::HealthCheck& check, ProbeResult& result) {
  const HealthTime now = context_.loop.now();
  HeightSeen seen{.height = height, .best_peer = {}};
  for (const EntryPointer& other : entries_) {
    if (other.get() == &entry || !other->height.has_value()) continue;
    if (now - other->height->seen_at > height_valid_for(check)) continue;
    seen.best_peer = std::max(seen.best_peer.value_or(0), other->height->height);
  }
  HeightJudged judged = judge_height(check.jsonrpc, entry.height, seen, now);
  entry.height = judged.record;
  result.passed = judged.verdict == HeightVerdict::Growing;
  result.words = std::move(judged.words);
  if (judged.verdict == HeightVerdict::Behind) result.reason = model::TargetReason::BehindPeers;
  if (judged.verdict == HeightVerdict::Stalled) result.reason = model::TargetReason::Stalled;
}

io::Task<void> GroupKeeper::check(EntryPointer entry) {
  io::Strand& strand = co_await io::this_strand();
  const std::shared_ptr<const config::TargetGroup> settings = settings_;  // kept while the check runs
  const std::string host = settings->health_check.host.empty()
                               ? (entry->address->is_unix() ? std::string("localhost") : entry->configured)
                               : settings->health_check.host;
  const io::Instant began = context_.loop.fresh_now();
  const Buffer introduction = introduction_of_check(*settings);
  const ProbeTls tls{.context = contexts_ != nullptr ? contexts_->checks : nullptr,
                     .name = server_name_of(*settings, entry->target.address.host)};
  ProbeResult result =
      co_await probe(context_.loop, settings->health_check,
                     {.address = *entry->address, .host = host, .introduction = introduction.view(), .tls = tls});
  if (strand.cancelled()) co_return;
  if (result.height.has_value()) judge(*entry, *result.height, settings->health_check, result);
  entry->check_took = std::chrono::duration_cast<std::chrono::microseconds>(context_.loop.now() - began);
  entry->checked = std::chrono::system_clock::now();
  ++(result.passed ? entry->passed : entry->failed);
  take(entry, Seen{.kind = result.passed ? Seen::Kind::Passed : Seen::Kind::Failed,
                   .reason = result.reason,
                   .words = std::move(result.words),
                   .in_flight = in_flight(*entry)});
}

io::Task<void> GroupKeeper::look_up(std::shared_ptr<Name> name) {
  io::Strand& strand = co_await io::this_strand();
  name->strand = &strand;
  bool failing = false;
  while (!name->gone && !strand.cancelled()) {
    auto answer = co_await context_.resolver.resolve(name->host, name->port, context_.loop.after(lookup_time_max));
    if (strand.cancelled()) break;
    io::Duration again = name->addresses.empty() ? first_lookup_retry : lookup_retry;
    name->asked = true;
    if (answer && !answer->addresses.empty()) {
      again = answer->ttl;
      failing = false;
      const bool same = std::is_permutation(answer->addresses.begin(), answer->addresses.end(), name->addresses.begin(),
                                            name->addresses.end());
      if (!same && !name->gone) {
        name->addresses = std::move(answer->addresses);
        std::string list;
        for (const auto& address : name->addresses) list += (list.empty() ? "" : ", ") + address.host();
        context_.events.add("name.resolved", fmt::format("{}/{}", share_->name, name->host), list);
        sync_entries();
      }
    } else if (!failing) {
      failing = true;  // said once; the last good addresses stay
      context_.events.add("name.failed", fmt::format("{}/{}", share_->name, name->host),
                          answer ? std::string("the answer is empty; the last good addresses stay")
                                 : answer.error().text() + "; the last good addresses stay");
    }
    name->asleep = true;
    co_await io::Sleep(context_.loop.after(again));
    name->asleep = false;
  }
  name->strand = nullptr;
}

io::Task<void> GroupKeeper::resolved_once(io::Deadline deadline) {
  constexpr auto look = std::chrono::milliseconds(5);
  const auto all_asked = [this] {
    return std::all_of(names_.begin(), names_.end(), [](const auto& name) { return name->asked; });
  };
  while (!all_asked() && !deadline.passed(context_.loop.fresh_now())) {
    if (!co_await io::Sleep(earlier(deadline, context_.loop.after(look)))) co_return;
  }
}

bool GroupKeeper::set_override(const std::string& target, const TargetOverride& next) {
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const EntryPointer& each) {
    return each->configured == target || (each->address.has_value() && each->address->to_string() == target);
  });
  if (entry == entries_.end()) return false;
  const std::string key = (*entry)->configured;
  if (next.empty()) {
    overrides_.erase(key);
  } else {
    overrides_[key] = next;
  }
  look_again();
  return true;
}

TargetOverride GroupKeeper::override_of(const std::string& target) const {
  for (const EntryPointer& entry : entries_) {
    const bool named =
        entry->configured == target || (entry->address.has_value() && entry->address->to_string() == target);
    if (!named) continue;
    const auto found = overrides_.find(entry->configured);
    return found != overrides_.end() ? found->second : TargetOverride{};
  }
  return {};
}

void GroupKeeper::restore_overrides(std::map<std::string, TargetOverride> overrides) {
  overrides_ = std::move(overrides);
  look_again();
}

std::vector<std::string> GroupKeeper::target_names() const {
  std::vector<std::string> names;
  for (const EntryPointer& entry : entries_) {
    if (names.empty() || names.back() != entry->configured) names.push_back(entry->configured);
  }
  return names;
}

GroupMode GroupKeeper::mode() const {
  const auto healthy = std::count_if(entries_.begin(), entries_.end(), [](const EntryPointer& entry) {
    return entry->record.state == model::TargetState::Healthy;
  });
  return group_mode({.healthy = static_cast<int>(healthy), .minimum = settings_->minimum_healthy});
}

std::shared_ptr<const PlanGroup> GroupKeeper::plan() const {
  auto group = std::make_shared<PlanGroup>();
  group->share = share_;
  group->settings = settings_;
  const GroupMode group_mode = mode();
  group->judges = settings_->outliers.enabled;
  if (is_secure(settings_->protocol)) group->tls = contexts_;
  group->failing_open = group_mode == GroupMode::FailOpen;
  std::vector<Candidate> candidates;
  std::vector<Candidate> reserves;
  std::vector<std::pair<std::string, std::uint32_t>> routes;
  std::vector<Candidate> hashed;
  std::vector<StickyTargets::Each> sticky;
  const bool hashes = settings_->sticky.has_value() && !settings_->sticky->sets_cookie();
  const bool sets_cookie = settings_->sticky.has_value() && settings_->sticky->sets_cookie();
  bool routed = false;
  for (const EntryPointer& entry : entries_) {
    if (entry->share == nullptr) continue;
    const auto slot = static_cast<std::uint32_t>(group->targets.size());
    const std::string& route = entry->target.route;
    // At weight 0 a target gets nothing new, but the sessions that it has stay with it.
    const bool has_sessions = entry->record.state == model::TargetState::Unavailable && (!route.empty() || sets_cookie);
    const bool in_balancer = takes_requests(entry->record.state, group_mode);
    if (sets_cookie) {
      sticky.push_back(
          {.token = token_of(*entry), .slot = in_balancer || has_sessions ? std::optional(slot) : std::nullopt});
    }
    if (takes_requests(entry->record.state, GroupMode::FailOpen)) {
      const Candidate candidate{.slot = slot, .weight = weight_of(*entry), .identity = identity_of(entry->share->name)};
      (in_balancer ? candidates : reserves).push_back(candidate);
      if (hashes && in_balancer) {
        // With the weight of the settings: clients would move on with every step of slow start, and with each change by
        // `outliers`.
        hashed.push_back(candidate);
        hashed.back().weight = base_weight(*entry);
      }
    } else if (!has_sessions) {
      continue;
    }
    if (in_balancer || has_sessions) routes.emplace_back(route, slot);
    routed = routed || !route.empty();
    group->routes.push_back(route);
    if (sets_cookie) group->sticky_tokens.push_back(sticky.back().token);
    group->targets.push_back(entry->share);
    group->in_balancer.push_back(in_balancer);
  }
  group->balancer = Balancer(settings_->algorithm, candidates);
  group->reserve = Balancer(settings_->algorithm, reserves);
  group->session_routes = SessionRoutes(std::move(routes));
  group->sticky_targets = StickyTargets(std::move(sticky));
  group->sticky_balancer = Balancer(config::Algorithm::SourceHash, hashed);
  if (!routed) group->routes.clear();
  return group;
}

const std::string& GroupKeeper::token_of(Entry& entry) const {
  if (entry.sticky_token.empty()) {
    entry.sticky_token = context_.sticky_secret->token({.group = share_->name, .target = entry.share->name});
  }
  return entry.sticky_token;
}

double GroupKeeper::weight_of(const Entry& entry) const {
  const int weight = base_weight(entry);
  if (entry.record.state != model::TargetState::Healthy) return weight;
  return entry.outlier.weight *
         effective_weight(weight, {.duration = settings_->slow_start, .healthy_since = entry.record.since},
                          context_.loop.now());
}

bool GroupKeeper::is_warming(const Entry& entry) const {
  return settings_->slow_start.count() != 0 && entry.record.state == model::TargetState::Healthy &&
         context_.loop.now() - entry.record.since < settings_->slow_start;
}

bool GroupKeeper::is_warming() const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const EntryPointer& entry) { return is_warming(*entry); });
}

namespace {

void add_target(const TargetShare& share, model::TargetStatus& status) {
  for (const TargetCell& cell : share.cells) {
    cell.traffic.add_to(status.traffic);
    status.connects += cell.connects.get();
    status.connect_failures += cell.connect_failures.get();
    status.reuses += cell.reuses.get();
    status.pool_idle += cell.pool_idle.get();
  }
}

std::string_view name_of(config::Algorithm algorithm) {
  switch (algorithm) {
    case config::Algorithm::RoundRobin:
      return "round_robin";
    case config::Algorithm::LeastRequests:
      return "least_requests";
    case config::Algorithm::TwoChoices:
      return "two_choices";
    case config::Algorithm::LeastTime:
      return "least_time";
    case config::Algorithm::SourceHash:
      return "source_hash";
    case config::Algorithm::Maglev:
      return "maglev";
    case config::Algorithm::Random:
      return "random";
  }
  return "unknown";
}

}  // namespace

model::GroupStatus GroupKeeper::status() const {
  model::GroupStatus status;
  status.name = share_->name;
  status.protocol = to_string(settings_->protocol);
  status.algorithm = name_of(settings_->algorithm);
  status.failing_open = was_failing_open_;
  status.waiting = share_->waiting.load();
  std::array<std::uint64_t, reason_count> errors{};
  for (const GroupCell& cell : share_->cells) {
    cell.traffic.add_to(status.traffic);
    status.retries += cell.retries.get();
    status.retries_refused += cell.retries_refused.get();
    status.stale_replays += cell.stale_replays.get();
    status.sticky_requests += cell.sticky_requests.get();
    status.sticky_moved += cell.sticky_moved.get();
    status.queued += cell.queued.get();
    status.queue_wait += std::chrono::microseconds(cell.queue_wait_us.get());
    for (std::size_t i = 0; i < errors.size(); ++i) errors[i] += cell.errors[i].get();
  }
  for (std::size_t i = 1; i < errors.size(); ++i) {
    if (errors[i] != 0) status.errors.push_back({std::string(to_string(static_cast<Reason>(i))), errors[i]});
  }
  status.defects = defect_counts(share_->cells, &GroupCell::defects);
  status.defects_passed = defect_counts(share_->cells, &GroupCell::defects_passed);
  for (const EntryPointer& entry : entries_) {
    const TargetSpec spec = spec_of(*entry);
    model::TargetStatus target;
    target.address = entry->configured;
    if (entry->share != nullptr) {
      if (entry->share->name != entry->configured) target.resolved.push_back(entry->address->to_string());
      add_target(*entry->share, target);
    }
    target.weight = spec.weight;
    target.weight_overridden = override_of(entry->configured).weight.has_value();
    target.effective_weight = weight_of(*entry);
    target.state = entry->record.state;
    target.reason = entry->record.reason;
    target.words = entry->record.words;
    target.since = entry->state_since;
    target.checked = entry->checked;
    target.check_took = entry->check_took;
    target.checks_passed = entry->passed;
    target.checks_failed = entry->failed;
    add_outlier(*entry, target);
    if (target.ejected_until.has_value()) ++status.ejected;
    if (target.state == model::TargetState::Healthy) ++status.healthy;
    status.targets.push_back(std::move(target));
  }
  return status;
}

}  // namespace ballast::traffic
