// What runs now, as plain values: made by the control thread, read by the API, the CLI and the metrics page.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "model/target.h"

namespace ballast::model {

using WallTime = std::chrono::system_clock::time_point;

// Counts of requests and bytes; of a listener, a group or a target.
struct Traffic {
  std::uint64_t requests = 0;
  std::array<std::uint64_t, 5> responses{};  // by class: 1xx, 2xx, 3xx, 4xx, 5xx, as sent to the client
  std::array<std::uint64_t, 17> calls{};     // of gRPC, by status, as the grpc project numbers them
  std::uint64_t bytes_in = 0;                // from the client
  std::uint64_t bytes_out = 0;               // to the client
  std::uint64_t datagrams_in = 0;            // from the client, of udp
  std::uint64_t datagrams_out = 0;
  std::uint64_t in_flight = 0;  // requests, or layer 4 connections, under way
  Histogram duration;           // requests from the first byte to the last; layer 4 connections whole
};

// A count by reason code: errors the balancer made, defects refused.
struct Count {
  std::string reason;
  std::uint64_t count = 0;
  std::string defect_class = {};  // of a defect
};

struct TargetStatus {
  std::string address;                // as configured; a name stays a name
  std::vector<std::string> resolved;  // numeric, of a name
  int weight = 1;                     // as configured or set by the operator
  bool weight_overridden = false;
  double effective_weight = 1;  // after slow start and `outliers`
  TargetState state = TargetState::Initial;
  TargetReason reason = TargetReason::InitialChecking;
  std::string words;  // "GET /healthz gave 500, wanted 200"
  WallTime since;     // of the state
  WallTime checked;   // end of the last check; epoch: never
  std::chrono::microseconds check_took{0};
  Traffic traffic;
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t reuses = 0;     // requests sent on a pooled connection
  std::uint64_t pool_idle = 0;  // connections at rest in the pools
  std::uint64_t checks_passed = 0;
  std::uint64_t checks_failed = 0;
  // What its requests say of it.
  std::uint64_t failures_in_row = 0;
  std::optional<WallTime> ejected_until;  // while it is out for them, whatever its checks say
  double passive_weight = 1;              // the share of its weight that is left to it
  std::string passive_words;              // why not all of it
  std::uint64_t ejections_errors = 0;     // for errors in a row
  std::uint64_t ejections_success_rate = 0;
};

struct GroupStatus {
  std::string name;
  std::string protocol;
  std::string algorithm;
  bool failing_open = false;
  int healthy = 0;
  int ejected = 0;
  Traffic traffic;
  std::uint64_t retries = 0;
  std::uint64_t retries_refused = 0;  // by the budget
  std::uint64_t stale_replays = 0;    // a reused connection had died; replayed
  std::uint64_t sticky_requests = 0;  // whose cookie named a target of the group
  std::uint64_t sticky_moved = 0;     // of those, answered by another target
  std::uint64_t waiting = 0;          // requests in the queue
  std::uint64_t queued = 0;           // that have been in it, and how long together
  std::chrono::microseconds queue_wait{0};
  std::vector<Count> errors;          // by reason code
  std::vector<Count> defects;         // of responses refused
  std::vector<Count> defects_passed;  // of responses passed on all the same
  std::vector<TargetStatus> targets;
};

struct ListenerStatus {
  std::string name;
  std::string address;  // as bound, with the real port
  std::string protocol;
  std::uint64_t connections = 0;  // open now
  std::uint64_t connections_total = 0;
  std::uint64_t connections_refused = 0;  // over the limit
  Traffic traffic;
  std::vector<Count> defects;           // of requests refused
  std::vector<Count> defects_passed;    // of requests served all the same
  std::uint64_t http2_connections = 0;  // made so far
  std::vector<Count> http2_defects;     // connections ended by us, by reason
  std::vector<Count> errors;            // responses the balancer made itself, by reason code
  std::vector<Count> udp_drops;         // datagrams that went no further, by why
  std::vector<Count> handshakes;        // of TLS, by how they ended
  std::vector<Count> faults;            // failures made on purpose, by what was done
  std::vector<Count> mirrors;           // copies of requests, by what became of them
  bool maintenance = false;             // all but a few get the maintenance page
};

// A limit of rate, of a listener or one of its rules.
struct RateLimitStatus {
  std::string listener;
  std::string rule;  // empty: the listener's own
  std::string name;
  std::uint64_t admitted = 0;
  std::uint64_t limited = 0;
  std::uint64_t reported = 0;   // over the limit, and served
  std::uint64_t displaced = 0;  // keys in use that were forgotten for want of room
};

struct CertificateStatus {
  std::string listener;
  std::string file;
  std::string subject;
  std::vector<std::string> names;
  std::string key;  // "EC", "RSA"
  WallTime not_after;
  std::string problem;  // why the newer content of its files is not in use; empty: none
};

// A certificate that is obtained, or to be.
struct AcmeStatus {
  std::vector<std::string> names;
  std::string file;
  std::string state;           // "good", "ordering", "failing", "waiting"
  WallTime not_after;          // of the one that is held; 1970: there is none
  std::string problem;         // of the last attempt; empty: it succeeded
  std::uint64_t failures = 0;  // in a row
  WallTime attempted;          // 1970: never
  WallTime next;               // the next attempt; 1970: not decided yet
  std::uint64_t obtained_total = 0;
  std::uint64_t failed_total = 0;
};

// Whether the kernel encrypts for us, and how often it does.
struct KernelTlsStatus {
  std::string state = "off";      // "on", "off", "unavailable"
  std::string reason;             // why it is not on
  std::uint64_t connections = 0;  // whose sending was given to the kernel, so far
  std::uint64_t refused = 0;      // the kernel would not, for their cipher
};

struct Event {
  std::uint64_t id = 0;  // grows by one
  WallTime at;
  std::string kind;     // "target.state", "config.applied", "group.fail_open", ...
  std::string subject;  // "site/10.0.0.11:8080"
  std::string text;     // what happened and why, one sentence
};

struct Status {
  std::string version;
  std::int64_t pid = 0;
  WallTime started;
  WallTime configured;           // when the running configuration was applied
  std::uint64_t generation = 0;  // of the Plan; grows by one at each change
  std::string config_file;
  int workers = 0;
  bool stopping = false;
  std::uint64_t descriptors_open = 0;
  std::uint64_t descriptors_max = 0;
  std::uint64_t memory_bytes = 0;              // resident
  std::uint64_t access_log_dropped_bytes = 0;  // lines that the disk would not take
  std::vector<ListenerStatus> listeners;
  std::vector<GroupStatus> groups;
  std::vector<CertificateStatus> certificates;
  std::vector<AcmeStatus> acme;
  std::vector<RateLimitStatus> rate_limits;
  KernelTlsStatus kernel_tls;
  // By listener, where connections of an address are limited: those that the table had no room for.
  std::vector<Count> uncounted_connections;
};

}  // namespace ballast::model
