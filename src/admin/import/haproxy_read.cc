#include "admin/import/haproxy_read.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "config/units.h"

namespace ballast::admin {
namespace {

std::string mode_of(const HaproxySection& section) {
  std::string mode = "tcp";  // HAProxy's default
  for (const HaproxyLine& line : section.lines) {
    if (line.word(0) == "mode") mode = line.word(1);
  }
  return mode == "http" ? "http" : "tcp";
}

// Of `bind`: ":80", "10.0.0.1:80", "unix:/x"; empty: it is none.
std::string bind_address(std::string text) {
  for (const std::string_view family : {"ipv4@", "ipv6@"}) {
    if (text.starts_with(family)) text.erase(0, family.size());
  }
  if (text.starts_with("unix@")) text = "unix:" + text.substr(5);
  if (text.starts_with('/')) text.insert(0, "unix:");
  for (const std::string_view any : {"*:", "0.0.0.0:", "[::]:", ":::"}) {
    if (text.starts_with(any)) text = ":" + text.substr(any.size());
  }
  return config::parse_address(text) ? text : std::string();
}

// What a frontend has that is read elsewhere, or is how Ballast works anyway.
bool is_known(std::string_view word) {
  constexpr std::string_view known[] = {"bind",     "mode",         "acl",     "use_backend", "default_backend",
                                        "redirect", "http-request", "timeout", "maxconn",     "monitor-uri"};
  return std::ranges::find(known, word) != std::end(known);
}

bool is_backends(std::string_view word) {
  constexpr std::string_view known[] = {"server",     "default-server", "balance", "hash-type",  "retries",
                                        "http-check", "cookie",         "stick",   "stick-table"};
  return std::ranges::find(known, word) != std::end(known);
}

}  // namespace

std::optional<long> haproxy_milliseconds(std::string_view text) {
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error != std::errc() || value < 0 || value > 1'000'000'000) return std::nullopt;
  constexpr std::pair<std::string_view, long> units[] = {{"", 1},       {"ms", 1},        {"s", 1'000},
                                                         {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  const auto found = std::ranges::find_if(units, [&](const auto& each) { return each.first == unit; });
  return found != std::end(units) ? std::optional(value * found->second) : std::nullopt;
}

std::string haproxy_duration(long ms, long min, long max) {
  const long within = std::clamp(ms, min, max);
  return within % 1'000 == 0 ? fmt::format("{}s", within / 1'000) : fmt::format("{}ms", within);
}

void HaproxyReader::left_out(const HaproxyLine& line, std::string_view why) {
  // A line of the defaults, or of a frontend with two addresses, is read more than once.
  if (said_.insert(line.line).second) draft_.note({}, line.line, fmt::format("{}: {}", line.text(), why));
}

void HaproxyReader::read(const std::vector<HaproxySection>& sections) {
  for (const HaproxySection& section : sections) {
    if (section.kind == "backend" || section.kind == "listen") backends_.emplace(section.name, &section);
  }
  for (const HaproxySection& section : sections) {
    if (section.kind == "frontend" || section.kind == "listen") {
      frontend(section);
    } else if (section.kind == "global") {
      for (const HaproxyLine& line : section.lines) left_out(line, "it has no meaning here");
    } else if (section.kind != "defaults" && section.kind != "backend") {
      draft_.note({}, section.line,
                  fmt::format("{} {}: sections of this kind are not carried over", section.kind, shown(section.name)));
    }
  }
  for (const auto& [name, section] : backends_) {
    if (section->kind == "backend" && !group_of_.contains(name))
      draft_.note({}, section->line, fmt::format("backend {}: no frontend uses it", shown(name)));
  }
}

std::vector<HaproxyReader::Bind> HaproxyReader::binds_of(const HaproxySection& section) {
  std::vector<Bind> binds;
  for (const HaproxyLine& line : section.lines) {
    if (line.word(0) != "bind") continue;
    const std::string all = line.word(1);
    for (std::string_view rest = all; !rest.empty();) {
      const std::size_t comma = rest.find(',');
      const std::string address = bind_address(std::string(rest.substr(0, comma)));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      if (address.empty()) {
        left_out(line, "this is no address, or a range of ports");
        continue;
      }
      binds.push_back({.address = address, .is_tls = line.has("ssl"), .line = &line});
    }
    if (line.has("accept-proxy")) left_out(line, "accept-proxy: the PROXY protocol of clients is not carried over");
    if (line.has("ssl"))
      left_out(line, "the listener speaks without TLS; give it its certificates before clients reach it");
  }
  return binds;
}

void HaproxyReader::settings_of(const HaproxySection& section, DraftListener& listener) {
  std::map<std::string, std::string> timeouts;
  for (const HaproxyLine& line : section.lines) {
    const std::string word = line.word(0);
    const std::string first = line.word(1);
    if (word == "timeout") {
      const auto ms = haproxy_milliseconds(line.word(2));
      if (!ms)
        left_out(line, "this is no time");
      else if (first == "client")
        timeouts["idle"] = haproxy_duration(*ms, 100, 86'400'000);
      else if (first == "http-request" && listener.protocol == "http")
        timeouts["header"] = haproxy_duration(*ms, 100, 600'000);
      else if (first == "http-keep-alive" && listener.protocol == "http")
        timeouts["keep_alive"] = haproxy_duration(*ms, 0, 3'600'000);
      else if (first == "tunnel" && listener.protocol == "http")
        timeouts["tunnel"] = haproxy_duration(*ms, 1'000, 86'400'000);
      else if (first != "connect" && first != "server" && first != "check")
        left_out(line, "it has no counterpart");
    } else if (word == "maxconn") {
      int count = 0;
      std::from_chars(first.data(), first.data() + first.size(), count);
      if (count >= 1 && count <= 10'000'000) {
        std::erase_if(listener.properties, [](const auto& each) { return each.first == "limits"; });
        listener.properties.emplace_back("limits", fmt::format("{{ connections: {} }}", count));
      }
    } else if (word == "option" && (first == "forwardfor" || first == "dontlognull" || first == "http-keep-alive" ||
                                    first == "redispatch")) {
      left_out(line, "not needed: it is done without being asked");
    } else if (word == "option" && first == "httpchk") {
      continue;
    } else if (is_known(word) ||
               (is_backends(word) && (section.kind == "listen" ||
                                      static_cast<std::size_t>(&line - section.lines.data()) < section.inherited))) {
      continue;
    } else if (word == "errorfile") {
      left_out(line, "answers that Ballast makes itself have a text of their own");
    } else if (word == "log" || word == "log-format" || word == "option") {
      left_out(line, "it has no counterpart; see access_log for the log");
    } else if (word == "stick-table") {
      left_out(line, "what it counts is not carried over; see rate_limits and limits.connections_per_address");
    } else {
      left_out(line, "it has no counterpart");
    }
  }
  if (!timeouts.empty()) {
    DraftProperties all(timeouts.begin(), timeouts.end());
    listener.properties.emplace_back("timeouts", yaml_map(all));
  }
}

void HaproxyReader::frontend(const HaproxySection& section) {
  const std::vector<Bind> binds = binds_of(section);
  if (binds.empty()) {
    draft_.note({}, section.line, fmt::format("{} {}: it has no address", section.kind, shown(section.name)));
    return;
  }
  for (const Bind& bind : binds) {
    const bool is_taken =
        std::ranges::any_of(draft_.listeners, [&](const DraftListener& each) { return each.address == bind.address; });
    if (is_taken) {
      left_out(*bind.line, fmt::format("{} is the address of another listener", bind.address));
      continue;
    }
    listener(section, bind, section.name);
  }
}

void HaproxyReader::listener(const HaproxySection& section, const Bind& bind, const std::string& name) {
  DraftListener listener;
  listener.name = draft_.name_for_listener(name);
  listener.address = bind.address;
  listener.protocol = mode_of(section);
  settings_of(section, listener);
  closed_ = false;
  Acls acls;
  const auto forward_to = [&](const std::string& backend) {
    const std::string group = group_for(backend, listener.protocol);
    const auto found = std::ranges::find_if(draft_.groups, [&](const DraftGroup& each) { return each.name == group; });
    const bool fits = found != draft_.groups.end() && found->protocol == listener.protocol;
    return fits ? fmt::format("forward: {}", yaml_text(group)) : std::string();
  };
  if (listener.protocol == "http") {
    // In the order in which HAProxy looks at them, whatever the order of the file.
    for (const HaproxyLine& line : section.lines) {
      if (line.word(0) == "acl" && line.words.size() >= 3) {
        acls[line.word(1)].push_back(test_of({line.words.begin() + 2, line.words.end()}, bind.is_tls));
      }
    }
    for (const HaproxyLine& line : section.lines) {
      if (line.word(0) == "monitor-uri" && line.word(1).starts_with('/') && line.word(1).size() < 500) {
        DraftRule monitor;
        monitor.path = {yaml_pattern(line.word(1), Extent::Whole)};
        add({.rules = {monitor}}, "fixed_response: { status: 200 }", listener);
      }
      if (line.word(0) != "http-request" || request_rule(line, acls, bind.is_tls, listener)) continue;
      const bool is_own = line.word(1).ends_with("set-header") || line.word(1).ends_with("add-header");
      const std::string header = line.word(2);
      const bool is_needless =
          is_own && (header == "X-Forwarded-Proto" || header == "X-Forwarded-For" || header == "X-Forwarded-Host" ||
                     header == "X-Forwarded-Port" || header == "X-Request-ID");
      left_out(line,
               is_needless ? "not needed: it is done without being asked" : "requests are not changed on their way");
    }
    for (const HaproxyLine& line : section.lines) {
      if (line.word(0) == "redirect") redirect(line, 1, acls, bind.is_tls, listener);
    }
  }
  std::string last;
  for (const HaproxyLine& line : section.lines) {
    if (line.word(0) == "default_backend") {
      last = forward_to(line.word(1));
      if (last.empty()) left_out(line, "there is no such backend, or it is of another mode");
    }
    if (line.word(0) != "use_backend") continue;
    const std::string action = forward_to(line.word(1));
    const bool has_condition = line.words.size() > 2;
    if (listener.protocol == "tcp" && has_condition) {
      left_out(line, "a tcp listener has one target group");
      continue;
    }
    if (action.empty()) {
      left_out(line, "there is no such backend, or it is of another mode");
      continue;
    }
    Matches matches = matches_of(line.words, 2, acls, bind.is_tls);
    if (matches.exact) {
      add(std::move(matches), action, listener);
    } else {
      left_out(line, "its condition has no counterpart");
    }
  }
  if (last.empty() && section.kind == "listen") last = forward_to(section.name);
  if (!closed_) listener.otherwise.action = last;
  if (listener.otherwise.action.empty()) {
    if (listener.protocol == "tcp") {
      draft_.note({}, section.line, fmt::format("{} {}: it forwards to nothing", section.kind, shown(section.name)));
      return;
    }
    listener.otherwise.action = closed_action(503, "No server is available.");
  }
  draft_.listeners.push_back(std::move(listener));
}

Imported read_haproxy(const ImportSource& source) {
  Draft draft(source);
  const std::vector<HaproxySection> sections = parse_haproxy(source, draft);
  HaproxyReader(draft).read(sections);
  return draft.finish("haproxy");
}

bool recognises_haproxy(std::string_view file_name, std::string_view text) {
  if (file_name == "haproxy.cfg") return true;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    for (const std::string_view section : {"frontend ", "backend ", "listen "}) {
      if (line.starts_with(section) && line.find('{') == std::string_view::npos &&
          line.find(';') == std::string_view::npos)
        return true;
    }
  }
  return false;
}

}  // namespace ballast::admin
