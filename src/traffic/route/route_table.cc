#include "traffic/route/route_table.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "traffic/files/static_files.h"
#include "traffic/route/cors.h"
#include "traffic/route/shaping.h"

namespace ballast::traffic {
namespace {

bool has_control_byte(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

Result<ForwardTo> compile(const config::Forward& forward, const GroupIndex& group_index) {
  ForwardTo to{.stay_by = forward.stay_by};
  for (const config::WeightedGroup& choice : forward.groups) {
    const std::optional<std::uint32_t> index = group_index(choice.group);
    if (!index) return fail(Code::NotFound, fmt::format("forward: no target group \"{}\"", choice.group));
    if (choice.weight < 0 || choice.weight > 999) {
      return fail(Code::Invalid,
                  fmt::format("forward to \"{}\": weight {} is not 0 to 999", choice.group, choice.weight));
    }
    const auto weight = static_cast<std::uint32_t>(choice.weight);
    to.choices.push_back({.group = choice.group, .group_index = *index, .weight = weight});
    to.weight_total += weight;
  }
  if (to.choices.empty()) return fail(Code::Invalid, "forward: no target group is named");
  return to;
}

Result<Route> compile(std::string name, std::uint32_t index, const config::Action& action,
                      const GroupIndex& group_index) {
  Route route{.name = std::move(name), .index = index, .action = {}};
  if (const auto* forward = std::get_if<config::Forward>(&action)) {
    Result<ForwardTo> to = compile(*forward, group_index);
    if (!to) return fail(std::move(to.error()));
    route.action = *std::move(to);
  } else if (const auto* redirect = std::get_if<config::Redirect>(&action)) {
    Result<RedirectTo> to = RedirectTo::compile(*redirect);
    if (!to) return fail(std::move(to.error()));
    route.action = *std::move(to);
  } else if (const auto* files = std::get_if<config::Files>(&action)) {
    auto compiled = StaticFiles::compile(*files);
    if (!compiled) return fail(std::move(compiled.error()));
    route.action = *std::move(compiled);
  } else {
    const auto& fixed = std::get<config::FixedResponse>(action);
    if (fixed.status < 200 || fixed.status > 599) {
      return fail(Code::Invalid, fmt::format("fixed response: status {} is not 200 to 599", fixed.status));
    }
    if (has_control_byte(fixed.content_type)) {
      return fail(Code::Invalid, "fixed response: content_type holds a control byte");
    }
    route.action = FixedAnswer{.status = fixed.status, .content_type = fixed.content_type, .body = fixed.body};
  }
  return route;
}

// A host in lower case; in place where it is as long as a DNS name may be, allocated where it is not.
class LowerHost {
 public:
  explicit LowerHost(Bytes host) {
    char* out = small_.data();
    if (host.size() > small_.size()) {
      large_.resize(host.size());
      out = large_.data();
    }
    std::transform(host.begin(), host.end(), out, lower);
    view_ = {out, host.size()};
  }
  LowerHost(const LowerHost&) = delete;
  LowerHost& operator=(const LowerHost&) = delete;
  Bytes view() const { return view_; }

 private:
  std::array<char, 256> small_;
  std::string large_;
  Bytes view_;
};

// What no rule of a listener matches; none: it is refused.
std::optional<config::Action> last_action(const config::Listener& listener) {
  if (!config::redirects_to_https(listener)) return listener.default_action;
  const config::HttpsRedirect& redirect = *listener.redirect_https;
  const std::string port = redirect.port == 443 ? "" : fmt::format(":{}", redirect.port);
  return config::Redirect{.status = redirect.status, .to = fmt::format("https://{{host}}{}{{path}}?{{query}}", port)};
}

bool is_indexable(const TextPattern& pattern) {
  if (std::holds_alternative<TextPattern::Whole>(pattern.form())) return true;
  const auto* suffix = std::get_if<TextPattern::Suffix>(&pattern.form());
  // Looked up where a label begins; "*example.com" may end anywhere, and is tried.
  return suffix != nullptr && suffix->text.front() == '.';
}

}  // namespace

Result<RouteTable> RouteTable::compile(const config::Listener& listener, const GroupIndex& group_index) {
  RouteTable table;
  const auto within = [&](Error error, const std::string& rule) {
    return fail(std::move(error).within(fmt::format("listener \"{}\", rule \"{}\"", listener.name, rule)));
  };
  const auto cors = listener.cors.has_value() ? CorsPolicy::compile(*listener.cors) : nullptr;
  for (const config::Rule& rule : listener.rules) {
    const auto number = static_cast<std::uint32_t>(table.routes_.size());
    Result<Conditions> conditions = Conditions::compile(rule.match);
    if (!conditions) return within(std::move(conditions.error()), rule.name);
    Result<Route> route = traffic::compile(rule.name, number, rule.action, group_index);
    if (!route) return within(std::move(route.error()), rule.name);
    route->priority = rule.priority;
    route->cors = rule.cors.has_value() ? CorsPolicy::compile(*rule.cors) : cors;
    auto shaping = Shaping::compile(rule, group_index);
    if (!shaping) return within(std::move(shaping.error()), rule.name);
    route->shaping = *std::move(shaping);
    table.conditions_.push_back(*std::move(conditions));
    table.routes_.push_back(*std::move(route));
    table.index(number);
  }
  const std::optional<config::Action> action = last_action(listener);
  if (!action) {
    // What no rule matches is refused, or dropped.
    using Protocol = config::ListenerProtocol;
    if (listener.protocol == Protocol::Tls || listener.protocol == Protocol::Udp) return table;
    return fail(Code::Invalid, fmt::format("listener \"{}\" has no default action; add `default: {{ forward: GROUP }}`",
                                           listener.name));
  }
  Result<Route> last =
      traffic::compile("default", static_cast<std::uint32_t>(table.routes_.size()), *action, group_index);
  if (!last) return within(std::move(last.error()), "default");
  last->cors = cors;
  table.routes_.push_back(*std::move(last));
  return table;
}

void RouteTable::index(std::uint32_t rule) {
  const std::vector<TextPattern>& hosts = conditions_[rule].hosts();
  if (hosts.empty() || !std::all_of(hosts.begin(), hosts.end(), is_indexable)) {
    others_.push_back(rule);
    return;
  }
  for (const TextPattern& host : hosts) {
    const auto* whole = std::get_if<TextPattern::Whole>(&host.form());
    const auto* suffix = std::get_if<TextPattern::Suffix>(&host.form());
    if (suffix != nullptr) suffix_longest_ = std::max(suffix_longest_, suffix->text.size());
    RuleList& rules = whole != nullptr ? whole_hosts_[whole->text] : suffix_hosts_[suffix->text];
    if (rules.empty() || rules.back() != rule) rules.push_back(rule);
  }
}

std::uint32_t RouteTable::first_of(const RuleList& rules, std::uint32_t best, const RequestFacts& facts) const {
  for (const std::uint32_t rule : rules) {
    if (rule >= best) return best;
    if (conditions_[rule].hold(facts)) return rule;
  }
  return best;
}

const Route* RouteTable::match(const RequestFacts& facts) const {
  if (routes_.empty()) return nullptr;
  auto best = static_cast<std::uint32_t>(conditions_.size());  // the default
  if (!whole_hosts_.empty() || !suffix_hosts_.empty()) {
    const LowerHost lower_host(host_of_record(facts.host));
    const Bytes host = lower_host.view();
    if (const auto found = whole_hosts_.find(host); found != whole_hosts_.end()) {
      best = first_of(found->second, best, facts);
    }
    if (!suffix_hosts_.empty()) {
      // What is longer than any suffix is not hashed: a host of thousands of dots costs no more than one of a few.
      const std::size_t from = host.size() > suffix_longest_ ? host.size() - suffix_longest_ : 0;
      for (std::size_t dot = host.find('.', from); dot != Bytes::npos; dot = host.find('.', dot + 1)) {
        const auto found = suffix_hosts_.find(host.substr(dot));
        if (found != suffix_hosts_.end()) best = first_of(found->second, best, facts);
      }
    }
  }
  best = first_of(others_, best, facts);
  return best < routes_.size() ? &routes_[best] : nullptr;
}

}  // namespace ballast::traffic
