// The schema of listeners: where clients connect, what they may send, and which rules their requests meet.
#include <map>

#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema.h"
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
               .doc = "Connections of this listener at once, all workers together; more are closed as they come.",
               .example = "20000",
               .value = field(&RequestLimits::connections, integer({.min = 1, .max = 10'000'000}))},
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
               .doc = "No byte either way in a body; of a tcp or tls listener: in the connection.",
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
  for (const Rule& rule : listener.rules) {
    Match others = rule.match;
    others.sni.clear();
    others.source.clear();
    if (listener.protocol == ListenerProtocol::Tls && others != Match{}) {
      decoder.diagnostics.error(
          rule.mark, fmt::format("rule {}: a tls listener sees only sni and source of a client", quote(rule.name)));
    }
    if (listener.protocol == ListenerProtocol::Http && !rule.match.sni.empty()) {
      decoder.diagnostics.error(
          rule.mark, fmt::format("rule {}: sni is known only of a tls listener; match the host", quote(rule.name)));
    }
  }
}

// A tls listener without one refuses what no rule matches.
void require_default(const Listener& listener, const Node& node, Decoder& decoder) {
  if (node.find("default") || (listener.protocol == ListenerProtocol::Tls && !listener.rules.empty())) return;
  decoder.error(listener.mark, "default is missing in this listener");
}

void check_ports(const Listener& listener, const Node& node, Decoder& decoder) {
  if (listener.address.port_last == 0 || is_layer4(listener.protocol)) return;
  decoder.error(node.mark_of("address"), "only a tcp or tls listener may have a range of ports");
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

void finish_listener(Listener& listener, const Node& node, Decoder& decoder) {
  name_rules(listener, node, decoder);
  require_default(listener, node, decoder);
  check_ports(listener, node, decoder);
  check_proxy_protocol(listener, node, decoder);
  const Node* given = node.find("timeouts");
  if (is_layer4(listener.protocol) && !(given && given->find("idle"))) listener.timeouts.idle = 10min;
}

std::string one_product(std::string_view value) {
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) {
      return fmt::format("{} has a character that a header cannot carry", quote(value));
    }
  }
  return "";
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
                                                      {"tcp", ListenerProtocol::Tcp, "bytes both ways, unread"},
                                                      {"tls", ListenerProtocol::Tls,
                                                       "TLS, passed through unread to a target by the name the "
                                                       "client asks for (SNI)"},
                                                  })),
                   .change_note = "the listener is replaced"},
                  {.name = "rules",
                   .doc =
                       "Tried in order; the first that matches decides. Of a tls listener by `sni` and `source` only; "
                       "a tcp listener has none.",
                   .example = "[{ match: { path: /api/* }, forward: api }]",
                   .value = field(&Listener::rules, list_by<Rule>([](const Rule& rule) { return rule.name; },
                                                                  Order::Matters, rule_kind(), {.max = 1'000})),
                   .default_words = "none"},
                  {.name = "default",
                   .doc = "What is done where no rule matches. Required, except of a tls listener with rules: without "
                          "it, what no rule matches is refused.",
                   .example = "{ forward: site }",
                   .value = field(&Listener::default_action, action_kind()),
                   .default_words = "required"},
                  {.name = "limits",
                   .doc = "What a client may send.",
                   .example = "{ body: 10MiB }",
                   .value = field(&Listener::limits, limits())},
                  {.name = "timeouts",
                   .doc = "How long a client may take.",
                   .example = "{ keep_alive: 2m }",
                   .value = field(&Listener::timeouts, timeouts())},
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
                                  one_of<ForwardedHeaders>({
                                      {"append", ForwardedHeaders::Append,
                                       "the client's address is added to a list that is there"},
                                      {"replace", ForwardedHeaders::Replace, "what the client sent is thrown away"},
                                      {"off", ForwardedHeaders::Off, "none are made"},
                                  }))},
                  {.name = "forwarded",
                   .doc = "Whether the `Forwarded` header of RFC 7239 is written as well.",
                   .example = "true",
                   .value = field(&Listener::forwarded, boolean())},
                  {.name = "server_header",
                   .doc = "The `Server` header of every response. Empty: the target's passes through.",
                   .example = "ballast",
                   .value =
                       field(&Listener::server_header, text({.words = "text", .bytes_max = 128, .check = one_product})),
                   .default_words = "empty"},
                  {.name = "access_log",
                   .doc = "Whether this listener's requests are logged, where there is an access log.",
                   .example = "false",
                   .value = field(&Listener::access_log, boolean())},
              },
          .finish = finish_listener,
      });
}

}  // namespace ballast::config
