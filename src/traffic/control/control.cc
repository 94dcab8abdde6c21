#include "traffic/control/control.h"

#include <algorithm>
#include <latch>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "config/diff.h"
#include "config/words.h"
#include "io/machine.h"
#include "io/system.h"
#include "io/tcp.h"
#include "traffic/auth/crypto/bcrypt.h"
#include "traffic/control/defect_counts.h"
#include "traffic/control/explain.h"

namespace ballast::traffic {
namespace {

model::KernelTlsStatus status_of(const io::KernelTls* kernel) {
  if (kernel == nullptr) return {};
  using State = io::KernelTls::State;
  const char* state = kernel->is_on() ? "on" : kernel->state() == State::Off ? "off" : "unavailable";
  return {
      .state = state, .reason = kernel->reason(), .connections = kernel->taken_over(), .refused = kernel->refused()};
}

int worker_count(const config::Settings& settings) {
  return settings.workers > 0 ? settings.workers : static_cast<int>(io::cpu_count());
}

// The groups that a listener forwards to.
// By the names of an enum's values; those that are not 0.
template <typename Name, typename Counters>
std::vector<model::Count> counts_of(const std::vector<ListenerCell>& cells, Counters ListenerCell::* member) {
  std::vector<model::Count> counts;
  for (std::size_t i = 0; i < std::tuple_size_v<Counters>; ++i) {
    std::uint64_t sum = 0;
    for (const ListenerCell& cell : cells) sum += (cell.*member)[i].get();
    if (sum != 0) counts.push_back({std::string(to_string(static_cast<Name>(i))), sum});
  }
  return counts;
}

std::set<std::string> groups_in_use(const config::Settings& settings) {
  std::set<std::string> used;
  const auto ask = [&](const std::optional<config::Auth>& auth) {
    if (!auth || !auth->enabled) return;
    if (const auto* forward = std::get_if<config::ForwardAuth>(&auth->how)) used.insert(forward->group);
  };
  const auto mirror = [&](const config::Rule& rule) {
    if (rule.mirror.has_value()) used.insert(rule.mirror->group);
  };
  const auto add = [&](const config::Action& action) {
    if (const auto* forward = std::get_if<config::Forward>(&action)) {
      for (const config::WeightedGroup& group : forward->groups) used.insert(group.group);
    }
  };
  for (const config::Listener& listener : settings.listeners) {
    ask(listener.auth);
    for (const config::Rule& rule : listener.rules) {
      ask(rule.auth);
      add(rule.action);
      mirror(rule);
    }
    if (listener.default_action.has_value()) add(*listener.default_action);
  }
  return used;
}

// What the kernel has to allow is asked before anything is touched.
Result<> check_permissions(const config::Settings& settings) {
  for (const config::TargetGroup& group : settings.target_groups) {
    if (group.source_address != config::SourceAddress::Client) continue;
    Result<> allowed = io::TcpStream::may_connect_from_others();
    if (allowed) continue;
    const Error error =
        std::move(allowed.error()).within(fmt::format("target group \"{}\": source_address: client", group.name));
    return fail(Error(error.code(), error.text() + "; where no group had it when ballast was started, it has given the "
                                                   "permission up: put it into the file and restart"));
  }
  return {};
}

// `; did you mean "site"?`, or what there is.
std::string nearest_or_all(std::string_view name, const std::vector<std::string>& known) {
  const std::string near = config::did_you_mean(name, known);
  if (!near.empty() || known.empty()) return near;
  return fmt::format("; there is {}", config::join(known));
}

}  // namespace

Result<std::unique_ptr<Control>> Control::make(io::Loop& loop, config::Settings settings, Options options) {
  std::unique_ptr<Control> control(new Control(loop, std::move(settings), std::move(options)));
  auto log = AccessLog::make(control->settings_->access_log);
  if (!log) return fail(std::move(log.error()));
  control->access_log_ = std::move(*log);
  if (Result<> made = control->make_workers(); !made) return fail(std::move(made.error()));
  return control;
}

Control::Control(io::Loop& loop, config::Settings settings, Options options)
    : loop_(loop),
      options_(std::move(options)),
      settings_(std::make_shared<const config::Settings>(std::move(settings))),
      auth_({.loop = loop_, .resolver = *options_.resolver, .events = events_, .changed = [this] { publish_soon(); }}),
      protect_({.loop = loop_,
                .events = events_,
                .workers = worker_count(*settings_),
                .changed = [this] { publish_soon(); }}),
      passwords_(auth::is_password_of),
      loads_(worker_count(*settings_)),
      listeners_(loop_, *options_.sockets, worker_count(*settings_)),
      tls_({.loop = loop_,
            .events = events_,
            .workers = worker_count(*settings_),
            .kernel = options_.kernel_tls,
            .changed = [this] { hand_out_contexts(); }}),
      acme_({.loop = loop_,
             .resolver = *options_.resolver,
             .events = events_,
             .workers = worker_count(*settings_),
             .publish =
                 [this] {
                   publish();
                   await_workers();
                 }}),
      started_at_(std::chrono::system_clock::now()) {}

Control::~Control() {
  passwords_.close();
  workers_.clear();
}

Result<> Control::make_workers() {
  const int count = worker_count(*settings_);
  for (int i = 0; i < count; ++i) {
    auto worker = Worker::make({.index = i,
                                .loads = &loads_,
                                .access_log = access_log_.get(),
                                .passwords = &passwords_,
                                .trouble = [this](const std::string& text) {
                                  loop_.post([this, text] { events_.add("worker.trouble", "worker", text); });
                                }});
    if (!worker) return fail(std::move(worker.error()));
    workers_.push_back(std::move(*worker));
  }
  std::vector<Worker*> peers;
  for (const auto& worker : workers_) peers.push_back(worker.get());
  for (const auto& worker : workers_) worker->start(peers);
  return {};
}

io::Task<Result<>> Control::start() {
  constexpr auto lookup_time_max = std::chrono::seconds(2);
  Result<Overrides> overrides = load_overrides(settings_->state_directory);
  if (!overrides) co_return fail(std::move(overrides.error()));
  overrides_of_absent_groups_ = std::move(overrides->groups);
  maintained_ = std::move(overrides->maintained);
  if (!options_.state_before.empty()) {
    auto before = read_state(options_.state_before);
    if (before) before_ = std::move(*before);
    if (!before) events_.add("state.not_read", "ballast", before.error().text() + "; starting without it");
    options_.state_before.clear();
    events_.restore(std::move(before_.events));
    protect_.restore(std::move(before_.rates));
    generation_ = before_.generation;
  }

  // Prepared by adopt(), which for the first time has only new listeners and groups.
  auto routes = compile_routes(*settings_);
  if (!routes) co_return fail(std::move(routes.error()));
  auto files = auth_.prepare(*settings_);
  if (!files) co_return fail(std::move(files.error()));
  auto contexts = tls_.prepare(*settings_);
  if (!contexts) co_return fail(std::move(contexts.error()));
  tls_.commit(std::move(*contexts));
  configure_groups();
  auth_.commit(std::move(*files), settings_);
  const io::Deadline deadline = loop_.after(lookup_time_max);
  for (const auto& [name, keeper] : groups_) co_await keeper->resolved_once(deadline);
  co_await auth_.fetched_once(deadline);
  started_ = true;
  if (Result<> adopted = adopt(settings_); !adopted) co_return adopted;
  acme_.start();
  count_on(std::exchange(before_, SavedState{}));
  events_.add("started", "ballast",
              fmt::format("{} listeners, {} target groups, {} workers", settings_->listeners.size(),
                          settings_->target_groups.size(), workers_.size()));
  co_return Result<>();
}

io::Task<void> Control::stop() {
  stopping_ = true;
  events_.add("stopping", "ballast",
              fmt::format("requests under way have {} ms to end", settings_->shutdown_timeout.count()));
  for (const auto& worker : workers_) worker->stop_accepting();
  await_workers();
  listeners_.commit({});  // the kernel refuses new connections from here on
  co_await end_within(settings_->shutdown_timeout, Worker::AtRest::End);
  workers_.clear();
  events_.add("stopped", "ballast", "all requests have ended");
}

io::Task<void> Control::end_within(config::Milliseconds time, Worker::AtRest at_rest) {
  tls_.stop();
  co_await acme_.close();
  auto left = std::make_shared<std::size_t>(workers_.size());
  for (const auto& worker : workers_) {
    worker->drain(time, at_rest, [this, left] { loop_.post([left] { --*left; }); });
  }
  constexpr auto look = std::chrono::milliseconds(10);
  while (*left != 0) co_await io::Sleep(loop_.after(look));
  for (const auto& [name, keeper] : groups_) co_await keeper->close();
  co_await auth_.close();
  protect_.stop();
  disarm();
  passwords_.close();
}

Result<Control::Routes> Control::compile_routes(const config::Settings& settings) const {
  const auto index_of = [&](std::string_view name) -> std::optional<std::uint32_t> {
    for (std::size_t i = 0; i < settings.target_groups.size(); ++i) {
      if (settings.target_groups[i].name == name) return static_cast<std::uint32_t>(i);
    }
    return std::nullopt;
  };
  Routes routes;
  for (const config::Listener& listener : settings.listeners) {
    auto table = RouteTable::compile(listener, index_of);
    if (!table) return fail(std::move(table.error()));
    routes[listener.name] = std::make_shared<const RouteTable>(std::move(*table));
  }
  return routes;
}

void Control::configure_groups() {
  const std::set<std::string> used = groups_in_use(*settings_);
  sticky_secret_.prepare(*settings_, events_);
  for (const config::TargetGroup& group : settings_->target_groups) {
    auto found = groups_.find(group.name);
    if (found == groups_.end()) {
      GroupKeeper::Context context{.loop = loop_,
                                   .resolver = *options_.resolver,
                                   .events = events_,
                                   .workers = static_cast<int>(workers_.size()),
                                   .sticky_secret = &sticky_secret_,
                                   .changed = [this] { publish_soon(); },
                                   .retired = [this](const std::shared_ptr<TargetShare>& target,
                                                     Leftovers leftovers) { retire(target, leftovers); }};
      found = groups_
                  .emplace(group.name,
                           std::make_unique<GroupKeeper>(std::move(context), group.name, before_.group(group.name)))
                  .first;
      found->second->configure(std::make_shared<const config::TargetGroup>(group), used.contains(group.name),
                               tls_.group(group.name));
      const auto kept = overrides_of_absent_groups_.find(group.name);
      if (kept != overrides_of_absent_groups_.end()) {
        found->second->restore_overrides(std::move(kept->second));
        overrides_of_absent_groups_.erase(kept);
      }
      continue;
    }
    found->second->configure(std::make_shared<const config::TargetGroup>(group), used.contains(group.name),
                             tls_.group(group.name));
  }
  for (const auto& [name, keeper] : groups_) {
    if (settings_->group(name) == nullptr) keeper->remove();
  }
}

Result<> Control::adopt(std::shared_ptr<const config::Settings> next) {
  auto routes = compile_routes(*next);
  if (!routes) return fail(std::move(routes.error()));
  if (Result<> allowed = check_permissions(*next); !allowed) return fail(std::move(allowed.error()));
  auto files = auth_.prepare(*next);
  if (!files) return fail(std::move(files.error()));
  auto networks = protect_.prepare(*next);
  if (!networks) return fail(std::move(networks.error()));
  auto contexts = tls_.prepare(*next);
  if (!contexts) return fail(std::move(contexts.error()));
  auto authority = acme_.prepare(*next);
  if (!authority) return fail(std::move(authority.error()));
  auto change = listeners_.prepare(*next);
  if (!change) return fail(std::move(change.error()));

  // Nothing can fail from here on. First nobody accepts for a listener that goes; then all serve by the new Plan; only
  // then is a new listener's socket watched, since a connection may be handed from one worker to any other.
  settings_ = std::move(next);
  routes_ = std::move(*routes);
  auth_.commit(std::move(*files), settings_);
  protect_.commit(std::move(*networks), settings_);
  contexts->settings = settings_.get();
  tls_.commit(std::move(*contexts));
  acme_.commit(std::move(*authority), *settings_);
  for (const OpenListener& closed : change->closed) {
    for (const auto& worker : workers_) worker->unlisten(closed.share, [] {});
  }
  await_workers();
  const std::vector<OpenListener> opened = change->opened;
  listeners_.commit(std::move(*change));
  configure_groups();
  publish();
  await_workers();
  for (const OpenListener& open : opened) {
    for (const OpenSocket& each : open.sockets) {
      for (const auto& worker : workers_) {
        if (each.datagrams != nullptr) {
          worker->listen(open.share, each.datagrams);
        } else {
          worker->listen(open.share, each.socket->fd());
        }
      }
    }
  }
  await_workers();
  configured_at_ = std::chrono::system_clock::now();
  return {};
}

void Control::publish() {
  publish_pending_ = false;
  if (!started_ || stopping_) return;
  auto plan = std::make_shared<Plan>();
  plan->generation = ++generation_;
  plan->explain = settings_->explain;
  bool warming = false;
  for (const config::TargetGroup& group : settings_->target_groups) {
    GroupKeeper& keeper = *groups_.find(group.name)->second;
    keeper.note_mode();
    plan->groups.push_back(keeper.plan());
    warming = warming || keeper.is_warming();
  }
  for (const OpenListener& open : listeners_.open()) {
    const config::Listener* settings = settings_->listener(open.share->name);
    auto listener = std::make_shared<PlanListener>();
    listener->share = open.share;
    // Within the settings, which it holds.
    listener->settings = std::shared_ptr<const config::Listener>(settings_, settings);
    listener->routes = routes_.at(open.share->name);
    listener->guards = auth_.guards_of(*settings);
    listener->protection = protect_.of(*settings);
    if (maintained_.contains(settings->name)) {
      listener->maintenance =
          std::make_shared<const config::Maintenance>(settings->maintenance.value_or(config::Maintenance{}));
    }
    if (settings->hsts.has_value()) listener->hsts = settings->hsts->header();
    listener->tls = tls_.listener(open.share->name);
    if (plan->listeners.size() <= open.share->slot) plan->listeners.resize(open.share->slot + 1);
    plan->listeners[open.share->slot] = std::move(listener);
  }
  plan->challenges = acme_.challenges();
  for (const auto& worker : workers_) worker->adopt(plan);
  std::erase_if(groups_,
                [&](const auto& each) { return settings_->group(each.first) == nullptr && each.second->is_empty(); });
  // Weights in slow start grow with time.
  constexpr auto warming_step = std::chrono::seconds(1);
  if (warming && !is_armed()) loop_.timers().arm(*this, loop_.now() + warming_step);
}

void Control::hand_out_contexts() {
  for (const auto& [name, keeper] : groups_) keeper->set_contexts(tls_.group(name));
  publish_soon();
}

void Control::publish_soon() {
  if (publish_pending_ || !started_) return;
  publish_pending_ = true;
  loop_.at_round_end([this] {
    if (publish_pending_) publish();
  });
}

void Control::expired() {
  publish();
}

void Control::await_workers() {
  std::latch all(static_cast<std::ptrdiff_t>(workers_.size()));
  for (const auto& worker : workers_) worker->loop().post([&all] { all.count_down(); });
  all.wait();
}

void Control::retire(const std::shared_ptr<TargetShare>& target, Leftovers leftovers) {
  for (const auto& worker : workers_) worker->retire(target, leftovers);
}

Result<model::ExplainAnswer> Control::explain(const model::ExplainQuery& query) {
  return traffic::explain({.workers = workers_, .settings = *settings_, .started = started_at_}, query);
}

std::vector<model::Change> Control::plan(const config::Settings& next) {
  std::vector<model::Change> changes;
  for (config::Difference& difference : config::diff(*settings_, next)) {
    changes.push_back({std::move(difference.path), std::move(difference.text), difference.needs_restart});
  }
  return changes;
}

Result<> Control::may_change() const {
  if (handing_over_ || !started_) {
    return fail(Error(Code::Cancelled,
                      "another process of ballast is about to serve; nothing was changed, ask again in "
                      "a moment")
                    .safe_to_retry(Retry::Always));
  }
  if (stopping_) return fail(Code::Cancelled, "ballast is stopping; nothing was changed");
  return {};
}

Result<model::ApplyReport> Control::apply(config::Settings next) {
  if (Result<> may = may_change(); !may) return fail(std::move(may.error()));
  model::ApplyReport report{.changes = plan(next)};
  if (Result<> adopted = adopt(std::make_shared<const config::Settings>(std::move(next))); !adopted) {
    events_.add("config.refused", "configuration", adopted.error().text());
    return fail(std::move(adopted.error()));
  }
  report.generation = generation_;
  events_.add("config.applied", "configuration",
              fmt::format("generation {}, {} change{}", generation_, report.changes.size(),
                          report.changes.size() == 1 ? "" : "s"));
  if (options_.changed) options_.changed();
  return report;
}

Result<model::ApplyReport> Control::reload() {
  Result<config::Settings> next = options_.read_config();
  if (!next) {
    events_.add("config.refused", options_.config_file, next.error().text());
    return fail(std::move(next.error()));
  }
  return apply(std::move(*next));
}

Result<> Control::upgrade() {
  if (stopping_) return fail(Code::Cancelled, "ballast is stopping; it is not replaced");
  return options_.upgrade();
}

Result<GroupKeeper*> Control::keeper_of(std::string_view group) {
  const auto found = groups_.find(group);
  if (found != groups_.end() && settings_->group(group) != nullptr) return found->second.get();
  std::vector<std::string> known;
  for (const config::TargetGroup& each : settings_->target_groups) known.push_back(each.name);
  return fail(Code::NotFound, fmt::format("there is no target group \"{}\"{}", group, nearest_or_all(group, known)));
}

Result<> Control::change_override(std::string_view group, std::string_view target,
                                  const std::function<void(TargetOverride&)>& change, const std::string& text) {
  if (Result<> may = may_change(); !may) return may;
  Result<GroupKeeper*> keeper = keeper_of(group);
  if (!keeper) return fail(std::move(keeper.error()));
  const std::string name(target);
  TargetOverride next = (*keeper)->override_of(name);
  change(next);
  if (!(*keeper)->set_override(name, next)) {
    return fail(Code::NotFound, fmt::format("target group \"{}\" has no target \"{}\"{}", group, target,
                                            nearest_or_all(target, (*keeper)->target_names())));
  }
  publish();
  await_workers();
  events_.add("operator", fmt::format("{}/{}", group, target), text);
  save_overrides();
  return {};
}

void Control::save_overrides() {
  Overrides all{.groups = overrides_of_absent_groups_, .maintained = maintained_};
  for (const auto& [name, keeper] : groups_) {
    if (!keeper->overrides().empty()) all.groups[name] = keeper->overrides();
  }
  if (const Result<> saved = traffic::save_overrides(settings_->state_directory, all); !saved) {
    events_.add(
        "state.not_saved", settings_->state_directory,
        fmt::format("{}: the change holds until a restart; make state_directory writable", saved.error().text()));
  }
}

Result<> Control::drain(std::string_view group, std::string_view target) {
  return change_override(group, target, [](TargetOverride& entry) { entry.drained = true; }, "drained");
}

Result<> Control::enable(std::string_view group, std::string_view target) {
  return change_override(group, target, [](TargetOverride& entry) { entry.drained = false; }, "enabled");
}

Result<> Control::set_weight(std::string_view group, std::string_view target, int weight) {
  if (weight < 0 || weight > 999) return fail(Code::Invalid, fmt::format("weight {} is not within 0..999", weight));
  return change_override(
      group, target, [weight](TargetOverride& entry) { entry.weight = weight; },
      fmt::format("weight set to {}", weight));
}

Result<> Control::reset_weight(std::string_view group, std::string_view target) {
  return change_override(
      group, target, [](TargetOverride& entry) { entry.weight.reset(); }, "weight as configured again");
}

Result<> Control::set_maintenance(std::string_view listener, Maintenance maintenance) {
  if (Result<> may = may_change(); !may) return may;
  const config::Listener* settings = settings_->listener(listener);
  if (settings == nullptr) {
    std::vector<std::string> known;
    for (const config::Listener& each : settings_->listeners) known.push_back(each.name);
    return fail(Code::NotFound,
                fmt::format("there is no listener \"{}\"{}", listener, nearest_or_all(listener, known)));
  }
  if (!config::is_http(settings->protocol)) {
    return fail(Code::Invalid, fmt::format("the {} listener \"{}\" has no page to show: maintenance is of http and "
                                           "https listeners",
                                           config::to_string(settings->protocol), listener));
  }
  const bool is_on = maintenance == Maintenance::On;
  if (is_on) {
    maintained_.emplace(listener);
  } else {
    maintained_.erase(std::string(listener));
  }
  publish();
  await_workers();
  events_.add("operator", std::string(listener), is_on ? "under maintenance" : "maintenance is over");
  save_overrides();
  return {};
}

model::Status Control::status() {
  model::Status status;
  status.version = options_.version;
  status.pid = io::process_id();
  status.started = started_at_;
  status.configured = configured_at_;
  status.generation = generation_;
  status.config_file = options_.config_file;
  status.workers = static_cast<int>(workers_.size());
  status.stopping = stopping_;
  status.descriptors_open = io::open_descriptor_count();
  status.descriptors_max = io::descriptor_limit();
  status.memory_bytes = io::resident_memory_bytes();
  if (access_log_ != nullptr) status.access_log_dropped_bytes = access_log_->dropped_bytes();
  for (const OpenListener& open : listeners_.open()) {
    model::ListenerStatus listener;
    listener.name = open.share->name;
    listener.address = open.bound();
    listener.protocol = to_string(open.protocol);
    std::array<std::uint64_t, reason_count> errors{};
    std::array<std::uint64_t, http2::session_defect_count> http2_defects{};
    for (const ListenerCell& cell : open.share->cells) {
      cell.traffic.add_to(listener.traffic);
      listener.connections += cell.connections.get();
      listener.connections_total += cell.connections_total.get();
      listener.connections_refused += cell.connections_refused.get();
      for (std::size_t i = 0; i < errors.size(); ++i) errors[i] += cell.errors[i].get();
      listener.http2_connections += cell.http2_connections.get();
      for (std::size_t i = 0; i < http2_defects.size(); ++i) http2_defects[i] += cell.http2_defects[i].get();
    }
    for (std::size_t i = 1; i < errors.size(); ++i) {
      if (errors[i] != 0) listener.errors.push_back({std::string(to_string(static_cast<Reason>(i))), errors[i]});
    }
    listener.defects = defect_counts(open.share->cells, &ListenerCell::defects);
    listener.defects_passed = defect_counts(open.share->cells, &ListenerCell::defects_passed);
    for (std::size_t i = 1; i < http2_defects.size(); ++i) {
      if (http2_defects[i] == 0) continue;
      listener.http2_defects.push_back(
          {std::string(http2::to_string(static_cast<http2::SessionDefect>(i))), http2_defects[i]});
    }
    std::array<std::uint64_t, tls::handshake_end_count> handshakes{};
    for (const ListenerCell& cell : open.share->cells) {
      for (std::size_t i = 0; i < handshakes.size(); ++i) handshakes[i] += cell.handshakes[i].get();
    }
    for (std::size_t i = 0; i < handshakes.size(); ++i) {
      if (handshakes[i] == 0) continue;
      listener.handshakes.push_back({std::string(tls::to_string(static_cast<tls::HandshakeEnd>(i))), handshakes[i]});
    }
    std::array<std::uint64_t, udp_drop_count> drops{};
    for (const ListenerCell& cell : open.share->cells) {
      for (std::size_t i = 0; i < drops.size(); ++i) drops[i] += cell.udp_drops[i].get();
    }
    for (std::size_t i = 0; i < drops.size(); ++i) {
      if (drops[i] != 0) listener.udp_drops.push_back({std::string(to_string(static_cast<UdpDrop>(i))), drops[i]});
    }
    listener.faults = counts_of<FaultDone>(open.share->cells, &ListenerCell::faults);
    listener.mirrors = counts_of<MirrorDone>(open.share->cells, &ListenerCell::mirrors);
    listener.maintenance = maintained_.contains(listener.name);
    status.listeners.push_back(std::move(listener));
  }
  status.certificates = tls_.status();
  status.acme = acme_.status();
  status.kernel_tls = status_of(options_.kernel_tls.get());
  protect_.add_to(status);
  for (const config::TargetGroup& group : settings_->target_groups) {
    status.groups.push_back(groups_.find(group.name)->second->status());
  }
  return status;
}

}  // namespace ballast::traffic
