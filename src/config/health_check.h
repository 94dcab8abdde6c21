// HealthCheck: how each target of a group is asked whether it is well; part of the settings (settings.h).
//
// Values: immutable after loading, compared with == for the diff.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ballast::config {

using Milliseconds = std::chrono::milliseconds;

enum class CheckProtocol { Tcp, Tls, Udp, Http, Https, Ajp, JsonRpc, Mysql, Grpc, Exec };

// What a udp check sends, and how its answer must begin: text, or hex where that is given.
struct UdpCheck {
  std::string send;
  std::string send_hex;
  std::string expect;  // both empty: any answer will do
  std::string expect_hex;
  friend bool operator==(const UdpCheck&, const UdpCheck&) = default;
};

// What a jsonrpc check asks, and what it wants of the height in the answer.
struct JsonRpc {
  std::string method = "eth_blockNumber";
  std::string params = "[]";            // JSON
  std::string result = "result";        // where in the answer: "result.sync_info.latest_block_height"
  std::uint64_t lag_max = 10;           // behind the best peer of the group
  Milliseconds stalled_after{120'000};  // 0: a height may stand still
  friend bool operator==(const JsonRpc&, const JsonRpc&) = default;
};

struct StatusRange {
  int first = 200;
  int last = 200;
  friend bool operator==(const StatusRange&, const StatusRange&) = default;
};

struct HealthCheck {
  bool enabled = true;
  CheckProtocol protocol = CheckProtocol::Http;  // default: the group's
  std::optional<std::uint16_t> port;             // default: the target's own
  std::string path = "/";
  std::string host;  // empty: the target's address
  std::string method = "GET";
  Milliseconds interval{30'000};  // 100 ms .. 300 s
  Milliseconds timeout{5'000};
  int healthy_threshold = 5;    // 1..10
  int unhealthy_threshold = 2;  // 1..10
  std::vector<StatusRange> success_codes{{200, 200}};
  JsonRpc jsonrpc;
  UdpCheck udp;
  std::string user = "ballast_check";  // of a mysql check
  std::string service;                 // of a grpc check; empty: the server as a whole
  std::vector<std::string> command;    // of an exec check: the program and its arguments
  friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

}  // namespace ballast::config
