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
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
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
  Counter queued;  // requests that have waited for a place at a target
  Counter queue_wait_us;
  DefectCounters defects;         // of responses refused
  DefectCounters defects_passed;  // of responses passed on all the same
  ReasonCounters errors;
};

// How many attempts a target has answered, and how many it has failed since: in one word, so that the control thread
// reads both of the same moment.
class AnswerRun {
 public:
  struct Read {
    std::uint64_t answers = 0;  // modulo answers_limit
    std::uint64_t failures_in_row = 0;
  };
  static constexpr int run_bits = 20;
  static constexpr std::uint64_t run_max = (std::uint64_t{1} << run_bits) - 1;
  static constexpr std::uint64_t answers_limit = std::uint64_t{1} << (64 - run_bits);

  void answered() { word_.store((word_.load(std::memory_order_relaxed) | run_max) + 1, std::memory_order_relaxed); }
  void failed() {
    const std::uint64_t word = word_.load(std::memory_order_relaxed);
    if ((word & run_max) != run_max) word_.store(word + 1, std::memory_order_relaxed);
  }
  Read get() const {
    const std::uint64_t word = word_.load(std::memory_order_relaxed);
    return {.answers = word >> run_bits, .failures_in_row = word & run_max};
  }

 private:
  std::atomic<std::uint64_t> word_ = 0;
};

// What attempts at a target came to, for its group's `outliers`; counted where the group has them. On a cache line of
// its own, for a request that is answered touches nothing else of it. What the client did, or what was wrong with this
// machine, is in none of them.
struct alignas(64) OutcomeCell {
  AnswerRun run;          // a head came; no answer, or a gateway's error (502 to 504)
  Counter failures;       // those
  Counter broken;         // answers that broke off behind their head
  Counter server_errors;  // answers 5xx that are not a gateway's
  Counter timed;          // answers whose time says something of the target
  Counter time_us;        // of those, from the request's last byte to the answer's head
  Counter last_failure;   // an outlier::Failure

  void failed(std::uint64_t failure) {
    run.failed();
    failures.add();
    last_failure.set(failure);
  }
};

struct alignas(64) TargetCell {
  TrafficCell traffic;
  Counter connects;
  Counter connect_failures;
  Counter reuses;
  Counter connections;  // open now, at rest and at work
  Counter pool_idle;
  OutcomeCell outcomes;
};

}  // namespace ballast::traffic
