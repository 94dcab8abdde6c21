// The schema of target groups: who serves, how one of them is picked, how they are checked, and how they are reached.
#include <algorithm>
#include <map>

#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"
#include "config/text_checks.h"
#include "config/units.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

std::string route_name(std::string_view value) {
  const bool good = std::ranges::all_of(value, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  });
  return good ? "" : fmt::format("{} is not the name of a route", quote(value));
}

Value<Target> target() {
  const Value<Address> where = address(AddressUse::Connect);
  return shortened(
      section<Target>({
          .name = "target",
          .title = "Target",
          .doc = "One server of a group: an address alone, or with its weight. A name is resolved again as its "
                 "records expire; all of its addresses are used.",
          .properties =
              {
                  {.name = "address",
                   .doc = "Where it is. Without a port, in a tcp group: the port that the client connected to.",
                   .example = "10.0.0.11:8080",
                   .value = field(&Target::address, where),
                   .required = true},
                  {.name = "weight",
                   .doc = "Its share, relative to the other targets; 0: it gets nothing new.",
                   .example = "2",
                   .value = field(&Target::weight, integer({.min = 0, .max = 999}))},
                  {.name = "route",
                   .doc =
                       "What the ids of its sessions end in, after a dot: a Tomcat's `jvmRoute`. Such a session stays "
                       "with it, also at weight 0.",
                   .example = "tomcat1",
                   .value =
                       field(&Target::route, text({.words = "name of a route: letters, digits, \"_\", \".\", \"-\"",
                                                   .pattern = "[A-Za-z0-9_.-]*",
                                                   .bytes_max = 64,
                                                   .check = route_name})),
                   .default_words = "none"},
              },
      }),
      &Target::address, where);
}

Value<GroupTls> group_tls() {
  return section<GroupTls>({
      .name = "group_tls",
      .title = "TLS to targets",
      .doc = "How the targets of an https or tls group are spoken to, and by the checks too. TLS 1.2 and 1.3.",
      .properties =
          {
              {.name = "verify",
               .doc =
                   "Whether a target must prove that it is who it should be. Without, anybody on the way can read and "
                   "change everything.",
               .example = "false",
               .value = field(&GroupTls::verify, boolean())},
              {.name = "ca",
               .doc = "PEM: who may vouch for targets: authorities, or a target's own certificate.",
               .example = "internal-ca.crt",
               .value = field(&GroupTls::ca, file_path()),
               .default_words = "whom the system trusts"},
              {.name = "server_name",
               .doc = "The name asked for (SNI) and verified.",
               .example = "app.internal",
               .value = field(&GroupTls::server_name,
                              text({.words = "host name", .bytes_max = 253, .check = visible_ascii})),
               .default_words = "the target's name or address"},
              {.name = "certificate",
               .doc = "PEM: our own certificate with its chain, for targets that want one.",
               .example = "ballast.crt",
               .value = field(&GroupTls::certificate, file_path()),
               .default_words = "none"},
              {.name = "key",
               .doc = "PEM: its private key.",
               .example = "ballast.key",
               .value = field(&GroupTls::key, file_path()),
               .default_words = "none"},
          },
      .finish =
          [](GroupTls& tls, const Node& node, Decoder& decoder) {
            if (tls.certificate.empty() == tls.key.empty()) return;
            decoder.error(node.mark, "certificate and key belong together; one of them is missing");
          },
  });
}

Value<GroupTimeouts> timeouts() {
  return section<GroupTimeouts>({
      .name = "group_timeouts",
      .title = "Timeouts of a target group",
      .doc = "How long a target may take. There is no limit on a whole response: one that keeps moving is left alone.",
      .properties =
          {
              {.name = "connect",
               .doc = "To take a connection; longer: the next target is tried.",
               .example = "1s",
               .value = field(&GroupTimeouts::connect, duration({.min = 10ms, .max = 120s}))},
              {.name = "header",
               .doc = "From the last byte of the request to the head of the response; longer: 504.",
               .example = "30s",
               .value = field(&GroupTimeouts::header, duration({.min = 10ms, .max = 24h}))},
              {.name = "idle",
               .doc = "No byte in the body of a response.",
               .example = "5m",
               .value = field(&GroupTimeouts::idle, duration({.min = 10ms, .max = 24h}))},
          },
  });
}

