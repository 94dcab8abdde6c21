// Backends: servers, how one of them is picked, and their checks.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "admin/import/haproxy_read.h"
#include "config/units.h"

namespace ballast::admin {
namespace {

std::optional<long> number(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

constexpr std::string_view requests_max = "target_requests_max";

// Options of a server line that have a value behind them.
bool has_value(std::string_view option) {
  constexpr std::string_view known[] = {"weight",       "inter",         "fastinter",
                                        "downinter",    "rise",          "fall",
                                        "maxconn",      "minconn",       "cookie",
                                        "verify",       "ca-file",       "crt",
                                        "sni",          "check-sni",     "port",
                                        "addr",         "resolvers",     "resolve-prefer",
                                        "init-addr",    "slowstart",     "observe",
                                        "on-error",     "error-limit",   "alpn",
                                        "ciphers",      "track",         "maxqueue",
                                        "source",       "agent-port",    "agent-inter",
                                        "id",           "pool-max-conn", "pool-purge-delay",
                                        "max-reuse",    "proto",         "verifyhost",
                                        "crl-file",     "ciphersuites",  "check-alpn",
                                        "ssl-min-ver",  "ssl-max-ver",   "on-marked-down",
                                        "on-marked-up", "namespace",     "log-proto",
                                        "socks4",       "resolve-net",   "resolve-opts",
                                        "check-proto"};
  return std::ranges::find(known, option) != std::end(known);
}

bool is_about_logs_or_http(std::string_view option) {
  constexpr std::string_view known[] = {"httplog",
                                        "tcplog",
                                        "dontlognull",
                                        "dontlog-normal",
                                        "log-health-checks",
                                        "http-keep-alive",
                                        "http-server-close",
                                        "forwardfor",
                                        "redispatch",
                                        "contstats",
                                        "tcpka",
                                        "clitcpka",
                                        "srvtcpka",
                                        "splice-auto",
                                        "http-buffer-request",
                                        "log-separate-errors",
                                        "abortonclose",
                                        "tcp-check"};
  return std::ranges::find(known, option) != std::end(known);
}

}  // namespace

std::string HaproxyReader::group_for(const std::string& name, const std::string& mode) {
  const auto found = backends_.find(name);
  if (found == backends_.end()) return {};
  std::string& group_name = group_of_[name];
  if (!group_name.empty()) return group_name;
  group_name = draft_.name_for_group(name);
  DraftGroup group;
  group.name = group_name;
  group.protocol = mode;
  draft_.groups.push_back(group);
  const std::size_t place = draft_.groups.size() - 1;
  backend(*found->second, group);
  draft_.groups[place] = std::move(group);
  return group_name;
}

void HaproxyReader::server(const HaproxyLine& line, const std::vector<std::string>& defaults, DraftGroup& group) {
  std::string address = line.word(2);
  if (address.starts_with('/')) address.insert(0, "unix:");
  for (const std::string_view family : {"ipv4@", "ipv6@", "unix@"}) {
    if (address.starts_with(family)) address = (family == "unix@" ? "unix:" : "") + address.substr(family.size());
  }
  const auto parsed = config::parse_address(address);
  if (!parsed || (!parsed->is_unix() && (parsed->host.empty() || parsed->port == 0)))
    return left_out(line, "this is no address with a port");
  std::vector<std::string> options = defaults;
  options.insert(options.end(), line.words.begin() + 3, line.words.end());
  long weight = 1;
  bool has_weight = false;
  bool is_checked = false;
  for (std::size_t i = 0; i < options.size(); ++i) {
    const std::string& option = options[i];
    const std::string value = has_value(option) && i + 1 < options.size() ? options[++i] : std::string();
    if (option == "check") {
      is_checked = true;
    } else if (option == "no-check") {
      is_checked = false;
    } else if (option == "weight" && number(value)) {
      weight = std::min(*number(value), 999L);
      has_weight = true;
    } else if (option == "inter" || option == "rise" || option == "fall" || option == "port") {
      check_options_[option] = value;
    } else if (option == "backup") {
      return left_out(line, "there are no backup servers; it is left out, and would otherwise get its share always");
    } else if (option == "disabled") {
      return left_out(line, "a disabled server is left out; ballast target drain takes one out while running");
    } else if (option == "ssl") {
      return left_out(line, "TLS toward servers is not carried over; it is left out and not asked in clear instead");
    } else if (option.starts_with("send-proxy")) {
      return left_out(line,
                      "the PROXY protocol toward servers is not carried over; it is left out, since it would not "
                      "understand what comes without it");
    } else if (option == "maxconn" && number(value)) {
      const bool waits = group.protocol == "http";
      const std::string name(waits ? requests_max : "target_connections_max");
      const bool is_known = std::ranges::any_of(group.properties, [&](const auto& each) { return each.first == name; });
      if (!is_known) group.properties.emplace_back(name, fmt::format("{}", std::min(*number(value), 1'000'000L)));
      left_out(line, waits ? "changed: maxconn is of every target of the group"
                           : "changed: maxconn is of every target of the group, for each worker, and nothing waits in "
                             "a queue");
    } else if (option == "cookie") {
      left_out(line, "cookies that keep a client at a server are not carried over");
    } else {
      left_out(line, fmt::format("{} has no counterpart", shown(option)));
    }
  }
  if (is_checked) check_options_["check"] = "yes";
  if (!group.add_target(address, has_weight ? weight : 1)) left_out(line, std::string(twin_text));
}

void HaproxyReader::health(const HaproxySection& section, DraftGroup& group) {
  if (!check_options_.contains("check")) {
    group.properties.emplace_back("health_check", "off");
    return;
  }
  DraftProperties check;
  bool is_http = false;
  std::string method = "OPTIONS";  // HAProxy's own
  std::string path = "/";
  std::string host;
  std::string codes = "200-399";
  std::string timeout;
  for (const HaproxyLine& line : section.lines) {
    if (line.word(0) == "option" && line.word(1) == "httpchk") {
      is_http = true;
      if (line.words.size() == 3) path = line.word(2);
      if (line.words.size() > 3) {
        method = line.word(2);
        path = line.word(3);
      }
    } else if (line.word(0) == "http-check" && line.word(1) == "send") {
      if (!line.after("meth").empty()) method = line.after("meth");
      if (!line.after("uri").empty()) path = line.after("uri");
      const auto header = std::ranges::find(line.words, "hdr");
      if (header != line.words.end() && line.words.end() - header > 2) {
        if (*(header + 1) == "Host" || *(header + 1) == "host")
          host = *(header + 2);
        else
          left_out(line, "the check sends Host alone");
      }
    } else if (line.word(0) == "http-check" && line.word(1) == "expect") {
      std::string wanted = line.after("status");
      std::ranges::replace(wanted, ';', ',');
      const bool is_codes = line.word(2) == "status" && !wanted.empty() && std::ranges::all_of(wanted, [](char c) {
                              return (c >= '0' && c <= '9') || c == ',' || c == '-';
                            });
      if (is_codes)
        codes = wanted;
      else
        left_out(line, "the check looks at the status alone");
    } else if (line.word(0) == "timeout" && line.word(1) == "check") {
      timeout = line.word(2);
    }
  }
  const auto is_clean = [](const std::string& text) {
    return std::ranges::all_of(
        text, [](char c) { return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F; });
  };
  check.emplace_back("protocol", is_http && group.protocol == "http" ? "http" : "tcp");
  if (is_http && group.protocol == "http") {
    const bool is_method = !method.empty() && method.size() <= 32 &&
                           std::ranges::all_of(method, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (path.starts_with('/') && is_clean(path) && path.size() <= 1000) check.emplace_back("path", yaml_text(path));
    if (is_method) check.emplace_back("method", yaml_text(method));
    if (!host.empty() && is_clean(host) && host.size() <= 200) check.emplace_back("host", yaml_text(host));
    check.emplace_back("success_codes", yaml_text(codes));
  } else if (is_http) {
    draft_.note({}, section.line, "option httpchk: of a TCP group the check is whether it can be connected to");
  }
  const auto inter = haproxy_milliseconds(check_options_["inter"]);
  const long interval = std::clamp(inter.value_or(2'000), 100L, 300'000L);  // HAProxy's default: 2 s
  check.emplace_back("interval", haproxy_duration(interval, 100, 300'000));
  const auto patience = haproxy_milliseconds(timeout);
  check.emplace_back("timeout", haproxy_duration(std::min(patience.value_or(interval), interval), 50, 120'000));
  check.emplace_back("healthy_threshold",
                     fmt::format("{}", std::clamp(number(check_options_["rise"]).value_or(2), 1L, 10L)));
  check.emplace_back("unhealthy_threshold",
                     fmt::format("{}", std::clamp(number(check_options_["fall"]).value_or(3), 1L, 10L)));
  const auto port = number(check_options_["port"]);
  if (port && *port > 0 && *port < 65'536) check.emplace_back("port", fmt::format("{}", *port));
  group.properties.emplace_back("health_check", yaml_map(check));
}

void HaproxyReader::backend(const HaproxySection& section, DraftGroup& group) {
  check_options_.clear();
  std::vector<std::string> defaults;
  std::string algorithm;
  std::string key;
  bool is_consistent = false;
  std::map<std::string, long> times;
  long retries = 3;  // HAProxy's default
  for (const HaproxyLine& line : section.lines) {
    const std::string word = line.word(0);
    const std::string first = line.word(1);
    if (word == "server" && line.words.size() >= 3) {
      server(line, defaults, group);
    } else if (word == "default-server") {
      defaults.insert(defaults.end(), line.words.begin() + 1, line.words.end());
    } else if (word == "balance") {
      if (first == "roundrobin" || first == "static-rr")
        algorithm = "round_robin";
      else if (first == "leastconn")
        algorithm = "least_requests";
      else if (first == "random" || first.starts_with("random("))
        algorithm = first == "random(1)" ? "random" : "two_choices";
      else if (first == "source")
        algorithm = "source_hash", key = "source";
      else if (first == "uri")
        algorithm = "source_hash", key = "path";
      else if (first.starts_with("hdr(") && first.ends_with(')') && first.size() > 5 &&
               std::ranges::all_of(first.substr(4, first.size() - 5), [](char c) {
                 return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                        c == '_';
               }))
        algorithm = "source_hash", key = "header:" + first.substr(4, first.size() - 5);
      else
        left_out(line, "this way of picking a server has no counterpart; they are taken in turn");
    } else if (word == "hash-type") {
      is_consistent = first == "consistent";
    } else if (word == "stick" && line.has("src") && algorithm.empty()) {
      algorithm = "source_hash";
      key = "source";
      left_out(line, "changed: clients are kept at a server by a hash of their address, without a table");
    } else if (word == "timeout") {
      if (const auto ms = haproxy_milliseconds(line.word(2))) times[first] = *ms;
    } else if (word == "retries" && number(first)) {
      retries = *number(first);
    } else if (word == "option" && (first == "httpchk" || is_about_logs_or_http(first))) {
      if (first == "redispatch") continue;  // a retry is always at another server
    } else if (word == "http-request" && section.kind == "backend") {
      const bool denies = first == "deny" || first == "auth" || first == "reject" || first == "tarpit";
      left_out(line, denies ? "a backend's own conditions are not carried over; it is left without servers"
                            : "a backend's own rules are not carried over");
      if (denies) check_options_["closed"] = "yes";
    } else if (word == "mode" || word == "http-check" || word == "bind" || word == "acl" || word == "use_backend" ||
               word == "default_backend" || word == "http-request" || word == "redirect" || word == "maxconn" ||
               word == "monitor-uri" || word == "log" || word == "option") {
      const bool is_backends_own =
          section.kind == "backend" && static_cast<std::size_t>(&line - section.lines.data()) >= section.inherited;
      if (is_backends_own && (word == "option" || word == "acl" || word == "redirect" || word == "log"))
        left_out(line, "it has no counterpart in a target group");
    } else if (word == "cookie") {
      left_out(line,
               "cookies that keep a client at a server are not carried over; hash_key: cookie:NAME keeps one that the "
               "application sets");
    } else if (section.kind == "backend") {
      left_out(line, "it has no counterpart in a target group");
    }
  }
  if (is_consistent && algorithm == "source_hash") algorithm = "maglev";
  if (!algorithm.empty() && algorithm != "round_robin") group.properties.emplace_back("algorithm", algorithm);
  if (!key.empty() && (group.protocol == "http" || key == "source"))
    group.properties.emplace_back("hash_key", yaml_text(key));
  if (check_options_.contains("closed")) group.targets.clear();
  health(section, group);
  DraftProperties timeouts;
  if (times.contains("connect")) timeouts.emplace_back("connect", haproxy_duration(times["connect"], 10, 120'000));
  if (times.contains("server") && group.protocol == "http") {
    timeouts.emplace_back("header", haproxy_duration(times["server"], 10, 86'400'000));
    timeouts.emplace_back("idle", haproxy_duration(times["server"], 10, 86'400'000));
  }
  if (!timeouts.empty()) group.properties.emplace_back("timeouts", yaml_map(timeouts));
  // Without `timeout queue` HAProxy waits as long as for a connection.
  const auto patience = times.contains("queue") ? times.find("queue") : times.find("connect");
  const bool waits = std::ranges::any_of(group.properties, [](const auto& each) { return each.first == requests_max; });
  if (waits && patience != times.end()) {
    group.properties.emplace_back("queue", yaml_map({{"timeout", haproxy_duration(patience->second, 10, 600'000)}}));
  }
  if (retries != 3)
    group.properties.emplace_back("retries", fmt::format("{{ attempts: {} }}", std::clamp(retries + 1, 1L, 10L)));
}

}  // namespace ballast::admin
