#include "config/checks.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/words.h"

namespace ballast::config {
namespace {

class Checker {
 public:
  Checker(const Settings& settings, const Node& root, Diagnostics& diagnostics)
      : settings_(settings), root_(root), diagnostics_(diagnostics) {
    for (const TargetGroup& group : settings.target_groups) {
      groups_.emplace(group.name, &group);
      names_.push_back(group.name);
    }
  }

  void run() {
    check_acme();
    for (const Listener& listener : settings_.listeners) {
      check_address(listener);
      for (const Rule& rule : listener.rules) {
        check_action(listener, rule.action);
        check_auth(rule.auth);
        check_cookies(rule);
        check_mirror(rule);
      }
      check_auth(listener.auth);
      if (listener.default_action) check_action(listener, *listener.default_action);
      check_sticky(listener);
    }
    if (settings_.admin.http) {
      const Node* admin = root_.find("admin");
      const Node* http = admin ? admin->find("http") : nullptr;
      claim(*settings_.admin.http, "admin.http", http ? http->mark : root_.mark);
    }
  }

 private:
  void check_acme() {
    bool is_wanted = false;
    bool has_http = false;
    for (const Listener& listener : settings_.listeners) {
      has_http = has_http || listener.protocol == ListenerProtocol::Http;
      for (const CertificateFiles& certificate : listener.certificates) {
        if (certificate.acme.empty()) continue;
        is_wanted = true;
        if (settings_.acme.has_value()) continue;
        diagnostics_.error(certificate.mark,
                           fmt::format("the certificate for {} is to be obtained, and there is no acme section that "
                                       "says from whom; write acme: {{ accept_terms: true, email: you@example.com }}",
                                       quote(certificate.acme.front())));
      }
    }
    if (is_wanted && settings_.acme.has_value() && settings_.acme->challenge == AcmeChallenge::Http01 && !has_http) {
      diagnostics_.warning(
          settings_.acme->mark,
          "the challenge http-01 is answered by http listeners, and there is none; add one on port 80, "
          "or set challenge: tls-alpn-01");
    }
  }

  void check_action(const Listener& listener, const Action& action) {
    const bool bytes = !is_http(listener.protocol);
    const auto* forward = std::get_if<Forward>(&action);
    if (!forward) {
      if (bytes) {
        diagnostics_.error(listener.mark,
                           fmt::format("the {} listener {} can only forward: it sees no requests to answer",
                                       to_string(listener.protocol), quote(listener.name)));
      }
      return;
    }
    for (const WeightedGroup& wanted : forward->groups) {
      const auto found = groups_.find(wanted.group);
      if (found == groups_.end()) {
        unknown_group(wanted);
      } else if (is_http(found->second->protocol) == bytes) {
        diagnostics_.error(
            wanted.mark,
            fmt::format("the {} listener {} cannot forward to the {} target group {}", to_string(listener.protocol),
                        quote(listener.name), to_string(found->second->protocol), quote(wanted.group)),
            {fmt::format("the group stands at {}", diagnostics_.place(found->second->mark))});
      } else if ((found->second->protocol == GroupProtocol::Udp) != (listener.protocol == ListenerProtocol::Udp)) {
        diagnostics_.error(
            wanted.mark,
            fmt::format("the {} listener {} cannot forward to the {} target group {}: datagrams go to udp groups only, "
                        "and nothing else does",
                        to_string(listener.protocol), quote(listener.name), to_string(found->second->protocol),
                        quote(wanted.group)),
            {fmt::format("the group stands at {}", diagnostics_.place(found->second->mark))});
      } else if (passes_tls_through(listener) && found->second->protocol == GroupProtocol::Tls) {
        diagnostics_.error(
            wanted.mark,
            fmt::format("the listener {} passes TLS on as it comes; the tls target group {} would get it in TLS once "
                        "more: give the listener certificates, or the group protocol: tcp",
                        quote(listener.name), quote(wanted.group)),
            {fmt::format("the group stands at {}", diagnostics_.place(found->second->mark))});
      }
    }
  }

  // A browser holds one cookie of a name and path for a host: of two groups each would write over the other's.
  void check_sticky(const Listener& listener) {
    struct Users {
      std::map<std::string_view, const TargetGroup*> by_host;  // "": any
      std::set<const TargetGroup*> all;
    };
    std::map<std::pair<std::string_view, std::string_view>, Users> cookies;
    const auto use = [&](const Action& action, const std::vector<Pattern>& hosts) {
      const auto* forward = std::get_if<Forward>(&action);
      if (!forward) return;
      for (const WeightedGroup& wanted : forward->groups) {
        const auto found = groups_.find(wanted.group);
        if (found == groups_.end() || !found->second->sticky || !found->second->sticky->sets_cookie()) continue;
        const TargetGroup& group = *found->second;
        Users& users = cookies[{group.sticky->name, group.sticky->path}];
        const TargetGroup* other = nullptr;
        const auto meet = [&](const TargetGroup* known) {
          if (known != &group) other = known;
        };
        if (hosts.empty()) {
          for (const TargetGroup* known : users.all) meet(known);
        } else if (const auto any = users.by_host.find(""); any != users.by_host.end()) {
          meet(any->second);
        }
        for (const Pattern& host : hosts) meet(users.by_host.emplace(host.text, &group).first->second);
        if (hosts.empty()) users.by_host.emplace("", &group);
        users.all.insert(&group);
        if (other == nullptr || !alike_.emplace(std::minmax(other->name, group.name)).second) continue;
        diagnostics_.warning(
            group.sticky->mark,
            fmt::format("the target groups {} and {}, both of the listener {}, call their cookie {}: each would write "
                        "over the other's; give one of them another name, or a path of its own",
                        quote(other->name), quote(group.name), quote(listener.name), quote(group.sticky->name)));
      }
    };
    for (const Rule& rule : listener.rules) use(rule.action, rule.match.host);
    if (listener.default_action) use(*listener.default_action, {});
  }

