// The schema of health checks: how a target is asked whether it is well.
#include <algorithm>
#include <cctype>

#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"
#include "config/text_checks.h"
#include "config/units.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

std::string origin_form(std::string_view value) {
  if (!value.starts_with('/')) return fmt::format("{} does not start with /", quote(value));
  return visible_ascii(value);
}

std::string json_array_or_object(std::string_view value) {
  const bool fits =
      (value.starts_with('[') && value.ends_with(']')) || (value.starts_with('{') && value.ends_with('}'));
  return fits ? "" : fmt::format("{} is neither a JSON array nor an object", quote(value));
}

Value<JsonRpc> jsonrpc() {
  return section<JsonRpc>({
      .name = "jsonrpc",
      .title = "JSON-RPC check",
      .doc = "A node that answers may still be of no use: it has stopped growing, or has fallen behind. The call is "
             "posted to "
             "the check's `path`.",
      .properties =
          {
              {.name = "method",
               .doc = "The method to call.",
               .example = "eth_blockNumber",
               .value =
                   field(&JsonRpc::method, text({.words = "method name", .bytes_max = 128, .check = visible_ascii}))},
              {.name = "params",
               .doc = "Its parameters, as JSON.",
               .example = "\"[]\"",
               .value =
                   field(&JsonRpc::params,
                         text({.words = "JSON array or object", .bytes_max = 4096, .check = json_array_or_object}))},
              {.name = "result",
               .doc = "Where the height stands in the answer: names and places in lists, joined by dots. A number, or "
                      "text in decimal or with `0x` in hexadecimal.",
               .example = "result.sync_info.latest_block_height",
               .value = field(&JsonRpc::result, text({.words = "path", .bytes_max = 256, .check = visible_ascii}))},
              {.name = "lag_max",
               .doc = "How far the height may be behind the best of the group's other nodes.",
               .example = "5",
               .value = field(&JsonRpc::lag_max, integer({.min = 0, .max = 1'000'000'000}))},
              {.name = "stalled_after",
               .doc = "A height that has not grown for this long is a failure; 0: it may stand still.",
               .example = "60s",
               .value = field(&JsonRpc::stalled_after, duration({.min = 0s, .max = 24h}))},
          },
  });
}

std::string hex_digits(std::string_view value) {
  const bool good =
      value.size() % 2 == 0 && std::ranges::all_of(value, [](unsigned char c) { return std::isxdigit(c); });
  return good ? "" : fmt::format("{} is not hex: an even number of the digits 0-9 and a-f", quote(value));
}

Value<UdpCheck> udp_check() {
  const auto plain = [] { return text({.words = "text", .bytes_max = 1200}); };
  const auto hex = [] { return text({.words = "hex digits", .bytes_max = 2400, .check = hex_digits}); };
  return section<UdpCheck>({
      .name = "udp_check",
      .title = "UDP check",
      .doc = "One datagram and its answer. Silence until `timeout` is a failure, and so is a target that refuses (ICMP "
             "port unreachable).",
      .properties =
          {
              {.name = "send",
               .doc = "What is sent, as text.",
               .example = "\"ping\"",
               .value = field(&UdpCheck::send, plain()),
               .default_words = "empty"},
              {.name = "send_hex",
               .doc = "The same in hex, for what is no text.",
               .example = "\"0000010000010000000000000000020001\"",
               .value = field(&UdpCheck::send_hex, hex()),
               .default_words = "none"},
              {.name = "expect",
               .doc = "What the answer must begin with, as text.",
               .example = "\"pong\"",
               .value = field(&UdpCheck::expect, plain()),
               .default_words = "any answer will do"},
              {.name = "expect_hex",
               .doc = "The same in hex.",
               .example = "\"0000\"",
               .value = field(&UdpCheck::expect_hex, hex()),
               .default_words = "none"},
          },
      .finish =
          [](UdpCheck& check, const Node& node, Decoder& decoder) {
            if (check.send.empty() == check.send_hex.empty()) {
              decoder.error(node.mark, "a udp check sends one of send and send_hex");
            }
            if (!check.expect.empty() && !check.expect_hex.empty()) {
              decoder.error(node.mark, "a udp check expects one of expect and expect_hex");
            }
          },
  });
}

void finish_health_check(HealthCheck& check, const Node& node, Decoder& decoder) {
  if (check.protocol == CheckProtocol::Exec && check.command.empty()) {
    decoder.error(node.mark_of("protocol"), "an exec check needs a command");
  }
  if (check.protocol != CheckProtocol::Exec && !check.command.empty()) {
    decoder.error(node.mark_of("command"), "only a check with protocol: exec runs a command");
  }
  if (check.protocol != CheckProtocol::Grpc && !check.service.empty()) {
    decoder.error(node.mark_of("service"), "only a check with protocol: grpc asks for a service");
  }
  if (check.timeout < check.interval) return;
  const std::string_view culprit = node.find("timeout") ? "timeout" : "interval";
  decoder.warning(node.mark_of(culprit),
                  fmt::format("the timeout of {} is not shorter than the interval of {}: a slow target is noticed late",
                              show_duration(check.timeout), show_duration(check.interval)));
}

}  // namespace

Value<HealthCheck> health_check_kind() {
  return section<HealthCheck>(
      {
          .name = "health_check",
          .title = "Health check",
          .doc = "How each target is asked whether it is well. A new target needs one pass; `health_check: off` takes "
                 "every target "
                 "for healthy. With fewer healthy targets than `minimum_healthy` all are used.",
          .properties =
              {
                  {.name = "protocol",
                   .doc = "How to ask.",
                   .example = "tcp",
                   .value =
                       field(&HealthCheck::protocol,
                             one_of<CheckProtocol>({
                                 {"http", CheckProtocol::Http, "a request, and the status of its answer"},
                                 {"https", CheckProtocol::Https, "the same over TLS, as the group's `tls` says"},
                                 {"tcp", CheckProtocol::Tcp, "a connection, closed at once"},
                                 {"tls", CheckProtocol::Tls, "a TLS handshake, closed at once"},
                                 {"udp", CheckProtocol::Udp, "a datagram, and an answer to it"},
                                 {"ajp", CheckProtocol::Ajp, "a CPING, and its CPONG"},
                                 {"jsonrpc", CheckProtocol::JsonRpc,
                                  "a JSON-RPC call over HTTP, and the block height in its answer, compared with the "
                                  "group's other nodes"},
                                 {"mysql", CheckProtocol::Mysql,
                                  "MySQL's and MariaDB's greeting and a login that is taken back at once"},
                                 {"grpc", CheckProtocol::Grpc,
                                  "a call of `grpc.health.v1.Health/Check`, which says SERVING; over TLS where the "
                                  "group is"},
                                 {"exec", CheckProtocol::Exec, "a command, whose exit code 0 is a pass"},
                             })),
                   .default_words = "the group's protocol"},
                  {.name = "udp",
                   .doc = "What a udp check sends, and what it wants to hear.",
                   .example = "{ send: ping, expect: pong }",
                   .value = field(&HealthCheck::udp, udp_check())},
                  {.name = "port",
                   .doc = "The port to ask on.",
                   .example = "9000",
                   .value = field(&HealthCheck::port, integer({.min = 1, .max = 65535})),
                   .default_words = "the target's own"},
                  {.name = "path",
                   .doc = "What an http or https check asks for.",
                   .example = "/healthz",
                   .value = field(&HealthCheck::path,
                                  text({.words = "path, starting with /", .pattern = "/.*", .check = origin_form}))},
                  {.name = "host",
                   .doc = "The `Host` header of an http or https check, the `:authority` of a grpc check.",
                   .example = "www.example.com",
                   .value = field(&HealthCheck::host,
                                  text({.words = "host name", .bytes_max = 253, .check = visible_ascii})),
                   .default_words = "the target's address"},
                  {.name = "method",
                   .doc = "The method of an http or https check.",
                   .example = "HEAD",
                   .value = field(&HealthCheck::method, method())},
                  {.name = "interval",
                   .doc = "From the start of one check of a target to the start of the next.",
                   .example = "5s",
                   .value = field(&HealthCheck::interval, duration({.min = 100ms, .max = 300s}))},
                  {.name = "timeout",
                   .doc = "A check without an answer after this time has failed. Shorter than the interval.",
                   .example = "2s",
                   .value = field(&HealthCheck::timeout, duration({.min = 50ms, .max = 120s}))},
                  {.name = "healthy_threshold",
                   .doc = "Passes in a row after which an unhealthy target is healthy again.",
                   .example = "2",
                   .value = field(&HealthCheck::healthy_threshold, integer({.min = 1, .max = 10}))},
                  {.name = "unhealthy_threshold",
                   .doc = "Failures in a row after which a healthy target is unhealthy.",
                   .example = "3",
                   .value = field(&HealthCheck::unhealthy_threshold, integer({.min = 1, .max = 10}))},
                  {.name = "success_codes",
                   .doc = "The statuses of an http or https check that are a pass.",
                   .example = "\"200-299,304\"",
                   .value = field(&HealthCheck::success_codes, status_codes())},
                  {.name = "jsonrpc",
                   .doc = "What a jsonrpc check asks, and what height it wants.",
                   .example = "{ lag_max: 5, stalled_after: 60s }",
                   .value = field(&HealthCheck::jsonrpc, jsonrpc())},
                  {.name = "user",
                   .doc = "The account that a mysql check logs in as: without a password, without rights. It is well "
                          "if the "
                          "server refuses it, but its log says so each time.",
                   .example = "monitor",
                   .value = field(&HealthCheck::user,
                                  text({.words = "account name", .bytes_max = 80, .check = visible_ascii}))},
                  {.name = "service",
                   .doc = "The service that a grpc check asks for.",
                   .example = "shop.Cart",
                   .value = field(&HealthCheck::service,
                                  text({.words = "name of a gRPC service", .bytes_max = 253, .check = visible_ascii})),
                   .default_words = "the server as a whole"},
                  {.name = "command",
                   .doc =
                       "What an exec check runs, without a shell: the program and its arguments. It is told the target "
                       "in "
                       "`BALLAST_TARGET`, `BALLAST_TARGET_HOST` and `BALLAST_TARGET_PORT`, and killed after `timeout`.",
                   .example = "[/usr/local/bin/check-app, --quick]",
                   .value = field(&HealthCheck::command,
                                  list(text({.words = "text", .bytes_max = 4096}), {.min = 1, .max = 64})),
                   .default_words = "none"},
              },
          .finish = finish_health_check,
      });
}

}  // namespace ballast::config
