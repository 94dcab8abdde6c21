// The schema of listeners: where clients connect, what they may send, and which rules their requests meet.
#include <algorithm>
#include <map>

#include "config/forms.h"
#include "config/header_kinds.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/schema_protection.h"
#include "config/schema_shaping.h"
#include "config/section.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

Value<RequestLimits> limits() {
  return section<RequestLimits>({
      .name = "limits",
      .title = "Limits of a listener",
      .doc = "What a client may send. What is larger is refused with the status that says so, and the connection is "
             "closed.",
      .properties =
          {
              {.name = "request_line",
               .doc = "The first line of a request; longer: 414.",
               .example = "8KiB",
               .value = field(&RequestLimits::request_line, size({.min = 256, .max = 64 * kib}))},
              {.name = "header",
               .doc = "One header, name and value; longer: 431.",
               .example = "32KiB",
               .value = field(&RequestLimits::header, size({.min = 256, .max = 256 * kib}))},
              {.name = "headers",
               .doc = "All headers of a request together; more: 431.",
               .example = "128KiB",
               .value = field(&RequestLimits::headers, size({.min = 1 * kib, .max = 1 * mib}))},
              {.name = "header_count",
               .doc = "The number of headers of a request; more: 431.",
               .example = "50",
               .value = field(&RequestLimits::header_count, integer({.min = 1, .max = 1'000}))},
              {.name = "body",
               .doc = "The body of a request; larger: 413.",
               .example = "10MiB",
               .value = field(&RequestLimits::body, size({.min = 0, .max = std::uint64_t{1} << 40})),
               .default_words = "none: no limit"},
              {.name = "connections",
               .doc = "Connections of this listener at once, all workers together; more are closed as they come. A udp "
                      "listener has `udp.flows` instead.",
               .example = "20000",
               .value = field(&RequestLimits::connections, integer({.min = 1, .max = 10'000'000}))},
              {.name = "connections_per_address",
               .doc = "Of those, connections of one client address, of IPv6 of one /64. More are answered with 429 and "
                      "the reason `address_full` by an http listener, and closed by others. Those of `trusted_proxies` "
                      "are not counted.",
               .example = "100",
               .value = field(&RequestLimits::connections_per_address, integer({.min = 1, .max = 1'000'000})),
               .default_words = "off"},
          },
  });
}

Value<ListenerTimeouts> timeouts() {
  return section<ListenerTimeouts>({
      .name = "listener_timeouts",
      .title = "Timeouts of a listener",
      .doc = "How long a client may take. There is no limit on a whole request: one that keeps moving is left alone.",
      .properties =
          {
              {.name = "handshake",
               .doc = "From a connection to the end of its TLS handshake; longer: it is closed.",
               .example = "5s",
               .value = field(&ListenerTimeouts::handshake, duration({.min = 100ms, .max = 2min}))},
              {.name = "header",
               .doc = "From the first byte of a request's head to its last; longer: 408. Of a tls listener: from the "
                      "connection to the last byte of the client's hello.",
               .example = "5s",
               .value = field(&ListenerTimeouts::header, duration({.min = 100ms, .max = 10min}))},
              {.name = "keep_alive",
               .doc = "A connection may rest this long between two requests, and before the first.",
               .example = "2m",
               .value = field(&ListenerTimeouts::keep_alive, duration({.min = 0s, .max = 1h}))},
              {.name = "idle",
               .doc =
                   "No byte either way in a body; of a tcp or tls listener: in the connection; of a udp listener: no "
                   "datagram either way in a flow, which ends then.",
               .example = "5m",
               .value = field(&ListenerTimeouts::idle, duration({.min = 100ms, .max = 24h})),
               .default_words = "1m; of a tcp or tls listener 10m"},
              {.name = "tunnel",
               .doc = "No byte either way in a WebSocket or another upgraded connection.",
               .example = "24h",
               .value = field(&ListenerTimeouts::tunnel, duration({.min = 1s, .max = 24h}))},
              {.name = "minimum_rate",
               .doc = "The bytes a second that a request's body must come with, averaged over 10 s after a grace of 10 "
                      "s; 0: off.",
               .example = "1KiB",
               .value = field(&ListenerTimeouts::minimum_rate, size({.min = 0, .max = 1 * mib}))},
          },
  });
}

Value<UdpFlows> udp_flows() {
  return section<UdpFlows>({
      .name = "udp",
      .title = "Flows of a udp listener",
      .doc =
          "A flow is what one client address and port sends to one address of the listener, and the answers. It stays "
          "with one target until nothing has passed for `timeouts.idle`. Each flow takes a descriptor and a local "
          "port.",
      .properties =
          {
              {.name = "flows",
               .doc = "Flows at once, of one worker. With no room left, the flow goes that has rested longest among "
                      "those whose client has not yet sent again after an answer; where there is none, the newcomer is "
                      "dropped.",
               .example = "4096",
               .value = field(&UdpFlows::flows, integer({.min = 1, .max = 1'000'000}))},
              {.name = "per_client",
               .doc = "Of those, flows of one client address. A new one over this takes the place of that client's "
                      "longest resting.",
               .example = "256",
               .value = field(&UdpFlows::per_client, integer({.min = 1, .max = 1'000'000}))},
              {.name = "answers",
               .doc = "Datagrams that a target sends for each one of the client; with the last of them the flow ends. "
                      "`1` for DNS and its like, whose clients take a new port for each question.",
               .example = "1",
               .value = field(&UdpFlows::answers, integer({.min = 1, .max = 1'000})),
               .default_words = "any number; the flow ends when it is idle"},
          },
  });
}

Value<ProxyProtocol> proxy_protocol() {
  return section<ProxyProtocol>({
      .name = "proxy_protocol",
      .title = "PROXY protocol of a listener",
      .doc = "Balancers in front that say whom a connection comes from, in a PROXY header of version 1 or 2. Their "
             "connections must begin with one; the address in it is the client's for rules, hashing, logs and "
             "`X-Forwarded-For`.",
      .properties =
          {
              {.name = "from",
               .doc = "The networks of those balancers. Required, except on a Unix socket.",
               .example = "[10.0.0.0/8]",
               .value = field(&ProxyProtocol::from, list(network(), {.max = 1'000, .single = Single::Alone})),
               .default_words = "none"},
              {.name = "others",
               .doc = "What becomes of connections from elsewhere.",
               .example = "plain",
               .value =
                   field(&ProxyProtocol::others,
                         one_of<OtherPeers>({
                             {"refused", OtherPeers::Refused, "closed, with the reason `proxy_untrusted`"},
                             {"plain", OtherPeers::Plain, "served as they are; a header from them is never believed"},
                         }))},
              {.name = "timeout",
               .doc = "From the connection to the last byte of the header.",
               .example = "3s",
               .value = field(&ProxyProtocol::timeout, duration({.min = 100ms, .max = 60s}))},
          },
  });
}

Value<Http2> http2() {
  return section<Http2>({
      .name = "http2",
      .title = "HTTP/2 of a listener",
      .doc = "Clients choose it by prior knowledge; over TLS by ALPN. What is changed here holds for new connections.",
      .properties =
          {
              {.name = "enabled",
               .doc = "Whether it is offered.",
               .example = "false",
               .value = field(&Http2::enabled, boolean())},
              {.name = "streams",
               .doc = "Requests at once in one connection; more are refused, and browsers keep them back.",
               .example = "256",
               .value = field(&Http2::streams, integer({.min = 1, .max = 10'000}))},
              {.name = "stream_window",
               .doc = "How much of one request's body may come before it is read. Larger: faster uploads over long "
                      "ways, more memory for slow targets.",
               .example = "256KiB",
               .value = field(&Http2::stream_window_bytes, size({.min = 16 * kib, .max = 16 * mib}))},
              {.name = "window",
               .doc = "The same for all requests of one connection together.",
               .example = "4MiB",
               .value = field(&Http2::window_bytes, size({.min = 64 * kib, .max = 64 * mib}))},
          },
  });
}

void name_rules(Listener& listener, const Node& node, Decoder& decoder) {
  std::map<std::string, const Rule*> names;
  for (std::size_t i = 0; i < listener.rules.size(); ++i) {
    Rule& rule = listener.rules[i];
    if (rule.name.empty()) rule.name = fmt::format("rule-{}", i + 1);
    const auto [first, added] = names.emplace(rule.name, &rule);
    if (added) continue;
    decoder.diagnostics.error(rule.mark, fmt::format("two rules of this listener have the name {}", quote(rule.name)),
                              {fmt::format("first at {}", decoder.diagnostics.place(first->second->mark))});
  }
  if (listener.protocol == ListenerProtocol::Tcp && !listener.rules.empty()) {
    decoder.error(node.mark_of("rules"), "a tcp listener sees no requests and has no rules; use its default");
  }
}

void check_tls(const Listener& listener, const Node& node, Decoder& decoder) {
  const bool secure = is_secure(listener.protocol);
  for (const std::string_view key : {"certificates", "tls"}) {
    if (secure || !node.find(key)) continue;
    decoder.error(node.mark_of(key),
                  fmt::format("a listener with the protocol {} has no {}; write protocol: {}",
                              to_string(listener.protocol), key, is_http(listener.protocol) ? "https" : "tls"));
  }
  if (passes_tls_through(listener) && node.find("tls")) {
    decoder.error(node.mark_of("tls"),
                  "tls is missing certificates: a tls listener without any passes TLS on to its targets unread");
  }
  if (listener.protocol == ListenerProtocol::Https && listener.certificates.empty()) {
    decoder.error(listener.mark, "certificates is missing: the https listener has nothing to show to clients",
                  "certificates: [ { cert: site.crt, key: site.key } ]");
  }
  if (listener.protocol == ListenerProtocol::Https && !listener.tls.alpn.empty()) {
    decoder.error(node.find("tls")->mark_of("alpn"),
                  "an https listener speaks HTTP and says so by itself; alpn is for tls listeners");
  }
  const auto& clients = listener.tls.client_certificates;
  if (clients.has_value() && !is_http(listener.protocol) && !clients->subject_header.empty()) {
    decoder.error(node.find("tls")->mark_of("client_certificates"),
                  "a tls listener passes bytes on and can add no subject_header");
  }
}

void check_udp(const Listener& listener, const Node& node, Decoder& decoder) {
  if (listener.protocol != ListenerProtocol::Udp) {
    if (node.find("udp")) {
      decoder.error(node.mark_of("udp"), fmt::format("a {} listener has no flows of datagrams; write protocol: udp",
                                                     to_string(listener.protocol)));
    }
    return;
  }
  if (listener.address.is_unix()) {
    decoder.error(node.mark_of("address"), "a udp listener has an address and a port; it cannot be a Unix socket");
  }
  if (listener.proxy_protocol.has_value()) {
    decoder.error(node.mark_of("proxy_protocol"), "a udp listener reads no PROXY headers");
  }
}

void check_rules(const Listener& listener, Decoder& decoder) {
  for (const Rule& rule : listener.rules) {
    Match others = rule.match;
    others.sni.clear();
    others.source.clear();
    if (listener.protocol == ListenerProtocol::Tls && others != Match{}) {
      decoder.diagnostics.error(
          rule.mark, fmt::format("rule {}: a tls listener sees only sni and source of a client", quote(rule.name)));
    }
    if (listener.protocol == ListenerProtocol::Udp && (others != Match{} || !rule.match.sni.empty())) {
      decoder.diagnostics.error(
          rule.mark, fmt::format("rule {}: a udp listener sees only the source of a client", quote(rule.name)));
    }
    if (is_http(listener.protocol) && !rule.match.sni.empty()) {
      decoder.diagnostics.error(
          rule.mark, fmt::format("rule {}: sni is known only of a tls listener; match the host", quote(rule.name)));
    }
  }
}

// A tls listener without one refuses what no rule matches, a udp listener drops it.
void require_default(const Listener& listener, const Node& node, Decoder& decoder) {
  const bool may_refuse = listener.protocol == ListenerProtocol::Tls || listener.protocol == ListenerProtocol::Udp;
  if (node.find("default") || (may_refuse && !listener.rules.empty())) return;
  if (redirects_to_https(listener)) return;
  decoder.error(listener.mark, "default is missing in this listener");
}

void check_ports(const Listener& listener, const Node& node, Decoder& decoder) {
  if (listener.address.port_last == 0 || !is_http(listener.protocol)) return;
  decoder.error(node.mark_of("address"), "only a tcp, tls or udp listener may have a range of ports");
}

void check_proxy_protocol(const Listener& listener, const Node& node, Decoder& decoder) {
  if (!listener.proxy_protocol.has_value()) return;
  const bool is_unix = listener.address.is_unix();
  if (is_unix && !listener.proxy_protocol->from.empty()) {
    decoder.warning(node.mark_of("proxy_protocol"),
                    "from has no effect on a Unix socket: everybody who may connect to it is believed");
  }
  if (!is_unix && listener.proxy_protocol->from.empty()) {
    decoder.error(node.mark_of("proxy_protocol"),
                  "from is missing: the networks of the balancers whose PROXY header is believed; write { from: "
                  "[10.0.0.0/8] }");
  }
}

void check_https(const Listener& listener, const Node& node, Decoder& decoder) {
  if (redirects_to_https(listener) && listener.protocol != ListenerProtocol::Http) {
    decoder.error(node.mark_of("redirect_https"), "redirect_https is for http listeners: this one has the protocol " +
                                                      std::string(to_string(listener.protocol)));
  }
  if (redirects_to_https(listener) && node.find("default")) {
    decoder.error(node.mark_of("redirect_https"),
                  "redirect_https stands in the place of default: what no rule matches is redirected; take one away");
  }
  if (listener.hsts.has_value() && listener.protocol != ListenerProtocol::Https) {
    decoder.error(node.mark_of("hsts"),
                  "hsts is for https listeners: over plain HTTP browsers ignore it, and RFC 6797 "
                  "forbids to send it");
  }
}

void check_cors(const Listener& listener, const Node& node, Decoder& decoder) {
  if (is_http(listener.protocol)) return;
  const auto words = [&] {
    return fmt::format("a {} listener sees no requests whose origin it could tell", to_string(listener.protocol));
  };
  if (listener.cors.has_value()) decoder.error(node.mark_of("cors"), words());
  for (const Rule& rule : listener.rules) {
    if (rule.cors.has_value())
      decoder.diagnostics.error(rule.mark, fmt::format("rule {}: {}", quote(rule.name), words()));
  }
}

void finish_listener(Listener& listener, const Node& node, Decoder& decoder) {
  name_rules(listener, node, decoder);
  require_default(listener, node, decoder);
  check_ports(listener, node, decoder);
  check_proxy_protocol(listener, node, decoder);
  if (listener.auth && !is_http(listener.protocol)) {
    decoder.error(node.mark_of("auth"), fmt::format("a {} listener sees no requests whose sender it could ask",
                                                    to_string(listener.protocol)));
  }
  check_https(listener, node, decoder);
  check_cors(listener, node, decoder);
  check_shaping(listener, decoder);
  check_tls(listener, node, decoder);
  check_udp(listener, node, decoder);
  check_rules(listener, decoder);
  finish_door(listener, node, decoder);
  const Node* given = node.find("timeouts");
  const bool has_default_of_its_own = !is_http(listener.protocol) && listener.protocol != ListenerProtocol::Udp;
  if (has_default_of_its_own && !(given && given->find("idle"))) listener.timeouts.idle = 10min;
}

std::string name_of_certificate(const CertificateFiles& files) {
  return files.acme.empty() ? files.cert : fmt::format("acme {}", join(files.acme));
}

}  // namespace

Value<Listener> listener_kind() {
  return section<Listener>(
      {
          .name = "listener",
          .title = "Listener",
          .doc = "An address on which clients connect, with rules in order and a default.",
          .properties =
              {
                  {.name = "address",
                   .doc = "Where to listen: `:port` on every address, `host:port`, `[v6]:port` or `unix:/path`. Port 0 "
                          "takes a free one. A listener of layer 4 may have a range of ports, `:7000-7010`.",
                   .example = "\":8080\"",
                   .value = field(&Listener::address, address(AddressUse::ListenOnPorts)),
                   .required = true,
                   .change_note = "the listener is replaced"},
                  {.name = "protocol",
                   .doc = "What clients speak.",
                   .example = "tcp",
                   .value =
                       field(&Listener::protocol, one_of<ListenerProtocol>({
                                                      {"http", ListenerProtocol::Http, "HTTP/1.1: requests meet rules"},
                                                      {"https", ListenerProtocol::Https, "the same over TLS"},
                                                      {"tcp", ListenerProtocol::Tcp, "bytes both ways, unread"},
                                                      {"tls", ListenerProtocol::Tls,
                                                       "the same, out of TLS; without certificates TLS is passed "
                                                       "through unread to a target by the name the client asks for "
                                                       "(SNI)"},
                                                      {"udp", ListenerProtocol::Udp,
                                                       "datagrams both ways, unread; what one client port sends goes "
                                                       "to one target"},
                                                  })),
                   .change_note = "the listener is replaced"},
                  {.name = "certificates",
                   .doc = "What clients are shown: the one whose names match the name that the client asks for, or the "
                          "first. Of each kind of key (ECDSA, RSA) a name may have one. From files, or obtained: "
                          "`{ acme: [www.example.com] }`.",
                   .example = "[{ cert: site.crt, key: site.key }]",
                   .value =
                       field(&Listener::certificates,
                             list_by<CertificateFiles>(name_of_certificate, Order::Matters, certificate_files_kind(),
                                                       {.max = 1'000, .single = Single::Alone})),
                   .default_words = "none; https needs one, tls without passes through"},
                  {.name = "tls",
                   .doc = "How TLS is spoken.",
                   .example = "{ profile: modern }",
                   .value = field(&Listener::tls, listener_tls_kind())},
                  {.name = "rules",
                   .doc = "Tried in order; the first that matches decides. Of a tls listener by `sni` and `source` "
                          "only, of a "
                          "udp listener by `source`; "
                          "a tcp listener has none.",
                   .example = "[{ match: { path: /api/* }, forward: api }]",
                   .value = field(&Listener::rules, list_by<Rule>([](const Rule& rule) { return rule.name; },
                                                                  Order::Matters, rule_kind(), {.max = 1'000})),
                   .default_words = "none"},
                  {.name = "default",
                   .doc = "What is done where no rule matches. Required, except of a tls or udp listener with rules "
                          "(without "
                          "it, what no rule matches is refused) and beside `redirect_https`.",
                   .example = "{ forward: site }",
                   .value = field(&Listener::default_action, action_kind()),
                   .default_words = "required"},
                  {.name = "auth",
                   .doc = "Who may send requests, wherever a rule does not say otherwise. Only for http and https.",
                   .example = "{ basic: { file: users.htpasswd } }",
                   .value = field(&Listener::auth, auth_kind()),
                   .default_words = "none: anybody"},
                  {.name = "cors",
                   .doc = "Which pages of other origins may read responses, wherever a rule does not say otherwise: "
                          "origins, or a section that says more. Only for http and https.",
                   .example = "[https://app.example.com]",
                   .value = field(&Listener::cors, cors_kind()),
                   .default_words = "none: the target's own headers pass through"},
                  allow_of_listener(),
                  deny_of_listener(),
                  rate_limits_of_listener(),
                  {.name = "redirect_https",
                   .doc = "In the place of a default: what no rule matches is redirected to the same URL over https. "
                          "Nobody is asked for a password on that way. Only for http.",
                   .example = "true",
                   .value = field(&Listener::redirect_https, https_redirect_kind()),
                   .default_words = "off"},
                  {.name = "hsts",
                   .doc = "Tells browsers to come over https alone for that long (`Strict-Transport-Security`), in the "
                          "place of what a target says of it. Only for https.",
                   .example = "365d",
                   .value = field(&Listener::hsts, hsts_kind()),
                   .default_words = "none: the target's passes through"},
                  {.name = "limits",
                   .doc = "What a client may send.",
                   .example = "{ body: 10MiB }",
                   .value = field(&Listener::limits, limits())},
                  {.name = "desync",
                   .doc = "What becomes of requests that two programs could read differently (request smuggling).",
                   .example = "strictest",
                   .value =
                       field(&Listener::desync,
                             one_of<DesyncMode>(
                                 {
                                     {"monitor", DesyncMode::Monitor,
                                      "as `defensive`, but what has one safe reading is put in order and passed"},
                                     {"defensive", DesyncMode::Defensive, "what is ambiguous is refused"},
                                     {"strictest", DesyncMode::Strictest, "what is merely unusual is refused, too"},
                                 }))},
                  {.name = "timeouts",
                   .doc = "How long a client may take.",
                   .example = "{ keep_alive: 2m }",
                   .value = field(&Listener::timeouts, timeouts())},
                  {.name = "udp",
                   .doc = "How many flows a udp listener has at once, and when they end.",
                   .example = "{ answers: 1 }",
                   .value = field(&Listener::udp, udp_flows())},
                  {.name = "proxy_protocol",
                   .doc = "Balancers in front that say in a PROXY header whom a connection comes from.",
                   .example = "{ from: [10.0.0.0/8] }",
                   .value = field(&Listener::proxy_protocol, proxy_protocol()),
                   .default_words = "none"},
                  {.name = "http2",
                   .doc = "HTTP/2 toward clients.",
                   .example = "{ streams: 256 }",
                   .value = field(&Listener::http2, http2())},
                  {.name = "trusted_proxies",
                   .doc = "Networks whose `X-Forwarded-For`, `Forwarded` and request ids are believed.",
                   .example = "[10.0.0.0/8]",
                   .value = field(&Listener::trusted_proxies, list(network(), {.max = 1'000, .single = Single::Alone})),
                   .default_words = "none: nobody's"},
                  {.name = "x_forwarded",
                   .doc = "What is done with `X-Forwarded-For`, `-Proto`, `-Port` and `-Host` toward the target.",
                   .example = "replace",
                   .value = field(&Listener::x_forwarded,
                                  one_of<ForwardedHeaders>(
                                      {
                                          {"append", ForwardedHeaders::Append,
                                           "the client's address is added to a list that is there"},
                                          {"replace", ForwardedHeaders::Replace, "what the client sent is thrown away"},
                                          {"off", ForwardedHeaders::Off, "none are made"},
                                      }))},
                  {.name = "forwarded",
                   .doc = "Whether the `Forwarded` header of RFC 7239 is written as well.",
                   .example = "true",
                   .value = field(&Listener::forwarded, boolean())},
                  {.name = "compression",
                   .doc = "Whether responses are compressed: codings, or a section that says more.",
                   .example = "[zstd, br, gzip]",
                   .value = field(&Listener::compression, compression_kind()),
                   .default_words = "off"},
                  {.name = "response_headers",
                   .doc = "Headers put into every response, in the place of those of the same name that are there.",
                   .example = "{ Strict-Transport-Security: max-age=31536000 }",
                   .value = field(&Listener::response_headers, texts_by_name({.words = "header names to values",
                                                                              .name = response_header_name(),
                                                                              .value = header_value(),
                                                                              .max = 50})),
                   .default_words = "none"},
                  {.name = "remove_headers",
                   .doc = "Headers taken out of every response.",
                   .example = "[X-Powered-By]",
                   .value = field(&Listener::remove_headers,
                                  list(response_header_name(), {.max = 50, .single = Single::Alone})),
                   .default_words = "none"},
                  {.name = "server_header",
                   .doc = "The `Server` header of every response. Empty: the target's passes through.",
                   .example = "ballast",
                   .value = field(&Listener::server_header,
                                  text({.words = "text", .bytes_max = 128, .check = header_text_fault})),
                   .default_words = "empty"},
                  {.name = "maintenance",
                   .doc = "What is answered while an operator has the listener under maintenance. Only for http and "
                          "https.",
                   .example = "{ page: { file: maintenance.html }, except: [10.0.0.0/8] }",
                   .value = field(&Listener::maintenance, maintenance_kind()),
                   .default_words = "a few words"},
                  {.name = "access_log",
                   .doc = "Whether this listener's requests are logged, where there is an access log.",
                   .example = "false",
                   .value = field(&Listener::access_log, boolean())},
              },
          .finish = finish_listener,
      });
}

}  // namespace ballast::config
