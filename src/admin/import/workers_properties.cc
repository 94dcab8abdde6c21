#include "admin/import/workers_properties.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "admin/import/workers_properties_file.h"
#include "config/words.h"

namespace ballast::admin {

namespace {

using Property = PropertyFile::Property;

// What has no counterpart here, and what there is instead; by the name behind the worker's.
struct Left {
  std::string_view name;
  std::string_view words;
};
constexpr std::array left_out{
    Left{"connection_pool_minsize", "no connections are opened ahead; those at rest end after pool.idle_timeout"},
    Left{"connection_acquire_timeout", "no request waits for a connection; one more is made"},
    Left{"socket_keepalive", "connections at rest are watched and end after pool.idle_timeout"},
    Left{"socket_buffer", "the kernel sizes its buffers"},
    Left{"retry_interval", "another target is tried at once, within retries.budget"},
    Left{"recovery_options",
         "a request is sent again only where no byte of an answer came and its method may be repeated"},
    Left{"fail_on_status", "a status is the application's answer; use an http health check with success_codes"},
    Left{"recover_time", "health checks tell when a target is well again: health_check.interval and healthy_threshold"},
    Left{"error_escalation_time", "health checks tell when a target has failed: health_check.unhealthy_threshold"},
    Left{"max_reply_timeouts", "a target that times out is not taken out by that; its health check decides"},
    Left{"sticky_session_force", "a session whose target is lost goes to another one, never to an error"},
    Left{"set_session_cookie", "ballast writes no session cookie; the container does"},
    Left{"session_cookie_path", "ballast writes no session cookie; the container does"},
    Left{"lock", "workers share no counters that need a lock"},
    Left{"domain", "there are no domains; a lost session goes to any other target"},
    Left{"redirect", "there is no preferred heir; a lost session goes to any other target"},
    Left{"distance", "targets have no distance; make a second group and a weighted forward"},
    Left{"prefer_ipv6", "all addresses of a name are used"},
    Left{"mount", "paths belong to a listener's rules: match: { path: ... } and forward to this group"},
    Left{"maintain", "there is no maintenance round to time"},
    Left{"stopped", "see activation"},
    Left{"disabled", "see activation"},
    Left{"mx", "ballast takes its memory as it needs it"},
    Left{"ms", "ballast takes its memory as it needs it"},
};

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_true(std::string_view text) {
  return !text.empty() && std::string_view("TtYy1").find(text.front()) != std::string_view::npos;
}

bool is_host(std::string_view text) {
  constexpr std::size_t host_max = 253;
  return !text.empty() && text.size() <= host_max && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_' || c == ':';
  });
}

class Importer {
 public:
  explicit Importer(const ImportSource& source) : file_(source, out_.notes) {}

  Imported run() {
    const Property* list = file_.find("worker.list");
    const std::vector<std::string> workers =
        list != nullptr ? listed_words(list->value) : std::vector<std::string>{"ajp13"};
    if (list == nullptr) note(0, "worker.list", "it is missing; \"ajp13\" is what mod_jk takes then");
    std::string groups;
    for (const std::string& worker : workers) {
      if (listed_.insert(worker).second) groups += group_of(worker);
    }
    if (!groups.empty()) {
      out_.yaml =
          "# Target groups of mod_jk's workers. Listeners that forward to them are yours to add.\ntarget_groups:\n" +
          groups;
    }
    note_rest();
    std::ranges::sort(out_.notes, {}, [](const Note& note) { return std::tie(note.line, note.text); });
    return std::move(out_);
  }

 private:
  struct Member {
    std::string worker;
    std::string address;
    std::string route;
    std::int64_t weight = 1;
  };

  void note(int line, std::string_view what, std::string_view words) {
    out_.notes.push_back({.line = line, .text = fmt::format("{}: {}", config::crop(what), words)});
  }
  void note(const Property& property, std::string_view words) { note(property.line, property.key, words); }

  std::string type_of(const std::string& worker) {
    const Property* type = file_.find(worker, "type");
    return type == nullptr ? "ajp13" : type->value;
  }

