// What is done with a request: locations in nginx's order of choice, return, rewrite, if, and who may come in.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "admin/import/nginx_read.h"
#include "config/htpasswd.h"
#include "config/units.h"

namespace ballast::admin {
namespace {

struct Location {
  enum class Kind { Exact, Prefix, Stopping, Expression };
  Kind kind = Kind::Prefix;
  std::string pattern;
  bool ignores_case = false;
  std::size_t order = 0;  // of the file
  const NginxDirective* directive = nullptr;
};

Location location_of(const NginxDirective& directive) {
  Location location{.directive = &directive};
  const std::string first = directive.word(0);
  location.pattern = directive.words.size() > 1 ? directive.word(1) : first;
  if (directive.words.size() > 1) {
    using enum Location::Kind;
    location.kind = first == "=" ? Exact : first == "^~" ? Stopping : first.starts_with('~') ? Expression : Prefix;
    location.ignores_case = first == "~*";
  } else if (first.starts_with('=') && first.size() > 1) {  // "=/path" is written too
    location.kind = Location::Kind::Exact;
    location.pattern = first.substr(1);
  }
  return location;
}

// Those within others as well: nginx looks into them, and what they hold is found by its own pattern.
void collect(const std::vector<NginxDirective>& block, std::vector<Location>& into) {
  for (const NginxDirective& each : block) {
    if (each.name != "location" || !each.has_block) continue;
    into.push_back(location_of(each));
    collect(each.block, into);
  }
}

bool is_headers_of_ours(std::string_view name) {
  constexpr std::string_view ours[] = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port",
                                       "x-request-id",    "connection",        "upgrade"};
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::ranges::find(ours, lower) != std::end(ours);
}

int status_of(std::string_view text) {
  int status = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
  return error == std::errc() && end == text.data() + text.size() && status >= 200 && status <= 599 ? status : 0;
}

std::string redirect_action(int status, std::string_view to) {
  return fmt::format("redirect: {{ status: {}, to: {} }}", status, yaml_text(to));
}

bool is_redirect_target(std::string_view to) {
  constexpr std::size_t bytes_max = 1024;
  return to.size() <= bytes_max &&
         (to.starts_with('/') || to.starts_with("http://") || to.starts_with("https://") ||
          to.starts_with("{protocol}://")) &&
         std::ranges::all_of(to, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7F; });
}

}  // namespace

std::optional<std::string> with_our_placeholders(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> known[] = {
      {"$is_args$args", "?{query}"},
      {"$is_args$query_string", "?{query}"},
      {"$request_uri", "{path}?{query}"},
      {"$document_uri", "{path}"},
      {"$query_string", "{query}"},
      {"$server_name", "{host}"},
      {"$server_port", "{port}"},
      {"$http_host", "{host}"},
      {"$scheme", "{protocol}"},
      {"$host", "{host}"},
      {"$args", "{query}"},
      {"$uri", "{path}"},
  };
  std::string plain;  // "${host}" is "$host"
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t close = text.substr(i).starts_with("${") ? text.find('}', i) : std::string_view::npos;
    if (close == std::string_view::npos) {
      plain += text[i];
    } else {
      plain += fmt::format("${}", text.substr(i + 2, close - i - 2));
      i = close;
    }
  }
  std::string ours;
  for (std::string_view rest = plain; !rest.empty();) {
    if (rest.front() == '{' || rest.front() == '}') return std::nullopt;
    if (rest.front() != '$') {
      ours += rest.front();
      rest.remove_prefix(1);
      continue;
    }
    const auto found = std::ranges::find_if(known, [&](const auto& each) {
      if (!rest.starts_with(each.first)) return false;
      const char next = rest.size() > each.first.size() ? rest[each.first.size()] : '/';
      return !((next >= 'a' && next <= 'z') || next == '_');
    });
    if (found == std::end(known)) return std::nullopt;
    ours += found->second;
    rest.remove_prefix(found->first.size());
  }
  return ours;
}

