#include "admin/import/nginx_read.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "config/units.h"

namespace ballast::admin {
namespace {

// What says how nginx itself runs, and has no meaning here.
bool is_about_nginx_itself(std::string_view name) {
  constexpr std::array names{"user",
                             "pid",
                             "events",
                             "daemon",
                             "master_process",
                             "worker_rlimit_nofile",
                             "load_module",
                             "pcre_jit",
                             "thread_pool",
                             "worker_cpu_affinity",
                             "worker_priority",
                             "env",
                             "timer_resolution",
                             "lock_file"};
  return std::ranges::find(names, name) != names.end();
}

// What is of a listener here: its servers share one value.
bool is_listeners(std::string_view name) {
  return name == "client_max_body_size" || name == "keepalive_timeout" || name == "client_header_timeout" ||
         name == "client_body_timeout";
}

// "10m" in bytes; none: it is no size.
std::optional<std::uint64_t> bytes_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error != std::errc() || value > (std::uint64_t{1} << 40)) return std::nullopt;
  if (unit.empty()) return value;
  if (unit == "k" || unit == "K") return value << 10U;
  if (unit == "m" || unit == "M") return value << 20U;
  if (unit == "g" || unit == "G") return value << 30U;
  return std::nullopt;
}

// Of `listen`: ":80", "10.0.0.1:80", "[fd00::1]:80", "unix:/x"; empty: it is none.
std::string listen_address(std::string text) {
  if (text.starts_with("unix:")) return config::parse_address(text) ? text : std::string();
  const bool is_port = !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (is_port)
    text.insert(0, ":");
  else if (text.ends_with(']') || text.find(':') == std::string::npos)
    text += ":80";
  for (const std::string_view any : {"*:", "0.0.0.0:", "[::]:"}) {
    if (text.starts_with(any)) text.erase(0, any.size() - 1);
  }
  const auto parsed = config::parse_address(text);
  return parsed ? text : std::string();
}

// In which order nginx tries names.
int rank_of(const std::string& name) {
  if (name.starts_with('~')) return 3;
  if (name.starts_with("*.") || name.starts_with('.')) return 1;
  return name.ends_with(".*") ? 2 : 0;
}

struct Hosts {
  int rank = 0;
  std::size_t size = 0;
  std::size_t server = 0;
  std::size_t order = 0;  // of the file
  std::vector<std::string> patterns;
};

}  // namespace

std::string_view why_left_out(std::string_view name) {
  if (name.starts_with("limit_req")) return "limits of rate are not carried over; see rate_limits";
  if (name.starts_with("limit_conn")) {
    return "limits of connections are not carried over; see limits.connections_per_address";
  }
  return "it has no counterpart";
}