  // The number of a property, within bounds; what is not is noted and as if it were not there.
  std::optional<std::int64_t> number(const std::string& worker, std::string_view name, std::int64_t max) {
    Property* property = file_.find(worker, name);
    if (property == nullptr) return std::nullopt;
    const auto value = number_of(property->value);
    if (!value.has_value() || *value < 0) {
      note(*property, fmt::format("{} is no number", config::quote(property->value)));
      return std::nullopt;
    }
    if (*value > max) note(*property, fmt::format("{} is more than can be set; {} is", *value, max));
    return std::min(*value, max);
  }

  std::string group_name(const std::string& worker) {
    std::string name = yaml_name(worker);
    for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}-{}", yaml_name(worker).substr(0, 58), i);
    if (name != worker) note(0, worker, fmt::format("the group is called {}", name));
    return name;
  }

  // Nothing where it has no group.
  std::string group_of(const std::string& worker) {
    used_.insert(worker);
    const std::string type = type_of(worker);
    if (type == "lb") return group_of_balancer(worker);
    if (type == "status") {
      note_worker(worker, "type", "a status worker: `ballast status`, and the admin section's http address, show it");
      return "";
    }
    if (type != "ajp13") {
      note_worker(worker, "type",
                  fmt::format("workers of type {} cannot be carried over; ajp13 and lb can", config::quote(type)));
      return "";
    }
    if (file_.all().empty()) return "";
    const auto member = member_of(worker);
    if (!member.has_value()) return "";
    const std::string name = group_name(worker);
    return fmt::format("  {}:\n    protocol: ajp\n", name) + shared_settings({worker}, worker) +
           fmt::format("    targets:\n      - \"{}\"\n", member->address);
  }

  // At the property's line, and all else of that worker is left out with it.
  void note_worker(const std::string& worker, std::string_view name, std::string_view words) {
    const Property* property = file_.find(worker, name);
    note(property == nullptr ? 0 : property->line, property == nullptr ? "worker." + worker : property->key, words);
  }

  std::optional<Member> member_of(const std::string& worker) {
    constexpr std::int64_t port_default = 8009;
    if (!has_any(worker)) {
      note(0, worker, "there is no such worker");
      return std::nullopt;
    }
    const Property* host = file_.find(worker, "host");
    const std::string name = host == nullptr ? "localhost" : host->value;
    const auto port = number(worker, "port", 65535);
    if (!is_host(name) || port.value_or(port_default) == 0) {
      note_worker(worker, is_host(name) ? "port" : "host",
                  fmt::format("{}:{} is no address to connect to; the worker is left out", config::crop(name),
                              port.value_or(port_default)));
      return std::nullopt;
    }
    const bool v6 = name.find(':') != std::string::npos;
    return Member{.worker = worker,
                  .address = fmt::format("{}{}{}:{}", v6 ? "[" : "", name, v6 ? "]" : "", port.value_or(port_default)),
                  .route = "",
                  .weight = 1};
  }

  bool has_any(const std::string& worker) {
    return std::ranges::any_of(file_.all(),
                               [&](const Property& p) { return PropertyFile::worker_of(p.key) == worker; });
  }

  std::string group_of_balancer(const std::string& worker) {
    Property* list = file_.find(worker, "balance_workers");
    if (list == nullptr) list = file_.find(worker, "balanced_workers");
    if (list == nullptr) {
      note_worker(worker, "type", "it balances no workers (balance_workers); it is left out");
      return "";
    }
    std::vector<Member> members;
    std::vector<std::string> names;
    std::set<std::string> addresses;
    std::set<std::string> routes;
    for (const std::string& name : listed_words(list->value)) {
      if (std::ranges::find(names, name) != names.end()) continue;
      names.push_back(name);
      used_.insert(name);
      auto member = balanced(name);
      if (!member.has_value()) continue;
      if (!addresses.insert(member->address).second) {
        note(*list, fmt::format("{}: another worker of this balancer has its address {}; it is left out", name,
                                member->address));
        continue;
      }
      if (!member->route.empty() && !routes.insert(member->route).second) {
        note(*list, fmt::format("{}: another worker of this balancer has its route {}; it is left without", name,
                                member->route));
        member->route.clear();
      }
      members.push_back(std::move(*member));
    }
    if (members.empty()) {
      note(*list, "none of its workers could be carried over; it is left out");
      return "";
    }
    scale_weights(*list, members);
    std::vector<std::string> sources{worker};
    for (const Member& member : members) sources.push_back(member.worker);
    std::string out = fmt::format("  {}:\n    protocol: ajp\n", group_name(worker));
    out += balancing(worker);
    out += shared_settings(sources, worker);
    out += "    targets:\n";
    for (const Member& member : members) {
      out += fmt::format("      - {{ address: \"{}\"", member.address);
      if (!member.route.empty()) out += fmt::format(", route: {}", yaml_text(member.route));
      if (member.weight != 1) out += fmt::format(", weight: {}", member.weight);
      out += " }\n";
    }
    return out;
  }

  std::optional<Member> balanced(const std::string& worker) {
    auto member = member_of(worker);
    if (!member.has_value()) return std::nullopt;
    if (const std::string type = type_of(worker); type != "ajp13") {
      note_worker(worker, "type",
                  fmt::format("a balancer's worker of type {} cannot be carried over", config::quote(type)));
      return std::nullopt;
    }
    // A worker's route is its name where none is given.
    const Property* route = file_.find(worker, "route");
    if (route == nullptr) route = file_.find(worker, "jvm_route");
    member->route = route == nullptr ? worker : route->value;
    if (yaml_name(member->route) != member->route && !member->route.empty()) {
      note(route == nullptr ? 0 : route->line, member->route,
           "not the name of a route: letters, digits, \"_\", \".\" and \"-\"; its sessions will not stick");
      member->route.clear();
    }
    member->weight = std::max<std::int64_t>(1, number(worker, "lbfactor", 1'000'000'000).value_or(1));
    Property* activation = file_.find(worker, "activation");
    if (activation != nullptr && !activation->value.empty()) {
      switch (activation->value.front() | 0x20) {
        case 'a':
          break;
        case 'd':
          note(*activation, "a disabled worker is a target of weight 0: it gets the requests of its sessions only");
          member->weight = 0;
          break;
        case 's':
          note(*activation, "a stopped worker is left out; add it when it is to serve");
          return std::nullopt;
        default:
          note(*activation, fmt::format("{} is none of active, disabled and stopped; taken for active",
                                        config::quote(activation->value)));
      }
    }
    return member;
  }

  void scale_weights(const Property& list, std::vector<Member>& members) {
    constexpr std::int64_t weight_max = 999;
    const std::int64_t most = std::ranges::max(members, {}, &Member::weight).weight;
    if (most <= weight_max) return;
    note(list, fmt::format("lbfactor goes up to {}, weights to {}; they are scaled", most, weight_max));
    for (Member& member : members) {
      if (member.weight != 0) member.weight = std::max<std::int64_t>(1, member.weight * weight_max / most);
    }
  }

  std::string balancing(const std::string& worker) {
    std::string out;
    if (Property* method = file_.find(worker, "method"); method != nullptr) {
      switch (method->value.empty() ? 'r' : method->value.front() | 0x20) {
        case 'r':
        case 'n':
          break;
        case 'b':
          out += "    algorithm: least_requests\n";
          break;
        case 's':
          note(*method, "sessions are not counted; round_robin is what comes near");
          break;
        case 't':
          note(*method, "bytes are not counted; least_requests is what comes near");
          out += "    algorithm: least_requests\n";
          break;
        default:
          note(*method, fmt::format("{} is no method of mod_jk; round_robin is taken", config::quote(method->value)));
      }
    }
    const Property* sticky = file_.find(worker, "sticky_session");
    if (sticky != nullptr && !is_true(sticky->value)) return out + "    session_route: off\n";
    std::vector<std::string> names;
    const auto add = [&](std::string_view key, const Property& property, std::string_view name) {
      if (name.empty() || name.size() > 128 || yaml_name(name.substr(0, 64)) != name.substr(0, 64)) {
        note(property,
             fmt::format("{} is not the name of a {} here; the usual one is taken", config::quote(name), key));
      } else {
        names.push_back(fmt::format("{}: {}", key, yaml_text(name)));
      }
    };
    if (const Property* cookie = file_.find(worker, "session_cookie"); cookie != nullptr)
      add("cookie", *cookie, cookie->value);
    if (const Property* path = file_.find(worker, "session_path"); path != nullptr) {
      std::string_view parameter = path->value;
      if (parameter.starts_with(';')) parameter.remove_prefix(1);
      add("parameter", *path, parameter.substr(0, parameter.find('=')));
    }
    return out + section("session_route", names);
  }

  // The first of the workers that has the property decides for the group; those that say otherwise are noted.
  std::string source_of(const std::vector<std::string>& workers, std::string_view name) {
    std::string found;
    for (const std::string& worker : workers) {
      if (!file_.has(worker, name)) continue;
      Property* property = file_.find(worker, name);
      if (found.empty()) {
        found = worker;
      } else if (property->value != file_.find(found, name)->value) {
        note(*property, fmt::format("a group has one {}; that of {} was taken", name, found));
      }
    }
    return found;
  }
  std::optional<std::int64_t> shared_number(const std::vector<std::string>& workers, std::string_view name,
                                            std::int64_t max) {
    const std::string worker = source_of(workers, name);
    return worker.empty() ? std::nullopt : number(worker, name, max);
  }

  std::string shared_settings(const std::vector<std::string>& workers, const std::string& group) {
    return ajp_settings(workers) + timeouts(workers) + retries(workers, group) + pool(workers);
  }

  std::string ajp_settings(const std::vector<std::string>& workers) {
    std::vector<std::string> parts;
    if (const std::string worker = source_of(workers, "secret"); !worker.empty()) {
      const Property& secret = *file_.find(worker, "secret");
      constexpr std::size_t secret_max = 1024;
      const bool good = secret.value.size() <= secret_max &&
                        std::ranges::all_of(secret.value, [](char c) { return c >= 0x20 && c < 0x7F; });
      if (!good) {
        note(secret, "a secret is printable ASCII, at most 1 KiB; it is left out");
      } else if (!secret.value.empty()) {
        parts.push_back("secret: " + yaml_text(secret.value));
      }
    }
    constexpr std::int64_t packet_min = 8192;
    constexpr std::int64_t packet_max = 65536;
    if (const auto size = shared_number(workers, "max_packet_size", packet_max);
        size.has_value() && *size > packet_min) {
      parts.push_back(fmt::format("packet_size: {}KiB", (*size + 1023) / 1024));
    }
    constexpr std::int64_t ping_ms_max = 60'000;
    auto timeout = shared_number(workers, "ping_timeout", ping_ms_max);
    bool before_each = false;
    if (const std::string worker = source_of(workers, "ping_mode"); !worker.empty()) {
      const std::string& mode = file_.find(worker, "ping_mode")->value;
      before_each = mode.find_first_of("PpAa") != std::string::npos;
      if (mode.find_first_of("CcAa") != std::string::npos) {
        note(*file_.find(worker, "ping_mode"),
             "a new connection is not asked with CPING; the health check does that in its own time");
      }
    }
    if (const auto prepost = shared_number(workers, "prepost_timeout", ping_ms_max); prepost.value_or(0) > 0) {
      before_each = true;
      if (!timeout.has_value()) timeout = prepost;
    }
    if (const auto connect = shared_number(workers, "connect_timeout", ping_ms_max); connect.value_or(0) > 0) {
      note(*file_.find(source_of(workers, "connect_timeout"), "connect_timeout"),
           "a new connection is not asked with CPING; the health check does that in its own time");
    }
    const auto interval = shared_number(workers, "connection_ping_interval", 3600);
    if (before_each) {
      parts.emplace_back("ping_after: 0s");
    } else if (interval.value_or(0) > 0) {
      parts.push_back(fmt::format("ping_after: {}s", *interval));
    }
    if (timeout.value_or(0) >= 10) parts.push_back(fmt::format("ping_timeout: {}ms", *timeout));
    return section("ajp", parts);
  }

  std::string timeouts(const std::vector<std::string>& workers) {
    std::vector<std::string> parts;
    constexpr std::int64_t day_s = 86'400;
    const auto connect = shared_number(workers, "socket_connect_timeout", 120'000);
    if (connect.value_or(0) >= 10) parts.push_back(fmt::format("connect: {}ms", *connect));
    const auto reply = shared_number(workers, "reply_timeout", day_s * 1000);
    const auto socket = shared_number(workers, "socket_timeout", day_s);
    std::string time;
    if (reply.value_or(0) >= 10) {
      time = fmt::format("{}ms", *reply);
    } else if (socket.value_or(0) > 0) {
      time = fmt::format("{}s", *socket);
    }
    if (!time.empty()) {
      parts.push_back("header: " + time);
      parts.push_back("idle: " + time);
    }
    return section("timeouts", parts);
  }

  std::string retries(const std::vector<std::string>& workers, const std::string& group) {
    std::vector<std::string> parts;
    for (const std::string& worker : workers) {
      if (worker == group) {
        const auto attempts = number(worker, "retries", 10);
        if (attempts.has_value()) parts.push_back(fmt::format("attempts: {}", std::max<std::int64_t>(1, *attempts)));
      } else if (file_.has(worker, "retries")) {
        note(*file_.find(worker, "retries"),
             "a target is not tried again; the group's retries.attempts counts all of them");
      }
    }
    return section("retries", parts);
  }

  std::string pool(const std::vector<std::string>& workers) {
    std::vector<std::string> parts;
    auto size = shared_number(workers, "connection_pool_size", 100'000);
    const auto old_size = shared_number(workers, "cachesize", 100'000);
    if (!size.has_value()) size = old_size;
    if (size.has_value()) parts.push_back(fmt::format("idle_max: {}", *size));
    constexpr std::int64_t hour_s = 3600;
    std::optional<std::int64_t> timeout;
    for (const std::string_view name : {"connection_pool_timeout", "cache_timeout", "recycle_timeout"}) {
      const auto value = shared_number(workers, name, hour_s);
      if (!timeout.has_value()) timeout = value;
    }
    // 0: never closed.
    if (timeout.has_value()) parts.push_back(fmt::format("idle_timeout: {}s", *timeout == 0 ? hour_s : *timeout));
    return section("pool", parts);
  }

  static std::string section(std::string_view name, const std::vector<std::string>& parts) {
    if (parts.empty()) return "";
    return fmt::format("    {}: {{ {} }}\n", name, fmt::join(parts, ", "));
  }

  // Names every property that nothing above has asked for.
  void note_rest() {
    const auto referred = referred_workers();
    for (Property& property : file_.all()) {
      if (property.settled) continue;
      const std::string worker = PropertyFile::worker_of(property.key);
      const std::string_view name = std::string_view(property.key).substr(property.key.rfind('.') + 1);
      const auto known = std::ranges::find(left_out, name, &Left::name);
      if (name == "reference" && (used_.contains(worker) || referred.contains(worker))) continue;
      if (worker.empty() && known == left_out.end()) {
        // "ps=/" and the like: variables for the other lines.
        if (property.key.starts_with("worker")) note(property, "not a property of a worker");
      } else if (known != left_out.end()) {
        note(property, known->words);
      } else if (!used_.contains(worker) && !referred.contains(worker)) {
        note(property, "the worker is neither in worker.list nor of a balancer that is; it is left out");
      } else if (used_.contains(worker) && type_of(worker) != "ajp13" && type_of(worker) != "lb") {
        note(property, "it goes with its worker");
      } else {
        note(property, "not carried over: mod_jk has no such property, or it says nothing to a worker of this kind");
      }
    }
  }

  std::set<std::string> referred_workers() {
    constexpr std::string_view prefix = "worker.";
    std::set<std::string> referred;
    for (const Property& property : file_.all()) {
      if (property.key.ends_with(".reference") && property.value.starts_with(prefix)) {
        referred.insert(property.value.substr(prefix.size()));
      }
    }
    return referred;
  }

  Imported out_;
  PropertyFile file_;
  std::set<std::string> listed_;
  std::set<std::string> used_;   // workers
  std::set<std::string> names_;  // of groups
};

Imported read(const ImportSource& source) {
  return Importer(source).run();
}

bool recognises(std::string_view file_name, std::string_view text) {
  if (file_name.ends_with("workers.properties")) return true;
  return file_name.ends_with(".properties") && text.find("worker.list") != std::string_view::npos;
}

}  // namespace

ImportFormat workers_properties_format() {
  return {.name = "workers.properties", .words = "mod_jk's workers", .recognises = recognises, .read = read};
}

}  // namespace ballast::admin