Value<GrpcStatus> grpc_status() {
  return one_of<GrpcStatus>({
      {"cancelled", GrpcStatus::Cancelled},
      {"unknown", GrpcStatus::Unknown},
      {"deadline_exceeded", GrpcStatus::DeadlineExceeded},
      {"resource_exhausted", GrpcStatus::ResourceExhausted},
      {"aborted", GrpcStatus::Aborted},
      {"internal", GrpcStatus::Internal},
      {"unavailable", GrpcStatus::Unavailable},
  });
}

Value<Retries> retries() {
  return section<Retries>({
      .name = "retries",
      .title = "Retries",
      .doc =
          "A request that no target has acted upon is sent to another one. One that may have been acted upon never is.",
      .properties =
          {
              {.name = "attempts",
               .doc = "Attempts in all, the first included; 1: no retries.",
               .example = "2",
               .value = field(&Retries::attempts, integer({.min = 1, .max = 10}))},
              {.name = "body",
               .doc = "How much of a request's body is kept in memory on its way, so that it can be sent again; larger "
                      "ones go once. The 16 KiB that may come with the head are always kept.",
               .example = "1MiB",
               .value = field(&Retries::body_bytes_max, size({.min = 0, .max = 16 * mib}))},
              {.name = "timeout",
               .doc = "How long an attempt may take from the last byte of the request to the head of its answer before "
                      "another target is asked instead, where the request may be repeated. While none can be asked it "
                      "is waited for, as long as `timeouts.header` says. 0: no limit.",
               .example = "2s",
               .value = field(&Retries::timeout, duration({.min = 0s, .max = 24h}))},
              {.name = "budget",
               .doc = "Retries of what a target has been sent are at most this share of the requests under way (three "
                      "are always allowed), so that a failing group is not buried under them.",
               .example = "10%",
               .value = field(&Retries::budget_percent, percent())},
              {.name = "statuses",
               .doc = "Answers with these statuses are not passed on while another target can be asked; for methods "
                      "that may be repeated (GET, HEAD, PUT, DELETE, ...) only.",
               .example = "\"502-504\"",
               .value = field(&Retries::statuses, status_codes()),
               .default_words = "none"},
              {.name = "grpc_statuses",
               .doc = "gRPC calls that end with one of these statuses, before any message, are made again with another "
                      "target. Name only statuses with which your servers end calls that have changed nothing.",
               .example = "[unavailable, resource_exhausted]",
               .value = field(&Retries::grpc_statuses, list(grpc_status(), {.max = 7})),
               .default_words = "none"},
          },
      .finish =
          [](Retries& retries, const Node& node, Decoder& decoder) {
            const bool errors_only =
                std::ranges::all_of(retries.statuses, [](const StatusRange& range) { return range.first >= 400; });
            if (!errors_only) {
              decoder.error(node.mark_of("statuses"), "only answers that are errors are tried again", "400 to 599");
            }
          },
  });
}