std::optional<long> nginx_milliseconds(std::string_view text) {
  if (text.empty()) return std::nullopt;
  long total = 0;
  while (!text.empty()) {
    long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || value < 0 || value > 100'000'000) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    constexpr std::pair<std::string_view, long> units[] = {
        {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    const auto unit = std::ranges::find_if(units, [&](const auto& each) { return text.starts_with(each.first); });
    if (unit == std::end(units) && !text.empty()) return std::nullopt;
    total += value * (text.empty() ? 1'000 : unit->second);
    if (!text.empty()) text.remove_prefix(unit->first.size());
  }
  return total;
}

std::string duration_text(long ms, Milliseconds bounds) {
  const long within = std::clamp(ms, bounds.min, bounds.max);
  return within % 1'000 == 0 ? fmt::format("{}s", within / 1'000) : fmt::format("{}ms", within);
}

void NginxReader::left_out(const NginxDirective& directive, std::string_view why) {
  draft_.note(directive.file, directive.line, fmt::format("{}: {}", directive.text(), why));
}

void NginxReader::main_directive(const NginxDirective& directive) {
  if (directive.name == "worker_processes") {
    const std::string value = directive.word(0);
    const bool is_count = !value.empty() && value.size() <= 2 && value[0] != '0' &&
                          std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (is_count) draft_.properties.emplace_back("workers", value);
  } else if (is_about_nginx_itself(directive.name)) {
    left_out(directive, "it has no meaning here");
  } else if (directive.name == "error_log") {
    left_out(directive, "ballast writes what goes wrong to standard error and to ballast events");
  } else {
    left_out(directive, why_left_out(directive.name));
  }
}

void NginxReader::read(std::vector<NginxDirective>& all) {
  // A file of sites-available or conf.d has its servers at the top.
  const bool is_part = std::ranges::none_of(
      all, [](const NginxDirective& each) { return each.name == "http" || each.name == "stream"; });
  if (is_part) {
    NginxDirective whole{.name = "http", .words = {}, .block = all, .has_block = true};
    http(whole);
    return;
  }
  for (NginxDirective& each : all) {
    if (each.name == "http") {
      http(each);
    } else if (each.name == "stream") {
      stream(each);
    } else {
      main_directive(each);
    }
  }
}

void NginxReader::http(NginxDirective& block) {
  NginxScope scope;
  http_upstreams_.clear();
  listens_.clear();
  for (const NginxDirective& each : block.block) {
    if (each.name == "upstream") http_upstreams_[each.word(0)] = &each;
  }
  for (const NginxDirective& each : block.block) {
    if (each.name == "server" || each.name == "upstream" || is_listeners(each.name) || take_into(each, scope)) continue;
    if (each.name == "access_log") {
      const bool is_path =
          each.word(0) != "off" && each.word(0).find('$') == std::string::npos && !each.word(0).starts_with("syslog:");
      if (is_path && !said_access_log_ && !each.word(0).empty()) {
        said_access_log_ = true;
        draft_.properties.emplace_back("access_log",
                                       fmt::format("{{ path: {}, format: combined }}", yaml_text(each.word(0))));
      } else if (each.word(0) != "off") {
        left_out(each, "there is one access log, for everything");
      }
    } else {
      left_out(each, why_left_out(each.name));
    }
  }
  std::vector<NginxDirective> inherited;  // what a listener makes of its servers' values
  for (const NginxDirective& each : block.block) {
    if (is_listeners(each.name)) inherited.push_back(each);
  }
  for (NginxDirective& each : block.block) {
    if (each.name != "server") continue;
    for (const NginxDirective& outer : inherited) {
      if (each.find(outer.name) == nullptr) each.block.push_back(outer);
    }
    server(each, scope);
  }
  for (auto& [address, listen] : listens_) make_listener(address, listen);
  for (const auto& [name, directive] : http_upstreams_) {
    const bool is_used = std::ranges::any_of(
        group_of_, [&](const auto& each) { return each.first.starts_with(fmt::format("http {} ", name)); });
    if (!is_used) left_out(*directive, "no server passes anything to it");
  }
}

void NginxReader::listen(const NginxDirective& directive, NginxServer& server) {
  const std::string address = listen_address(directive.word(0));
  if (address.empty()) return left_out(directive, "this is no address");
  auto found = std::ranges::find_if(listens_, [&](const auto& each) { return each.first == address; });
  if (found == listens_.end()) {
    listens_.emplace_back(address, Listen{});
    found = listens_.end() - 1;
  }
  Listen& listen = found->second;
  if (listen.servers.empty() || listen.servers.back() != &server) listen.servers.push_back(&server);
  for (std::size_t i = 1; i < directive.words.size(); ++i) {
    const std::string& option = directive.words[i];
    if (option == "default_server" || option == "default") {
      listen.first_choice = &server;
    } else if (option == "ssl") {
      listen.is_tls = true;
    } else {
      left_out(directive, fmt::format("{} is left out", option));
    }
  }
}

void NginxReader::server(const NginxDirective& block, const NginxScope& scope) {
  NginxServer& server = *servers_.emplace_back(std::make_unique<NginxServer>());
  server.directive = &block;
  server.scope = scope;
  bool listens = false;
  std::vector<std::pair<bool, std::string>> access;
  for (const NginxDirective& each : block.block) {
    const std::string& name = each.name;
    if (name == "listen") {
      listens = true;
      listen(each, server);
    } else if (name == "server_name") {
      server.names.insert(server.names.end(), each.words.begin(), each.words.end());
    } else if (name == "allow" || name == "deny") {
      access.emplace_back(name == "allow", each.word(0) == "all" ? "" : each.word(0));
    } else if (name == "location" || name == "return" || name == "rewrite" || name == "if" || name == "proxy_pass" ||
               name == "try_files" || name == "client_max_body_size" || name == "keepalive_timeout" ||
               name == "client_header_timeout" || name == "client_body_timeout") {
      continue;  // in rules_of() and limits()
    } else if (name.starts_with("ssl_certificate")) {
      left_out(each, "certificates are not carried over; see the note of the listener");
    } else if (!take_into(each, server.scope)) {
      left_out(each, why_left_out(each.name));
    }
  }
  server.scope.access = std::move(access);
  if (!listens) {
    const NginxDirective everywhere{
        .name = "listen", .words = {"80"}, .block = {}, .file = block.file, .line = block.line};
    listen(everywhere, server);
  }
}

void NginxReader::limits(const std::vector<const NginxServer*>& servers, DraftListener& listener) {
  constexpr std::uint64_t usual = 1ULL << 20U;  // nginx's default
  std::optional<std::uint64_t> largest;
  bool is_unlimited = false;
  bool differs = false;
  DraftProperties timeouts;
  const NginxDirective* last = nullptr;
  for (const NginxServer* server : servers) {
    const NginxDirective* body = server->directive->find("client_max_body_size");
    if (body != nullptr) last = body;
    const auto bytes = body != nullptr ? bytes_of(body->word(0)).value_or(usual) : usual;
    differs = differs || (largest && *largest != bytes);
    is_unlimited = is_unlimited || bytes == 0;
    largest = std::max(largest.value_or(0), bytes);
    constexpr std::pair<std::string_view, std::string_view> times[] = {
        {"keepalive_timeout", "keep_alive"}, {"client_header_timeout", "header"}, {"client_body_timeout", "idle"}};
    for (const auto& [theirs, ours] : times) {
      const NginxDirective* found = server->directive->find(theirs);
      if (found == nullptr) continue;
      const auto ms = nginx_milliseconds(found->word(0));
      const bool is_known = std::ranges::any_of(timeouts, [&](const auto& each) { return each.first == ours; });
      if (!ms)
        left_out(*found, "this is no time");
      else if (!is_known)
        timeouts.emplace_back(ours, duration_text(*ms, {.min = ours == "keep_alive" ? 0 : 100,
                                                        .max = ours == "header" ? 600'000 : 3'600'000}));
    }
  }
  for (const NginxServer* server : servers) {
    std::vector<const NginxDirective*> inner;
    for (const NginxDirective& each : server->directive->block) {
      if (each.name == "location") inner.push_back(each.find("client_max_body_size"));
    }
    for (const NginxDirective* each : inner) {
      if (each != nullptr) left_out(*each, "the limit of a body is the listener's");
      if (each != nullptr && bytes_of(each->word(0))) {
        is_unlimited = is_unlimited || *bytes_of(each->word(0)) == 0;
        largest = std::max(*largest, *bytes_of(each->word(0)));
      }
    }
  }
  if (differs && last != nullptr)
    left_out(*last, "changed: the limit of a body is the listener's; the largest of its servers is taken");
  if (!is_unlimited && largest)
    listener.properties.emplace_back(
        "limits", fmt::format("{{ body: {} }}", config::show_size(std::min<std::uint64_t>(*largest, 1ULL << 40U))));
  if (!timeouts.empty()) listener.properties.emplace_back("timeouts", yaml_map(timeouts));
}

void NginxReader::make_listener(const std::string& address, Listen& listen) {
  DraftListener listener;
  std::string name = address.starts_with("unix:") ? "unix" : address.starts_with(':') ? "port" + address : address;
  listener.name = draft_.name_for_listener(name);
  listener.address = address;
  const NginxServer* fallback = listen.first_choice != nullptr ? listen.first_choice : listen.servers.front();
  if (listen.is_tls) {
    draft_.note(
        fallback->directive->file, fallback->directive->line,
        fmt::format(
            "listen {} ssl: the listener {} speaks plain HTTP; give it its certificates before clients reach it",
            address, listener.name));
  }
  limits(listen.servers, listener);

  std::vector<Hosts> all;
  constexpr std::size_t hosts_max = 100;  // of one condition
  for (std::size_t i = 0; i < listen.servers.size(); ++i) {
    if (listen.servers[i] == fallback) continue;
    const NginxServer& server = *listen.servers[i];
    for (const std::string& theirs : server.names) {
      if (theirs.empty() || theirs == "_" || theirs.size() > 500) continue;
      const int rank = rank_of(theirs);
      std::vector<std::string> patterns;
      if (rank == 3) {
        const std::string expression =
            whole_expression({.text = std::string_view(theirs).substr(1), .ignores_case = true});
        if (expression.empty()) {
          draft_.note(server.directive->file, server.directive->line,
                      fmt::format("server_name {}: the expression has no counterpart in RE2", shown(theirs)));
          continue;
        }
        patterns = {yaml_regex(expression)};
      } else if (theirs.starts_with('.')) {
        patterns = {yaml_text(theirs.substr(1)), yaml_text("*" + theirs)};
      } else {
        patterns = {yaml_text(theirs)};
      }
      const bool joins = rank == 0 && !all.empty() && all.back().rank == 0 && all.back().server == i &&
                         all.back().patterns.size() < hosts_max;
      if (joins)
        all.back().patterns.push_back(patterns.front());
      else
        all.push_back(
            {.rank = rank, .size = theirs.size(), .server = i, .order = all.size(), .patterns = std::move(patterns)});
    }
    const bool has_name =
        std::ranges::any_of(server.names, [](const std::string& each) { return !each.empty() && each != "_"; });
    if (!has_name)
      draft_.note(server.directive->file, server.directive->line,
                  fmt::format("this server is never chosen on {}: it has no name and is not the default", address));
  }
  std::ranges::sort(all, [](const Hosts& a, const Hosts& b) {
    if (a.rank != b.rank) return a.rank < b.rank;
    if ((a.rank == 1 || a.rank == 2) && a.size != b.size) return a.size > b.size;
    return a.order < b.order;
  });
  for (const Hosts& hosts : all) rules_of(*listen.servers[hosts.server], hosts.patterns, listener, false);
  // The names of the default server matter only where another one's wildcard or expression would take them.
  std::vector<std::string> own;
  for (const std::string& theirs : fallback->names) {
    if (rank_of(theirs) == 0 && !theirs.empty() && theirs != "_" && theirs.size() <= 500 && own.size() < hosts_max)
      own.push_back(yaml_text(theirs));
  }
  const bool others_take_any = std::ranges::any_of(all, [](const Hosts& hosts) { return hosts.rank != 0; });
  if (others_take_any && !own.empty()) {
    const std::vector<DraftRule> before = std::move(listener.rules);
    listener.rules.clear();
    rules_of(*fallback, own, listener, false);
    listener.rules.insert(listener.rules.end(), before.begin(), before.end());
  }
  rules_of(*fallback, {}, listener, true);
  constexpr std::size_t rules_max = 1'000;
  if (listener.rules.size() > rules_max) {
    draft_.note(
        {}, 0,
        fmt::format("listener {}: {} rules are more than a listener has; split its servers over several addresses",
                    listener.name, listener.rules.size()));
  }
  draft_.listeners.push_back(std::move(listener));
}

void NginxReader::stream(const NginxDirective& block) {
  stream_upstreams_.clear();
  for (const NginxDirective& each : block.block) {
    if (each.name == "upstream") stream_upstreams_[each.word(0)] = &each;
  }
  for (const NginxDirective& each : block.block) {
    if (each.name == "server") {
      stream_server(each);
    } else if (each.name != "upstream") {
      left_out(each, why_left_out(each.name));
    }
  }
}

void NginxReader::stream_server(const NginxDirective& block) {
  DraftListener listener;
  listener.protocol = "tcp";
  NginxScope scope;
  const NginxDirective* pass = nullptr;
  std::vector<std::string> addresses;
  for (const NginxDirective& each : block.block) {
    const auto ms = nginx_milliseconds(each.word(0));
    if (each.name == "listen") {
      const std::string address = listen_address(each.word(0));
      const bool is_udp = std::ranges::find(each.words, "udp") != each.words.end();
      if (address.empty() || is_udp)
        left_out(each, is_udp ? "only TCP is balanced" : "this is no address");
      else if (std::ranges::find(addresses, address) == addresses.end())
        addresses.push_back(address);
      if (std::ranges::find(each.words, "ssl") != each.words.end())
        left_out(each, "TLS is not ended here; the bytes are passed through");
    } else if (each.name == "proxy_pass") {
      pass = &each;
    } else if (each.name == "proxy_timeout" && ms) {
      listener.properties = {
          {"timeouts", fmt::format("{{ idle: {} }}", duration_text(*ms, {.min = 100, .max = 86'400'000}))}};
    } else if (each.name == "proxy_connect_timeout" && ms) {
      scope.connect_timeout = duration_text(*ms, {.min = 10, .max = 120'000});
    } else {
      left_out(each, why_left_out(each.name));
    }
  }
  const std::string group = pass != nullptr ? group_for(*pass, "tcp", scope) : std::string();
  if (group.empty()) {
    if (pass == nullptr) left_out(block, "this server passes nothing on");
    return;
  }
  listener.otherwise.action = fmt::format("forward: {}", yaml_text(group));
  for (const std::string& address : addresses) {
    listener.name =
        draft_.name_for_listener(fmt::format("tcp-{}", address.starts_with(':') ? address.substr(1) : address));
    listener.address = address;
    draft_.listeners.push_back(listener);
  }
}

Imported read_nginx(const ImportSource& source) {
  Draft draft(source);
  std::vector<NginxDirective> all = parse_nginx(source, draft);
  NginxReader(source, draft).read(all);
  return draft.finish("nginx");
}

bool recognises_nginx(std::string_view file_name, std::string_view text) {
  if (file_name == "nginx.conf") return true;
  const bool has_block = text.find("server {") != std::string_view::npos ||
                         text.find("http {") != std::string_view::npos ||
                         text.find("server{") != std::string_view::npos;
  return has_block && text.find(';') != std::string_view::npos;
}

}  // namespace ballast::admin