  void check_mirror(const Rule& rule) {
    if (!rule.mirror.has_value() || rule.mirror->group.empty()) return;
    const auto found = groups_.find(rule.mirror->group);
    if (found == groups_.end()) {
      unknown_group({.group = rule.mirror->group, .mark = rule.mirror->mark});
    } else if (!is_http(found->second->protocol) || found->second->protocol == GroupProtocol::Ajp) {
      diagnostics_.error(rule.mirror->mark,
                         fmt::format("the target group {} speaks {}; copies go to http, https, h2c and h2 groups only",
                                     quote(rule.mirror->group), to_string(found->second->protocol)),
                         {fmt::format("the group stands at {}", diagnostics_.place(found->second->mark))});
    }
  }

  // What brings a client back to its target or group is not for a rule to write.
  void check_cookies(const Rule& rule) {
    for (const NamedText& header : rule.response_headers) {
      constexpr std::string_view set_cookie = "set-cookie";
      const bool sets = std::ranges::equal(header.name, set_cookie,
                                           [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
      if (!sets) continue;
      const std::string_view name = trimmed(std::string_view(header.text).substr(0, header.text.find('=')));
      const bool is_own =
          name == group_cookie_name || std::ranges::any_of(settings_.target_groups, [&](const auto& group) {
            return group.sticky && group.sticky->sets_cookie() && group.sticky->name == name;
          });
      if (!is_own) continue;
      diagnostics_.error(rule.mark, fmt::format("rule {}: the cookie {} is the balancer's own; give yours another name",
                                                quote(rule.name), quote(name)));
    }
  }

  void check_auth(const std::optional<Auth>& auth) {
    if (!auth || !auth->enabled) return;
    const auto* forward = std::get_if<ForwardAuth>(&auth->how);
    if (!forward || forward->group.empty()) return;
    const auto found = groups_.find(forward->group);
    if (found == groups_.end()) {
      unknown_group({.group = forward->group, .mark = forward->mark});
    } else if (found->second->protocol != GroupProtocol::Http && found->second->protocol != GroupProtocol::Https) {
      diagnostics_.error(
          forward->mark,
          fmt::format("the target group {} speaks {}; only http and https groups can be asked about requests",
                      quote(forward->group), to_string(found->second->protocol)),
          {fmt::format("the group stands at {}", diagnostics_.place(found->second->mark))});
    } else if (found->second->proxy_protocol != ProxyHeader::Off ||
               found->second->source_address != SourceAddress::Balancer) {
      diagnostics_.error(forward->mark,
                         fmt::format("the target group {} is told whose a connection is (proxy_protocol, "
                                     "source_address), and the questions about all clients share connections: give "
                                     "the service a group of its own",
                                     quote(forward->group)),
                         {fmt::format("the group stands at {}", diagnostics_.place(found->second->mark))});
    }
  }

  void unknown_group(const WeightedGroup& wanted) {
    if (diagnostics_.full()) return diagnostics_.error(wanted.mark, {});
    std::vector<std::string> notes;
    if (!names_.empty()) notes.push_back(fmt::format("known: {}", join(names_)));
    diagnostics_.error(
        wanted.mark, fmt::format("unknown target group {}{}", quote(wanted.group), did_you_mean(wanted.group, names_)),
        std::move(notes));
  }

  void check_address(const Listener& listener) {
    if (listener.address == Address{}) return;  // was an error already
    const Node* listeners = root_.find("listeners");
    const Node* node = listeners ? listeners->find(listener.name) : nullptr;
    const Node* address = node ? node->find("address") : nullptr;
    claim(listener.address, fmt::format("listener {}", quote(listener.name)), address ? address->mark : listener.mark,
          listener.protocol == ListenerProtocol::Udp ? "/udp" : "");
  }

  // UDP and TCP have ports of their own each.
  void claim(const Address& address, const std::string& owner, const Mark& mark, std::string_view of = "") {
    if (!address.is_unix() && address.port == 0) return;  // each gets a port of its own
    Address one = address;
    one.port_last = 0;
    for (int i = 0; i < address.port_count(); ++i, ++one.port) {
      const auto [first, added] = owners_.emplace(fmt::format("{}{}", one.to_string(), of), Owner{owner, mark});
      if (added) continue;
      diagnostics_.error(mark,
                         fmt::format("{} and {} have the same address {}", owner, first->second.name, one.to_string()),
                         {fmt::format("first at {}", diagnostics_.place(first->second.mark))});
      return;
    }
  }

  struct Owner {
    std::string name;
    Mark mark;
  };
  const Settings& settings_;
  const Node& root_;
  Diagnostics& diagnostics_;
  std::map<std::string_view, const TargetGroup*> groups_;
  std::vector<std::string> names_;
  std::map<std::string, Owner> owners_;
  std::set<std::pair<std::string, std::string>> alike_;  // groups whose cookies are, and it has been said
};

}  // namespace

void check_references(const Settings& settings, const Node& root, Diagnostics& diagnostics) {
  Checker(settings, root, diagnostics).run();
}

}  // namespace ballast::config
