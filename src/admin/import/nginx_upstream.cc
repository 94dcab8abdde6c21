// Upstreams and what stands behind proxy_pass: target groups.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "admin/import/nginx_read.h"
#include "config/units.h"

namespace ballast::admin {
namespace {

std::optional<long> number(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// As ours: "host:port", "[v6]:port", "unix:/path"; empty: it is none.
std::string target_address(std::string_view text, std::string_view default_port) {
  std::string address(text);
  if (!address.starts_with("unix:")) {
    const bool has_port = address.ends_with(']') ? false : address.find(':') != std::string::npos;
    if (!has_port) address += fmt::format(":{}", default_port);
  } else if (address.ends_with(':')) {
    address.pop_back();
  }
  const auto parsed = config::parse_address(address);
  return parsed && (parsed->is_unix() || (!parsed->host.empty() && parsed->port != 0)) ? address : std::string();
}

}  // namespace

void NginxReader::balance(const NginxDirective& directive, DraftGroup& group) {
  const std::string key = directive.word(0);
  if (directive.name == "least_conn") {
    group.properties.emplace_back("algorithm", "least_requests");
  } else if (directive.name == "ip_hash") {
    group.properties.emplace_back("algorithm", "source_hash");
  } else if (directive.name == "random") {
    group.properties.emplace_back("algorithm", key == "two" ? "two_choices" : "random");
  } else {
    std::string ours;
    if (key == "$remote_addr" || key == "$binary_remote_addr") ours = "source";
    if (key == "$request_uri" || key == "$uri") ours = "path";
    if (key.starts_with("$cookie_")) ours = fmt::format("cookie:{}", key.substr(8));
    if (key.starts_with("$http_")) {
      std::string header = key.substr(6);
      std::ranges::replace(header, '_', '-');
      ours = fmt::format("header:{}", header);
    }
    if (ours.empty() || ours.ends_with(':'))
      return left_out(directive, "the key has no counterpart; hash_key knows source, path, header and cookie");
    if (key == "$request_uri") left_out(directive, "changed: the hash is of the path alone, without the query");
    group.properties.emplace_back("algorithm", directive.word(1) == "consistent" ? "maglev" : "source_hash");
    group.properties.emplace_back("hash_key", yaml_text(ours));
  }
}

void NginxReader::upstream_server(const NginxDirective& directive, DraftGroup& group) {
  const std::string address = target_address(directive.word(0), "80");
  if (address.empty()) return left_out(directive, "this is no address");
  long weight = 1;
  for (std::size_t i = 1; i < directive.words.size(); ++i) {
    const std::string& option = directive.words[i];
    const std::string value = option.substr(std::min(option.find('=') + 1, option.size()));
    if (option.starts_with("weight=") && number(value)) {
      weight = std::min(*number(value), 999L);
    } else if (option == "down") {
      return left_out(directive, "a server that is down is left out; ballast target drain takes one out while running");
    } else if (option == "backup") {
      return left_out(directive,
                      "there are no backup servers; it is left out, and would otherwise get its share always");
    } else if (option.starts_with("max_conns=") && number(value)) {
      const bool known = std::ranges::any_of(group.properties,
                                             [](const auto& each) { return each.first == "target_connections_max"; });
      if (!known)
        group.properties.emplace_back("target_connections_max",
                                      fmt::format("{}", std::min(*number(value), 1'000'000L)));
      left_out(directive, "changed: max_conns is of the whole group, for each worker");
    } else if (option.starts_with("max_fails=") || option.starts_with("fail_timeout=")) {
      left_out(directive,
               fmt::format(
                   "{}: targets are checked actively, and ejected after errors in a row; see health_check and outliers",
                   option));
    } else {
      left_out(directive, fmt::format("{} has no counterpart", option));
    }
  }
  if (!group.add_target(address, weight)) left_out(directive, std::string(twin_text));
}

void NginxReader::upstream(const NginxDirective& block) {
  DraftGroup& group = draft_.groups.back();
  DraftProperties pool;
  for (const NginxDirective& each : block.block) {
    const auto value = number(each.word(0));
    if (each.name == "server") {
      upstream_server(each, group);
    } else if (each.name == "least_conn" || each.name == "ip_hash" || each.name == "random" || each.name == "hash") {
      balance(each, group);
    } else if (each.name == "keepalive" && value) {
      pool.emplace_back("idle_max", fmt::format("{}", std::min(*value, 100'000L)));
    } else if (each.name == "keepalive_requests" && value) {
      pool.emplace_back("requests_max", fmt::format("{}", std::min(*value, 1'000'000'000L)));
    } else if (each.name == "keepalive_timeout" && nginx_milliseconds(each.word(0))) {
      pool.emplace_back("idle_timeout", duration_text(*nginx_milliseconds(each.word(0)), {.min = 0, .max = 3'600'000}));
    } else if (each.name == "zone") {
      left_out(each, "not needed: all workers share one state");
    } else {
      left_out(each, "it has no counterpart in a target group");
    }
  }
  if (!pool.empty() && group.protocol == "http") group.properties.emplace_back("pool", yaml_map(pool));
}

std::string NginxReader::group_for(const NginxDirective& pass, std::string_view protocol, const NginxScope& scope) {
  std::string target = pass.word(0);
  if (protocol == "http") {
    if (target.starts_with("https://")) {
      left_out(pass, "TLS toward the servers is not carried over; they are not asked in clear instead");
      return {};
    }
    if (!target.starts_with("http://")) {
      left_out(pass, "only http:// can be passed on to");
      return {};
    }
    target.erase(0, 7);
    const bool is_unix = target.starts_with("unix:");
    const std::size_t path = is_unix ? target.find(':', 5) : target.find('/');
    target = target.substr(0, path);
  }
  if (target.find('$') != std::string::npos) {
    left_out(pass, "a target that depends on a variable has no counterpart");
    return {};
  }
  const auto& upstreams = protocol == "http" ? http_upstreams_ : stream_upstreams_;
  const auto named = upstreams.find(target);
  const std::string address = named == upstreams.end() ? target_address(target, "80") : std::string();
  if (named == upstreams.end() && address.empty()) {
    left_out(pass, "this is neither an upstream of the file nor an address");
    return {};
  }
  const std::string key = fmt::format("{} {} {} {} {} {}", protocol, target, scope.connect_timeout, scope.read_timeout,
                                      scope.passes_host, scope.tries);
  std::string& group_name = group_of_[key];
  if (!group_name.empty()) return group_name;
  group_name = draft_.name_for_group(target);
  DraftGroup& group = draft_.groups.emplace_back();
  group.name = group_name;
  group.protocol = protocol;
  if (named != upstreams.end()) {
    upstream(*named->second);
  } else {
    group.add_target(address, 1);
  }
  group.properties.emplace_back("health_check", "{ protocol: tcp }");
  DraftProperties timeouts;
  if (!scope.connect_timeout.empty()) timeouts.emplace_back("connect", scope.connect_timeout);
  if (!scope.read_timeout.empty() && protocol == "http") {
    timeouts.emplace_back("header", scope.read_timeout);
    timeouts.emplace_back("idle", scope.read_timeout);
  }
  if (!timeouts.empty()) group.properties.emplace_back("timeouts", yaml_map(timeouts));
  if (protocol == "http" && !scope.passes_host) {
    group.properties.emplace_back("pass_host", "false");
    if (named != upstreams.end()) {
      left_out(pass, fmt::format("changed: Host is the target's address, where nginx sends \"{}\"; proxy_set_header "
                                 "Host $host keeps the client's",
                                 target));
    }
  }
  if (scope.tries > 0)
    group.properties.emplace_back("retries", fmt::format("{{ attempts: {} }}", std::min(scope.tries, 10)));
  return group_name;
}

}  // namespace ballast::admin