bool NginxReader::take_into(const NginxDirective& directive, NginxScope& scope) {
  const std::string& name = directive.name;
  const std::string value = directive.word(0);
  const auto ms = nginx_milliseconds(value);
  if (name == "proxy_connect_timeout" && ms) {
    scope.connect_timeout = duration_text(*ms, {.min = 10, .max = 120'000});
  } else if (name == "proxy_read_timeout" && ms) {
    scope.read_timeout = duration_text(*ms, {.min = 10, .max = 86'400'000});
  } else if (name == "proxy_send_timeout" && ms) {
    left_out(directive, "sending and receiving have one limit; proxy_read_timeout is taken for it");
  } else if (name == "proxy_set_header") {
    if (value == "Host" || value == "host") {
      const std::string host = directive.word(1);
      scope.passes_host = host == "$host" || host == "$http_host";
      if (!scope.passes_host && host != "$proxy_host")
        left_out(directive, "the target gets the client's Host or its own address, nothing else");
      if (host != "$host" && host != "$http_host") return true;
    } else if (is_headers_of_ours(value)) {
      left_out(directive, "not needed: it is done without being asked");
    } else {
      left_out(directive, "headers of requests cannot be set");
    }
  } else if (name == "proxy_next_upstream_tries" && status_of(fmt::format("2{:0>2}", value)) != 0) {
    scope.tries = std::clamp(std::atoi(value.c_str()), 0, 10);
  } else if (name == "proxy_http_version") {
    if (value != "1.1") left_out(directive, "targets are spoken to in HTTP/1.1");
  } else if (name == "auth_basic") {
    scope.auth_realm = value;
    scope.auth_from = &directive;
  } else if (name == "auth_basic_user_file") {
    scope.auth_file = value;
  } else if (name == "auth_request") {
    scope.auth_request = value == "off" ? "" : value;
    scope.auth_from = &directive;
  } else if (name == "default_type") {
    scope.default_type = value;
  } else if (name == "root" || name == "alias") {
    scope.root = value;
    scope.is_alias = name == "alias";
  } else if (name == "index") {
    scope.index.clear();
    for (const std::string& each : directive.words) {
      const bool is_file =
          !each.empty() && each.size() <= 200 && each.find_first_of("/$") == std::string::npos &&
          std::ranges::all_of(each, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; }) &&
          each != "." && each != "..";
      if (is_file && scope.index.size() < 10) scope.index.push_back(each);
    }
  } else if (name == "autoindex") {
    scope.lists = value == "on";
  } else {
    return false;
  }
  return true;
}

std::string NginxReader::auth_of(const NginxScope& scope, const NginxServer& server, std::string& action) {
  const bool basic = !scope.auth_realm.empty() && scope.auth_realm != "off";
  const auto close = [&](std::string_view why) {
    left_out(*scope.auth_from, fmt::format("{}; what it guarded answers 403", why));
    action = closed_action(403, "This was guarded by something that was not carried over.");
    return std::string("off");
  };
  if (basic && !scope.auth_request.empty()) return close("two ways to ask at once have no counterpart");
  if (basic) {
    if (scope.auth_file.empty()) return close("there is no auth_basic_user_file");
    const std::string path = config::relative_to(source_.path, scope.auth_file);
    const auto text = source_.files.read(path, config::htpasswd_bytes_max);
    if (!text) return close(text.error().text());
    if (const auto users = config::parse_htpasswd(*text); !users)
      return close(fmt::format("{}: {}", path, users.error().text()));
    std::string realm;
    for (const char c : scope.auth_realm) {
      if (static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F && c != '"' && c != '\\' &&
          realm.size() < 128)
        realm += c;
    }
    // The output may be kept elsewhere: the path from the root, where it is one.
    const std::string written = scope.auth_file.starts_with('/') ? scope.auth_file : path;
    return fmt::format("{{ basic: {{ file: {}, realm: {} }} }}", yaml_text(written), yaml_text(realm));
  }
  if (scope.auth_request.empty()) return "off";
  for (const NginxDirective& each : server.directive->block) {
    if (each.name != "location") continue;
    const Location location = location_of(each);
    const bool is_it = location.kind == Location::Kind::Expression ? false : location.pattern == scope.auth_request;
    const NginxDirective* pass = each.find("proxy_pass");
    if (!is_it || pass == nullptr) continue;
    NginxScope inside = scope;
    for (const NginxDirective& inner : each.block) {
      if (inner.name == "proxy_connect_timeout" || inner.name == "proxy_read_timeout") take_into(inner, inside);
    }
    const std::string group = group_for(*pass, "http", inside);
    if (group.empty()) return close("the service that it asks cannot be carried over");
    const std::string url = pass->word(0);
    const std::size_t path = url.find('/', 7);
    const std::string asked = path == std::string::npos ? scope.auth_request : url.substr(path);
    const bool is_path = std::ranges::all_of(asked, [](char c) {
      return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F && c != '#' && c != '$';
    });
    if (!is_path || asked.size() > 1024) return close("the path that it asks for cannot be carried over");
    left_out(*scope.auth_from,
             "changed: the service is given Authorization and Cookie; name others in request_headers, and what it says "
             "in response_headers");
    return fmt::format("{{ forward: {{ group: {}, path: {} }} }}", yaml_text(group), yaml_text(asked));
  }
  return close("the location of the service that it asks was not found");
}

std::string NginxReader::return_action(const NginxDirective& directive, const NginxScope& scope) {
  const int status =
      directive.words.size() == 1 && directive.word(0).starts_with("http") ? 302 : status_of(directive.word(0));
  const std::string text = directive.words.size() == 1 && status == 302 && directive.word(0).starts_with("http")
                               ? directive.word(0)
                               : directive.word(1);
  const bool is_redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  if (status == 0) {
    left_out(directive, "this status cannot be answered with");
    return closed_action(501, "Not carried over.");
  }
  const auto ours = with_our_placeholders(text);
  if (is_redirect && !text.empty()) {
    if (ours && is_redirect_target(*ours)) return redirect_action(status, *ours);
    left_out(directive, "a variable in it has no counterpart, or it is no place to send a client to");
    return closed_action(501, "Not carried over.");
  }
  if (status == 444) left_out(directive, "changed: the connection is not cut without an answer");
  std::string body = text;
  if (body.find('$') != std::string::npos) left_out(directive, "changed: variables in the body are not filled in");
  if (status == 204 || status == 304) body.clear();
  if (body.size() > 60'000) body.clear();
  DraftProperties fixed{{"status", fmt::format("{}", status == 444 ? 403 : status)}};
  if (!body.empty()) {
    const bool is_type = std::ranges::all_of(scope.default_type, [](char c) {
      return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7F;
    });
    if (is_type && scope.default_type.size() <= 256) fixed.emplace_back("content_type", yaml_text(scope.default_type));
    fixed.emplace_back("body", yaml_text(body));
  }
  return fmt::format("fixed_response: {}", yaml_map(fixed));
}

std::string NginxReader::files_action(const NginxDirective* tries, const NginxScope& scope,
                                      const NginxDirective& server) {
  const auto refuse = [&](std::string_view why) {
    const std::string text = fmt::format("{}; such requests answer 501", why);
    if (tries != nullptr) {
      left_out(*tries, text);
    } else {
      draft_.note(server.file, server.line, fmt::format("root {}: {}", shown(scope.root), text));
    }
    return closed_action(501, "Not carried over.");
  };
  const std::string path = config::relative_to(source_.path, scope.root);
  const auto folder = scope.root.find('$') == std::string::npos
                          ? source_.files.folder(path)
                          : fail(Code::Unsupported, "a root with a variable has no counterpart");
  if (!folder) return refuse(folder.error().text());
  DraftProperties files{{"root", yaml_text(*folder)}};
  if (scope.is_alias) {
    std::string prefix = prefix_;
    while (prefix.ends_with('/')) prefix.pop_back();
    const bool is_prefix = prefix.starts_with('/') && prefix.find_first_of("?#") == std::string::npos &&
                           std::ranges::all_of(prefix, [](char c) {
                             return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F;
                           });
    if (!is_prefix && !prefix.empty()) return refuse("an alias of an expression has no counterpart");
    if (!prefix.empty()) files.emplace_back("strip_prefix", yaml_text(prefix));
  }
  if (!scope.index.empty()) {
    std::vector<std::string> index;
    for (const std::string& each : scope.index) index.push_back(yaml_text(each));
    files.emplace_back("index", yaml_list(index));
  }
  if (scope.lists) files.emplace_back("listing", "on");
  for (std::size_t i = 0; tries != nullptr && i < tries->words.size(); ++i) {
    const std::string& word = tries->words[i];
    if (word == "$uri" || word == "$uri/" || word == "=404") continue;
    const bool is_page =
        i + 1 == tries->words.size() && word.starts_with('/') && word.find_first_of("$?") == std::string::npos &&
        fmt::format("{}/", word).find("/../") == std::string::npos &&
        fmt::format("{}/", word).find("/./") == std::string::npos &&
        std::ranges::all_of(word, [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; }) &&
        word.size() < 1000;
    if (!is_page) return refuse("a part of it has no counterpart");
    files.emplace_back("fallback", yaml_text(word));
    left_out(*tries, "changed: the last name is for pages; a script or a picture that is missing stays a 404");
  }
  return fmt::format("files: {}", yaml_map(files));
}

std::string NginxReader::pass_action(const NginxDirective& directive, const NginxScope& scope,
                                     std::string_view prefix) {
  const std::string group = group_for(directive, "http", scope);
  if (group.empty()) return closed_action(501, "Not carried over.");
  const std::string url = directive.word(0);
  const std::size_t path = url.starts_with("http://unix:") ? std::string::npos : url.find('/', 7);
  if (path != std::string::npos && url.substr(path) != prefix) {
    left_out(directive, fmt::format("changed: paths are passed on as they are, not with {} in the place of {}",
                                    shown(url.substr(path)), shown(prefix)));
  }
  return fmt::format("forward: {}", yaml_text(group));
}

NginxReader::Place NginxReader::place_of(const std::vector<NginxDirective>& block, NginxScope scope,
                                         const NginxServer& server) {
  std::vector<std::pair<bool, std::string>> access;
  const NginxDirective* ends = nullptr;    // return
  const NginxDirective* passes = nullptr;  // proxy_pass
  const NginxDirective* files = nullptr;
  const NginxDirective* other = nullptr;
  for (const NginxDirective& each : block) {
    const std::string& name = each.name;
    if (name == "location" || name == "rewrite" || name == "if" || name == "listen" || name == "server_name" ||
        name == "client_max_body_size")
      continue;
    if (name == "return") {
      if (ends == nullptr) ends = &each;
    } else if (name == "proxy_pass") {
      passes = &each;
    } else if (name == "try_files") {
      files = &each;
    } else if (name == "allow" || name == "deny") {
      const std::string network = each.word(0) == "all" ? "" : each.word(0);
      access.emplace_back(name == "allow", network);
    } else if (name.ends_with("_pass") && name != "proxy_pass") {
      other = &each;
      left_out(each, "only HTTP servers can be passed on to; such requests answer 501");
    } else if (name == "internal") {
      ends = &each;
    } else if (!take_into(each, scope)) {
      if (&block != &server.directive->block) left_out(each, why_left_out(each.name));
    }
  }
  Place place;
  place.access = access.empty() ? scope.access : access;
  if (ends != nullptr && ends->name == "internal") {
    place.action = closed_action(404, "Not found.");
    place.auth = "off";
    return place;
  }
  if (ends != nullptr) {
    place.action = return_action(*ends, scope);
    place.auth = "off";  // nginx answers it before it asks
    place.access.clear();
    return place;
  }
  if (passes != nullptr) {
    place.action = pass_action(*passes, scope, prefix_);
  } else if (other != nullptr) {
    place.action = closed_action(501, "Not carried over.");
  } else if (files != nullptr && !files->words.empty() && files->words.back().starts_with('@')) {
    const NginxDirective* named = nullptr;
    for (const NginxDirective& each : server.directive->block) {
      if (each.name == "location" && each.word(0) == files->words.back()) named = &each;
    }
    const NginxDirective* pass = named != nullptr ? named->find("proxy_pass") : nullptr;
    left_out(*files, "changed: files are not looked for; every request goes where the last name leads");
    place.action = pass != nullptr ? pass_action(*pass, scope, prefix_) : closed_action(501, "Not carried over.");
  } else if (scope.root.empty()) {
    if (files != nullptr) left_out(*files, "there is no root; such requests answer 501");
    place.action = files == nullptr ? closed_action(404, "Not found.") : closed_action(501, "Not carried over.");
  } else {
    place.action = files_action(files, scope, *server.directive);
  }
  place.auth = auth_of(scope, server, place.action);
  return place;
}

void NginxReader::add_rules(const DraftRule& match, const Place& place, std::vector<DraftRule>& into) {
  DraftRule rule = match;
  rule.action = place.action;
  rule.auth = place.auth;
  for (const auto& [allows, network] : place.access) {
    DraftRule decided = rule;
    if (!allows) {
      decided.action = closed_action(403, "Forbidden.");
      decided.auth = "off";
    }
    if (network.empty()) {
      into.push_back(std::move(decided));
      return;
    }
    if (!config::parse_network(network)) {
      // Whoever it was to keep out is not known any more: nobody comes in.
      draft_.note({}, 0,
                  fmt::format("{} {}: this is no network{}", allows ? "allow" : "deny", shown(network),
                              allows ? "; it is left out" : "; what stands behind it answers 403"));
      if (allows) continue;
      into.push_back(std::move(decided));
      return;
    }
    decided.source = {yaml_text(network)};
    into.push_back(std::move(decided));
  }
  into.push_back(std::move(rule));
}

void NginxReader::rewrite(const NginxDirective& directive, const DraftRule& hosts, std::vector<DraftRule>& into) {
  const std::string expression = directive.word(0);
  std::string to = directive.word(1);
  const std::string flag = directive.word(2);
  const bool is_redirect =
      flag == "permanent" || flag == "redirect" || to.starts_with("http://") || to.starts_with("https://");
  if (!is_redirect) return left_out(directive, "paths cannot be rewritten; only redirects can");
  const bool whole = expression == "^" || expression == ".*" || expression == "^(.*)$" || expression == "^(.*)" ||
                     expression == "(.*)" || expression == "^/(.*)$" || expression == "^/(.*)" || expression == "^/" ||
                     expression == "^.*$" || expression == "^.*";
  if (whole) {
    const std::string_view group = expression.starts_with("^/(") ? "/$1" : "$1";
    if (const std::size_t at = to.find(group); at != std::string::npos) to.replace(at, group.size(), "$uri");
  }
  const bool drops_query = to.ends_with('?');
  if (drops_query) to.pop_back();
  auto ours = with_our_placeholders(to);
  const std::string pattern = whole_expression({.text = expression});
  if (!ours || (pattern.empty() && !whole)) return left_out(directive, "a part of it has no counterpart");
  if (!drops_query && ours->find('?') == std::string::npos) *ours += "?{query}";
  if (!is_redirect_target(*ours)) return left_out(directive, "it is no place to send a client to");
  DraftRule rule = hosts;
  if (!whole) rule.path = {yaml_regex(pattern)};
  rule.action = redirect_action(flag == "permanent" ? 301 : 302, *ours);
  rule.auth = "off";
  into.push_back(std::move(rule));
}

void NginxReader::condition(const NginxDirective& directive, const NginxServer& server, const DraftRule& hosts,
                            std::vector<DraftRule>& into) {
  std::vector<std::string> words = directive.words;
  if (!words.empty() && words.front().starts_with('(')) words.front().erase(0, 1);
  if (!words.empty() && words.back().ends_with(')')) words.back().pop_back();
  std::erase(words, "");
  const NginxDirective* answer = directive.find("return");
  const bool plain = words.size() == 3 && words[1] == "=" && answer != nullptr && directive.block.size() == 1;
  DraftRule rule = hosts;
  if (plain && words[0] == "$host") {
    rule.host = {yaml_pattern(words[2], Extent::Whole)};
  } else if (plain && words[0] == "$request_method" && !words[2].empty() &&
             std::ranges::all_of(words[2], [](char c) { return c >= 'A' && c <= 'Z'; }) && words[2].size() < 32) {
    rule.method = {yaml_text(words[2])};
  } else if (!(plain && words[0] == "$scheme" && words[2] == "http")) {
    return left_out(directive, "this condition has no counterpart");
  }
  rule.action = return_action(*answer, server.scope);
  rule.auth = "off";
  into.push_back(std::move(rule));
}

void NginxReader::rules_of(const NginxServer& server, const std::vector<std::string>& hosts, DraftListener& listener,
                           bool is_default) {
  const std::vector<NginxDirective>& block = server.directive->block;
  DraftRule of_host;
  of_host.host = hosts;
  std::vector<DraftRule> rules;
  // What stands in the server itself comes before its locations, in the order of the file.
  bool has_ended = false;
  for (const NginxDirective& each : block) {
    if (has_ended) break;
    if (each.name == "if") condition(each, server, of_host, rules);
    if (each.name == "rewrite") rewrite(each, of_host, rules);
    has_ended = each.name == "return";
  }
  std::vector<Location> locations;
  if (!has_ended) collect(block, locations);
  using enum Location::Kind;
  const bool has_expressions =
      std::ranges::any_of(locations, [](const Location& each) { return each.kind == Expression; });
  const auto is_under_stopping = [&](const Location& each) {
    return each.kind == Stopping || std::ranges::any_of(locations, [&](const Location& other) {
             return other.kind == Stopping && each.kind == Prefix && each.pattern.size() > other.pattern.size() &&
                    each.pattern.starts_with(other.pattern);
           });
  };
  // Exact ones, prefixes that stop the search, expressions in their order, the other prefixes; of prefixes the longest
  // first.
  const auto rank = [&](const Location& each) {
    return each.kind == Exact ? 0 : is_under_stopping(each) ? 1 : each.kind == Expression ? 2 : 3;
  };
  for (std::size_t i = 0; i < locations.size(); ++i) locations[i].order = i;
  std::ranges::sort(locations, [&](const Location& a, const Location& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    const bool by_length = rank(a) != 2 && rank(a) != 0 && a.pattern.size() != b.pattern.size();
    return by_length ? a.pattern.size() > b.pattern.size() : a.order < b.order;
  });
  std::optional<Place> otherwise;
  for (const Location& each : locations) {
    if (each.pattern.starts_with('@')) continue;  // where it is named
    if (has_expressions && each.kind == Prefix && rank(each) == 1) {
      left_out(*each.directive, "changed: it lies within a ^~ location, and expressions are not tried for it");
    }
    DraftRule match = of_host;
    if (each.kind == Expression) {
      const std::string expression = whole_expression({.text = each.pattern, .ignores_case = each.ignores_case});
      if (expression.empty()) {
        left_out(*each.directive,
                 "the expression has no counterpart in RE2; its requests go to the next location that matches");
        continue;
      }
      match.path = {yaml_regex(expression)};
    } else {
      if (each.pattern.empty() || each.pattern.size() > 900) {
        left_out(*each.directive, "this is no path");
        continue;
      }
      match.path = {yaml_pattern(each.pattern, each.kind == Exact ? Extent::Whole : Extent::Prefix)};
    }
    prefix_ = each.kind == Expression ? "" : each.pattern;
    NginxScope scope = server.scope;
    Place place = place_of(each.directive->block, scope, server);
    const bool is_all = each.kind != Exact && each.kind != Expression && each.pattern == "/";
    DraftRule of_place = is_all ? of_host : match;
    for (const NginxDirective& inner : each.directive->block) {
      if (inner.name == "rewrite" && !is_all) {
        left_out(inner, "a rewrite within a location has no counterpart");
      } else if (inner.name == "rewrite") {
        rewrite(inner, of_host, rules);
      } else if (inner.name == "if") {
        condition(inner, server, of_place, rules);
      }
    }
    if (is_all) {
      otherwise = std::move(place);
    } else {
      add_rules(match, place, rules);
    }
  }
  prefix_.clear();
  if (!otherwise) otherwise = place_of(block, server.scope, server);
  if (is_default) {
    std::vector<DraftRule> last;
    add_rules(DraftRule{}, *otherwise, last);
    for (DraftRule& each : last) {
      if (each.is_conditional())
        rules.push_back(std::move(each));
      else {
        listener.otherwise = std::move(each);
        break;
      }
    }
  } else {
    add_rules(of_host, *otherwise, rules);
  }
  for (DraftRule& rule : rules) {
    if (rule.is_conditional()) {
      listener.rules.push_back(std::move(rule));
    } else {
      // For every request: nothing behind it is reached.
      listener.otherwise = std::move(rule);
      break;
    }
  }
}

}  // namespace ballast::admin