Value<Pool> pool() {
  return section<Pool>({
      .name = "pool",
      .title = "Connection pool",
      .doc = "Connections to targets that are kept for the next request.",
      .properties =
          {
              {.name = "idle_max",
               .doc = "Connections at rest, to one target from one worker.",
               .example = "100",
               .value = field(&Pool::idle_max, integer({.min = 0, .max = 100'000}))},
              {.name = "idle_timeout",
               .doc = "How long one may rest; less where the target was seen to close them sooner.",
               .example = "20s",
               .value = field(&Pool::idle_timeout, duration({.min = 0s, .max = 1h}))},
              {.name = "requests_max",
               .doc = "Requests on one connection; 0: no limit.",
               .example = "10000",
               .value = field(&Pool::requests_max, integer({.min = 0, .max = 1'000'000'000}))},
          },
  });
}

Value<Algorithm> algorithm() {
  return one_of<Algorithm>({
      {"round_robin", Algorithm::RoundRobin, "in turn, by weight"},
      {"least_requests", Algorithm::LeastRequests, "the one with the fewest requests under way, by weight"},
      {"two_choices", Algorithm::TwoChoices, "of two taken at random, the one with fewer requests under way"},
      {"least_time", Algorithm::LeastTime, "the one that answers soonest, from its measured times and its queue"},
      {"source_hash", Algorithm::SourceHash, "the same one for the same hash_key, as long as the targets stay"},
      {"maglev", Algorithm::Maglev, "as source_hash, and few keys move when the targets change"},
      {"random", Algorithm::Random, "at random, by weight"},
  });
}

void refuse_twins(const TargetGroup& group, Decoder& decoder) {
  std::map<std::string, Mark> known;
  for (const Target& target : group.targets) {
    const std::string address = target.address.to_string();
    const auto [first, added] = known.emplace(address, target.mark);
    if (added || address == Address{}.to_string()) continue;
    decoder.diagnostics.error(target.mark, fmt::format("the target {} is in this group twice", crop(address)),
                              {fmt::format("first at {}", decoder.diagnostics.place(first->second))});
  }
  std::map<std::string, Mark> routes;
  for (const Target& target : group.targets) {
    if (target.route.empty()) continue;
    const auto [first, added] = routes.emplace(target.route, target.mark);
    if (added) continue;
    decoder.diagnostics.error(target.mark, fmt::format("the route {} is in this group twice", quote(target.route)),
                              {fmt::format("first at {}", decoder.diagnostics.place(first->second))});
  }
}

void finish_routes(const TargetGroup& group, const Node& node, Decoder& decoder) {
  if (node.find("ajp") && group.protocol != GroupProtocol::Ajp) {
    decoder.warning(node.mark_of("ajp"), "ajp has no effect: only a group with `protocol: ajp` speaks it");
  }
  const bool routed = std::ranges::any_of(group.targets, [](const Target& target) { return !target.route.empty(); });
  if (routed && !is_http(group.protocol)) {
    decoder.error(node.mark_of("targets"), fmt::format("a {} group sees no sessions; its targets cannot have a route",
                                                       to_string(group.protocol)));
  }
  if (node.find("session_route") && group.session_route.enabled && !routed) {
    decoder.warning(node.mark_of("session_route"), "session_route has no effect: no target has a route");
  }
}

CheckProtocol check_of(GroupProtocol protocol) {
  switch (protocol) {
    case GroupProtocol::Tcp:
    case GroupProtocol::H2c:
      return CheckProtocol::Tcp;
    case GroupProtocol::Tls:
    case GroupProtocol::H2:
      return CheckProtocol::Tls;
    case GroupProtocol::Udp:
      return CheckProtocol::Udp;
    case GroupProtocol::Http:
      return CheckProtocol::Http;
    case GroupProtocol::Ajp:
      return CheckProtocol::Ajp;
    case GroupProtocol::Https:
      break;
  }
  return CheckProtocol::Https;
}

void check_same_port(const TargetGroup& group, Decoder& decoder) {
  for (const Target& target : group.targets) {
    if (!target.address.same_port) continue;
    const std::string name = quote(target.address.to_string());
    if (is_http(group.protocol)) {
      decoder.diagnostics.error(target.mark, fmt::format("the target {} has no port; write host:port", name));
    } else if (group.health_check.enabled && !group.health_check.port.has_value()) {
      decoder.diagnostics.error(target.mark, fmt::format("the target {} has no port of its own to be checked on", name),
                                {"give health_check a port, or write health_check: off"});
    }
  }
}

// Their connections are shared by all clients.
void check_shared(const TargetGroup& group, const Node& node, Decoder& decoder) {
  if (!is_http2(group.protocol)) return;
  const auto refuse = [&](std::string_view key) {
    decoder.error(node.mark_of(key),
                  fmt::format("{} is not for a group with the protocol {}, whose connections carry "
                              "the requests of many clients; write protocol: {}",
                              key, to_string(group.protocol), is_secure(group.protocol) ? "https" : "http"));
  };
  if (group.proxy_protocol != ProxyHeader::Off) refuse("proxy_protocol");
  if (group.source_address != SourceAddress::Balancer) refuse("source_address");
}

// No check suits every server that speaks UDP: some answer only what they understand, some never.
void check_udp(const TargetGroup& group, const Node& node, Decoder& decoder) {
  if (group.protocol == GroupProtocol::Udp) {
    if (group.proxy_protocol != ProxyHeader::Off) {
      decoder.error(node.mark_of("proxy_protocol"), "a udp group tells no PROXY header; write protocol: tcp");
    }
    if (group.source_address != SourceAddress::Balancer) {
      decoder.error(node.mark_of("source_address"), "a udp group's targets see the balancer's address only");
    }
    for (const Target& target : group.targets) {
      if (target.address.is_unix()) {
        decoder.diagnostics.error(target.mark, "a target of a udp group cannot be a Unix socket");
      }
    }
  }
  const Node* check = node.find("health_check");
  const bool says = check != nullptr && check->find("udp") != nullptr;
  if (!group.health_check.enabled) return;
  if (group.health_check.protocol == CheckProtocol::Udp && !says) {
    decoder.error(
        check != nullptr ? node.mark_of("health_check") : group.mark,
        "what a udp check asks is missing: no question suits every server",
        "health_check: { udp: { send: ping, expect: pong } }, { protocol: tcp } where it speaks TCP too, or off");
  }
  if (group.health_check.protocol != CheckProtocol::Udp && says) {
    decoder.error(node.mark_of("health_check"), "only a check with protocol: udp has udp");
  }
}

void check_source_address(const TargetGroup& group, Decoder& decoder) {
  if (group.source_address == SourceAddress::Balancer) return;
  for (const Target& target : group.targets) {
    if (!target.address.is_unix()) continue;
    decoder.diagnostics.error(target.mark, "source_address: a Unix socket sees no address; it cannot be the client's");
  }
}

void finish_target_group(TargetGroup& group, const Node& node, Decoder& decoder) {
  refuse_twins(group, decoder);
  check_same_port(group, decoder);
  check_source_address(group, decoder);
  check_shared(group, node, decoder);
  const Node* check = node.find("health_check");
  if (!(check && check->find("protocol"))) group.health_check.protocol = check_of(group.protocol);
  check_udp(group, node, decoder);
  const bool checks_tls =
      group.health_check.protocol == CheckProtocol::Https || group.health_check.protocol == CheckProtocol::Tls;
  if (node.find("tls") && !is_secure(group.protocol) && !checks_tls) {
    decoder.error(node.mark_of("tls"),
                  fmt::format("a group with the protocol {} speaks no TLS; write protocol: {}",
                              to_string(group.protocol), is_http(group.protocol) ? "https" : "tls"));
  }
  if (group.health_check.protocol == CheckProtocol::Grpc && is_secure(group.protocol) && !is_http2(group.protocol)) {
    decoder.error(
        check->mark_of("protocol"),
        fmt::format("a grpc check speaks HTTP/2, which a group with the protocol {} does not; write protocol: h2",
                    to_string(group.protocol)));
  }
  const bool verifies = (is_secure(group.protocol) || checks_tls) && group.tls.verify && group.tls.server_name.empty();
  for (const Target& target : group.targets) {
    if (!verifies || !target.address.is_unix()) continue;
    decoder.diagnostics.error(target.mark, "a Unix socket has no name to verify; give tls.server_name");
  }
  finish_routes(group, node, decoder);
  finish_queue(group, node, decoder);
  finish_sticky(group, node, decoder);
  finish_outliers(group, node, decoder);
  const bool hashes = group.algorithm == Algorithm::SourceHash || group.algorithm == Algorithm::Maglev;
  if (node.find("hash_key") && !hashes) {
    decoder.warning(node.mark_of("hash_key"), "hash_key has no effect: only source_hash and maglev hash");
  }
  if (!is_http(group.protocol) && hashes && group.hash_key.kind != HashKeyKind::Source) {
    decoder.error(node.mark_of("hash_key"), fmt::format("a {} group sees no requests; its hash_key can only be source",
                                                        to_string(group.protocol)));
  }
  if (!group.targets.empty() && static_cast<std::size_t>(group.minimum_healthy) > group.targets.size()) {
    decoder.warning(node.mark_of("minimum_healthy"),
                    fmt::format("minimum_healthy is {}, and there are {} targets: health is never looked at",
                                group.minimum_healthy, group.targets.size()));
  }
}

}  // namespace

Value<TargetGroup> target_group_kind() {
  return section<TargetGroup>(
      {
          .name = "target_group",
          .title = "Target group",
          .doc = "Targets that serve the same, how one of them is picked, and how they are checked.",
          .properties =
              {
                  {.name = "protocol",
                   .doc = "What the targets speak. Requests are forwarded to http, https, h2c, h2 and ajp groups, "
                          "bytes to "
                          "the others.",
                   .example = "tcp",
                   .value =
                       field(&TargetGroup::protocol, one_of<GroupProtocol>({
                                                         {"http", GroupProtocol::Http, "HTTP/1.1"},
                                                         {"https", GroupProtocol::Https, "HTTP/1.1 over TLS"},
                                                         {"h2c", GroupProtocol::H2c, "HTTP/2"},
                                                         {"h2", GroupProtocol::H2, "HTTP/2 over TLS"},
                                                         {"tcp", GroupProtocol::Tcp, "bytes both ways, unread"},
                                                         {"tls", GroupProtocol::Tls, "the same over TLS"},
                                                         {"udp", GroupProtocol::Udp, "datagrams, of udp listeners"},
                                                         {"ajp", GroupProtocol::Ajp, "AJP13, to Tomcat and its like"},
                                                     }))},
                  {.name = "algorithm",
                   .doc = "How a target is picked.",
                   .example = "least_requests",
                   .value = field(&TargetGroup::algorithm, algorithm())},
                  {.name = "hash_key",
                   .doc =
                       "What `source_hash` and `maglev` hash. A request without that header or cookie is hashed by its "
                       "source.",
                   .example = "\"cookie:session\"",
                   .value = field(&TargetGroup::hash_key, hash_key())},
                  {.name = "health_check",
                   .doc = "How targets are asked whether they are well, or `off`.",
                   .example = "{ path: /healthz, interval: 5s, timeout: 2s }",
                   .value = field(&TargetGroup::health_check, switchable(health_check_kind(), &HealthCheck::enabled))},
                  {.name = "targets",
                   .doc = "The servers.",
                   .example = "[10.0.0.11:8080, { address: 10.0.0.12:8080, weight: 2 }]",
                   .value = field(&TargetGroup::targets,
                                  list_by<Target>([](const Target& target) { return target.address.to_string(); },
                                                  Order::Ignored, target(), {.max = 10'000})),
                   .default_words = "none"},
                  {.name = "tls",
                   .doc = "How targets are spoken to over TLS.",
                   .example = "{ ca: internal-ca.crt }",
                   .value = field(&TargetGroup::tls, group_tls())},
                  {.name = "minimum_healthy",
                   .doc = "With fewer healthy targets than this, requests go to all: the check may be what is wrong.",
                   .example = "2",
                   .value = field(&TargetGroup::minimum_healthy, integer({.min = 1, .max = 10'000}))},
                  {.name = "deregistration_delay",
                   .doc = "How long a target that was taken out may finish what it has begun.",
                   .example = "30s",
                   .value = field(&TargetGroup::deregistration_delay, duration({.min = 0s, .max = 3600s}))},
                  {.name = "slow_start",
                   .doc =
                       "A target that has become healthy gets its full share only after this time, growing evenly; 0: "
                       "at once.",
                   .example = "30s",
                   .value = field(&TargetGroup::slow_start, duration({.min = 0s, .max = 900s}))},
                  {.name = "outliers",
                   .doc =
                       "When a target is taken out, or given less, for what it does to requests; or `off`. Checks ask "
                       "now and then; this looks at the traffic.",
                   .example = "{ errors: 5, eject: 30s, slower: {} }",
                   .value = field(&TargetGroup::outliers, outliers_kind()),
                   .default_words = "on, with `errors: 5`"},
                  {.name = "timeouts",
                   .doc = "How long a target may take.",
                   .example = "{ connect: 1s }",
                   .value = field(&TargetGroup::timeouts, timeouts())},
                  {.name = "retries",
                   .doc = "When and how often a request is tried again.",
                   .example = "{ attempts: 2 }",
                   .value = field(&TargetGroup::retries, retries())},
                  {.name = "pool",
                   .doc = "Connections kept for the next request.",
                   .example = "{ idle_max: 100 }",
                   .value = field(&TargetGroup::pool, pool())},
                  {.name = "ajp",
                   .doc = "What is agreed with the containers of an ajp group.",
                   .example = "{ secret: change-me, packet_size: 64KiB }",
                   .value = field(&TargetGroup::ajp, ajp_kind())},
                  {.name = "session_route",
                   .doc = "How sessions name the target they belong to, where targets have a `route`; or `off`.",
                   .example = "{ cookie: SESSION }",
                   .value =
                       field(&TargetGroup::session_route, switchable(session_route_kind(), &SessionRoute::enabled))},
                  {.name = "sticky",
                   .doc = "What keeps a client with the target that has served it.",
                   .example = "{ by: cookie, name: SHOP_TARGET, max_age: 8h }",
                   .value = field(&TargetGroup::sticky, sticky_kind()),
                   .default_words = "none: each request is balanced"},
                  {.name = "response_headers",
                   .doc = "All headers of a response together; more: 502.",
                   .example = "64KiB",
                   .value = field(&TargetGroup::response_headers_max, size({.min = 1 * kib, .max = 1 * mib}))},
                  {.name = "desync",
                   .doc = "What becomes of responses that two programs could read differently.",
                   .example = "monitor",
                   .value =
                       field(&TargetGroup::desync,
                             one_of<DesyncMode>(
                                 {
                                     {"monitor", DesyncMode::Monitor,
                                      "as `defensive`, but what has one safe reading is put in order and passed"},
                                     {"defensive", DesyncMode::Defensive, "what is ambiguous is refused: 502"},
                                     {"strictest", DesyncMode::Strictest, "what is merely unusual is refused, too"},
                                 }))},
                  {.name = "target_connections_max",
                   .doc = "Connections to one target from one worker; 0: no limit.",
                   .example = "200",
                   .value = field(&TargetGroup::target_connections_max, integer({.min = 0, .max = 1'000'000}))},
                  {.name = "target_requests_max",
                   .doc = "Requests that one target has at once, of all workers together; further ones wait in the "
                          "`queue`. 0: no limit.",
                   .example = "50",
                   .value = field(&TargetGroup::target_requests_max, integer({.min = 0, .max = 1'000'000}))},
                  {.name = "queue",
                   .doc = "How requests wait while every target has `target_requests_max`.",
                   .example = "{ length: 500, timeout: 10s }",
                   .value = field(&TargetGroup::queue, queue_kind())},
                  {.name = "proxy_protocol",
                   .doc = "A header that tells the target the client's address, before anything else. The target must "
                          "expect it. An http group then keeps its connections for one client each. Health checks say "
                          "that they are the balancer's own (LOCAL, UNKNOWN).",
                   .example = "v2",
                   .value =
                       field(&TargetGroup::proxy_protocol,
                             one_of<ProxyHeader>(
                                 {
                                     {"off", ProxyHeader::Off, "none"},
                                     {"v1", ProxyHeader::V1, "a line of text"},
                                     {"v2", ProxyHeader::V2, "binary, with a checksum, and the SNI of a tls listener"},
                                 }))},
                  {.name = "source_address",
                   .doc = "Whom a target sees its connections come from. With `client`, the process needs "
                          "CAP_NET_ADMIN, and "
                          "the target's answers must be routed back through this machine; an http group then keeps its "
                          "connections for one client each.",
                   .example = "client",
                   .value =
                       field(&TargetGroup::source_address,
                             one_of<SourceAddress>(
                                 {
                                     {"balancer", SourceAddress::Balancer, "this machine"},
                                     {"client", SourceAddress::Client, "the client (a transparent proxy)"},
                                 }))},
                  {.name = "pass_host",
                   .doc = "Whether the target sees the `Host` that the client sent; otherwise it sees its own address.",
                   .example = "false",
                   .value = field(&TargetGroup::pass_host, boolean())},
              },
          .finish = finish_target_group,
      });
}

}  // namespace ballast::config
