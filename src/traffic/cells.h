// Cells: what one worker counts of a listener, a group or a target. Written by that worker alone, read by the control
// thread at any time: plain loads and stores, no locked instruction. Each cell has cache lines of its own.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "model/status.h"
#include "traffic/l4/udp_drop.h"
#include "traffic/l7/shaped.h"
#include "traffic/reason.h"
#include "wire/grpc/status.h"
#include "wire/http/message.h"
#include "wire/http2/session_defect.h"
#include "wire/tls/handshake.h"

namespace ballast::traffic {

class Counter {
 public:
  void add(std::uint64_t count = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t count = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
  }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

// What a finished request adds; of a layer 4 connection: bytes and duration; of a flow of datagrams, whose bytes are
// counted as they pass: duration.
struct Finished {
  int status = 0;                    // as sent to the client; 0: none was
  std::optional<grpc::Status> call;  // how a gRPC call ended
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::chrono::microseconds took{0};
};

struct TrafficCell {
  Counter requests;
  std::array<Counter, 5> responses;
  std::array<Counter, grpc::status_count> calls;  // of gRPC, by status
  Counter bytes_in;
  Counter bytes_out;
  Counter datagrams_in;  // of udp
  Counter datagrams_out;
  Counter in_flight;
  Counter duration_sum_us;
  std::array<Counter, Histogram::bucket_count> duration_buckets;

  void finished(const Finished& what) {
    requests.add();
    if (what.status >= 100) responses[static_cast<std::size_t>(what.status / 100 - 1)].add();
    if (what.call.has_value()) calls[static_cast<std::size_t>(*what.call)].add();
    bytes_in.add(what.bytes_in);
    bytes_out.add(what.bytes_out);
    const auto us = static_cast<std::uint64_t>(what.took.count() > 0 ? what.took.count() : 0);
    duration_sum_us.add(us);
    duration_buckets[Histogram::bucket_of(us)].add();
  }
  void add_to(model::Traffic& sum) const;
};

using DefectCounters = std::array<Counter, http::defect_count>;

using ReasonCounters = std::array<Counter, reason_count>;

struct alignas(64) ListenerCell {
  TrafficCell traffic;
  Counter connections;
  Counter connections_total;
  Counter connections_refused;
  DefectCounters defects;         // of requests refused
  DefectCounters defects_passed;  // of requests served all the same (desync)
  Counter http2_connections;
  std::array<Counter, http2::session_defect_count> http2_defects;  // why connections were ended by us
  ReasonCounters errors;
  std::array<Counter, udp_drop_count> udp_drops;             // datagrams
  std::array<Counter, tls::handshake_end_count> handshakes;  // of TLS with clients
  std::array<Counter, fault_done_count> faults;              // made on purpose
  std::array<Counter, mirror_done_count> mirrors;            // copies of requests
};

struct alignas(64) GroupCell {
  TrafficCell traffic;
  Counter retries;
  Counter retries_refused;
  Counter stale_replays;
  Counter sticky_requests;
  Counter sticky_moved;
  Counter retries_active;
  DefectCounters defects;         // of responses refused
  DefectCounters defects_passed;  // of responses passed on all the same
  ReasonCounters errors;
};

struct alignas(64) TargetCell {
  TrafficCell traffic;
  Counter connects;
  Counter connect_failures;
  Counter reuses;
  Counter connections;  // open now, at rest and at work
  Counter pool_idle;
};

}  // namespace ballast::traffic
