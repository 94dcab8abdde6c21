// What is kept of an error or a slow request, as plain values: made by the control thread from what the workers hold,
// read by the API and the commands.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/status.h"

namespace ballast::model {

// One target asked. Times that were not measured are negative.
struct ExplainedAttempt {
  std::string target;
  bool reused = false;                 // over a connection that had answered before
  std::chrono::microseconds began{0};  // after the request's head, or the connection's begin
  std::chrono::microseconds connect{-1};
  std::chrono::microseconds tls{-1};
  std::chrono::microseconds head{-1};  // from the last byte of the request's head to the response's
  int status = 0;                      // of its answer; 0: there was none
  std::string reason;                  // of its failure; empty: none
  std::string text;                    // more about it
  std::string next;                    // "next_target", "not_idempotent": what was done then; empty: nothing to do
  std::string next_words;
};

struct Explained {
  enum class Kind : std::uint8_t { Request, Connection };
  Kind kind = Kind::Request;
  std::string id;
  WallTime at;  // of its end
  std::string listener;
  std::string client;
  std::string proxy;     // the balancer in front that told the client's address; empty: none
  std::string protocol;  // "http/1.1", "h2", of a connection "tls", "tcp", "http", "https"
  std::string method;
  std::string host;
  std::string path;  // cut where it is long
  std::string query;
  std::string rewritten;  // what the target was asked for instead of path and query; empty: for these
  std::string user;
  std::string rule;
  std::string group;
  std::string sni;
  int status = 0;
  std::string grpc_status;
  std::string reason;    // "connect_refused"; empty: it was only slow
  std::string happened;  // what the reason means
  std::string advice;    // what to look at, what to do
  std::string detail;    // what more is known of this one
  std::string defect;
  std::string defect_class;
  std::string defect_words;
  std::optional<std::uint64_t> defect_at;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  bool slow = false;
  std::chrono::microseconds took{0};       // whole
  std::chrono::microseconds queued{-1};    // waited for a place at a target; negative: it did not
  std::chrono::microseconds body_took{0};  // of it, the request's body on its way
  std::chrono::microseconds answered{-1};  // from the request's head to the response's, without body_took
  std::vector<ExplainedAttempt> attempts;
};

struct ExplainQuery {
  std::string id;  // or at least 8 of its first characters; empty: any, as the next
  std::string listener;
  std::string reason;
  int status = 0;     // 0: any
  bool slow = false;  // slow ones alone
  std::size_t count = 20;
};

struct ExplainAnswer {
  std::vector<Explained> records;  // the newest first
  std::uint64_t kept = 0;          // of all that there are
  std::uint64_t keep = 0;          // at most; 0: nothing is kept
  std::chrono::milliseconds slow_after{0};
  WallTime complete_since;  // of what ended later nothing has been dropped
  int workers_missing = 0;  // that did not answer in time
};

}  // namespace ballast::model
