#include "traffic/control/protect_keeper.h"

#include <utility>

#include <fmt/format.h>

#include "config/network_file.h"

namespace ballast::traffic {
namespace {

// A changed file is seen within this.
constexpr auto look_interval = std::chrono::seconds(1);

Result<ProtectKeeper::File> read(const std::string& path, bool must_hold_some) {
  // The stamp first: what is written between the two is seen at the next look.
  const auto stamp = io::stamp_of(path);
  if (!stamp) return fail(stamp.error());
  const auto text = io::read_file(path, config::network_file_bytes_max);
  if (!text) return fail(text.error());
  auto networks = config::parse_network_file(*text);
  if (!networks) return fail(std::move(networks.error()).within(path));
  if (networks->empty() && must_hold_some) {
    return fail(Code::Invalid, fmt::format("{}: it holds no network, and would keep everybody out", path));
  }
  return ProtectKeeper::File{.stamp = *stamp, .networks = std::move(*networks), .must_hold_some = must_hold_some};
}

// All doors of a listener, its own first.
template <typename Each>
void for_each_door(const config::Listener& listener, Each each) {
  each(listener.door);
  for (const config::Rule& rule : listener.rules) each(rule.door);
}

}  // namespace

Result<ProtectKeeper::Files> ProtectKeeper::prepare(const config::Settings& next) const {
  std::map<std::string, bool> wanted;  // whether it must hold some
  for (const config::Listener& listener : next.listeners) {
    for_each_door(listener, [&](const config::Door& door) {
      for (const std::string& path : door.deny.files) wanted.emplace(path, false);
      for (const std::string& path : door.allow.files) wanted[path] = true;
    });
  }
  Files files;
  for (const auto& [path, must_hold_some] : wanted) {
    auto file = read(path, must_hold_some);
    if (!file) return fail(std::move(file.error()).within("allow and deny"));
    files.emplace(path, std::move(*file));
  }
  return files;
}

void ProtectKeeper::commit(Files files, std::shared_ptr<const config::Settings> settings) {
  files_ = std::move(files);
  settings_ = std::move(settings);
  compile();
  before_.clear();
  if (!files_.empty() && !is_armed()) context_.loop.timers().arm(*this, context_.loop.now() + look_interval);
}

std::shared_ptr<const Protection> ProtectKeeper::of(const config::Listener& listener) const {
  const auto found = protections_.find(listener.name);
  return found != protections_.end() ? found->second : nullptr;
}

void ProtectKeeper::compile() {
  protections_.clear();
  for (const config::Listener& listener : settings_->listeners) {
    if (auto protection = compile(listener)) protections_.emplace(listener.name, std::move(protection));
  }
  rates_ = std::exchange(next_rates_, {});
  counts_ = std::exchange(next_counts_, {});
}

std::shared_ptr<const Protection> ProtectKeeper::compile(const config::Listener& listener) {
  bool is_open = !listener.limits.connections_per_address.has_value();
  for_each_door(listener, [&](const config::Door& door) { is_open = is_open && door.empty(); });
  if (is_open) return nullptr;
  auto protection = std::make_shared<Protection>();
  protection->door = compile(listener.door, listener.name, {});
  for (const config::Rule& rule : listener.rules) {
    if (rule.door.empty()) continue;
    protection->routes.resize(listener.rules.size());
    protection->routes[static_cast<std::size_t>(&rule - listener.rules.data())] =
        std::make_shared<const Door>(compile(rule.door, listener.name, rule.name));
  }
  if (const auto& limit = listener.limits.connections_per_address; limit.has_value()) {
    const auto kept = counts_.find(listener.name);
    protection->counts =
        kept != counts_.end() ? kept->second : std::make_shared<AddressCounts>(listener.limits.connections);
    protection->connections_per_address = *limit;
    protection->trusted = NetworkSet(listener.trusted_proxies);
    next_counts_.emplace(listener.name, protection->counts);
  }
  return protection;
}

Door ProtectKeeper::compile(const config::Door& door, const std::string& listener, const std::string& rule) {
  Door compiled{.allow = std::nullopt, .deny = compile(door.deny), .limits = {}};
  if (!door.allow.empty()) compiled.allow = compile(door.allow);
  for (const config::RateLimit& limit : door.rate_limits) {
    RateShare::Place place{.listener = listener, .rule = rule, .limit = limit.name};
    const auto kept = rates_.find(place);
    auto share = kept != rates_.end() && kept->second->holds_for(limit) ? kept->second : restored(place, limit);
    if (share == nullptr) share = std::make_shared<RateShare>(place, limit, context_.workers);
    next_rates_.emplace(std::move(place), share);
    compiled.limits.push_back({.share = std::move(share), .settings = limit, .except = NetworkSet(limit.except)});
  }
  return compiled;
}

std::shared_ptr<RateShare> ProtectKeeper::restored(const RateShare::Place& place,
                                                   const config::RateLimit& limit) const {
  for (const SavedRate& each : before_) {
    if (each.place == place) return traffic::restore(each, limit, context_.workers);
  }
  return nullptr;
}

std::vector<SavedRate> ProtectKeeper::saved(SavedKeys keys) const {
  std::vector<SavedRate> all;
  for (const auto& [place, share] : rates_) all.push_back(save(*share, keys, context_.loop.now()));
  return all;
}

NetworkSet ProtectKeeper::compile(const config::Networks& networks) const {
  std::vector<config::Network> all = networks.networks;
  for (const std::string& path : networks.files) {
    const std::vector<config::Network>& more = files_.at(path).networks;
    all.insert(all.end(), more.begin(), more.end());
  }
  return NetworkSet(all);
}

void ProtectKeeper::expired() {
  for (auto& [path, file] : files_) look_at(path, file);
  if (!files_.empty()) context_.loop.timers().arm(*this, context_.loop.now() + look_interval);
}

void ProtectKeeper::look_at(const std::string& path, File& file) {
  const auto stamp = io::stamp_of(path);
  if (stamp && *stamp == file.stamp) return;
  if (!stamp && file.is_bad) return;
  auto next = read(path, file.must_hold_some);
  if (next) {
    file = std::move(*next);
    context_.events.add("networks.file_read", path, fmt::format("it has changed: {} networks", file.networks.size()));
    compile();
    context_.changed();
    return;
  }
  // Said once for each content, and once while it is away.
  file.stamp = stamp.value_or(io::FileStamp{});
  file.is_bad = true;
  context_.events.add("networks.file_refused", path, next.error().text() + "; what was read before stays");
}

void ProtectKeeper::add_to(model::Status& status) const {
  for (const auto& [place, share] : rates_) {
    model::RateLimitStatus limit{.listener = place.listener, .rule = place.rule, .name = place.limit};
    for (const RateCell& cell : share->cells) {
      limit.admitted += cell.admitted.get();
      limit.limited += cell.limited.get();
      limit.reported += cell.reported.get();
      limit.displaced += cell.displaced.get();
    }
    status.rate_limits.push_back(std::move(limit));
  }
  for (const auto& [listener, counts] : counts_)
    status.uncounted_connections.push_back({listener, counts->uncounted()});
}

}  // namespace ballast::traffic
