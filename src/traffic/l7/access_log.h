// The access log: one line a request or layer 4 connection, as JSON or in the combined format.
//
// A worker formats lines into its AccessLogBuffer and hands over whole batches (64 KiB, or what half a second brought)
// to the AccessLog, whose own thread writes them: a slow disk never holds up a request. When more than 64 MiB wait to
// be written, batches are dropped and counted; the service goes on.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/buffer.h"
#include "base/result.h"
#include "config/settings.h"
#include "io/file.h"
#include "io/thread.h"
#include "io/timer_wheel.h"
#include "wire/http/message.h"

namespace ballast::io {
class Loop;
}

namespace ballast::traffic {

// One line's content; views that live until it is written. Times in microseconds, negative where there was none.
struct AccessRecord {
  std::chrono::system_clock::time_point at;
  Bytes listener;
  Bytes client;
  Bytes proxy;  // the balancer that told the client's address
  Bytes method;
  Bytes host;
  Bytes target;  // path and query as sent
  Bytes path;
  Bytes query;
  int major_version = 1;
  int minor_version = 1;
  Bytes layer4;  // "tcp", "tls" or "udp" where there are no requests; else empty
  int status = 0;
  Bytes grpc_status;  // "UNAVAILABLE"; empty: it was no call
  Bytes reason;
  Bytes defect;
  Bytes defect_class;
  std::optional<std::uint64_t> defect_at;  // which byte of the message
  http::Flaw request_oddity;               // passed all the same
  http::Flaw response_oddity;
  Bytes rule;
  Bytes user;
  Bytes auth_fault;
  Bytes limit;  // of rate, that it is over
  Bytes fault;  // "delay", "status": made on purpose
  Bytes group;
  Bytes target_name;
  int attempts = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t datagrams_in = 0;  // of udp
  std::uint64_t datagrams_out = 0;
  std::int64_t duration_us = 0;
  std::int64_t queue_us = -1;
  std::int64_t connect_us = -1;
  std::int64_t header_us = -1;
  Bytes request_id;
  Bytes tls_version;
  Bytes tls_cipher;
  Bytes sni;
  Bytes user_agent;
  Bytes referer;
};

void write_json_line(Buffer& out, const AccessRecord& record);
void write_combined_line(Buffer& out, const AccessRecord& record);

class AccessLog {
 public:
  // Off with an empty path. The Error names the file and what to do.
  static Result<std::unique_ptr<AccessLog>> make(const config::AccessLog& settings);
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;

  // Any thread.
  bool is_on() const { return on_; }
  config::AccessLogFormat format() const { return format_; }
  void take(Buffer batch);
  // Opens the file anew: after it was moved away.
  void reopen();
  std::uint64_t dropped_bytes() const { return dropped_.load(); }

 private:
  explicit AccessLog(const config::AccessLog& settings);
  void run();

  static constexpr std::size_t waiting_bytes_max = 64 * mib;

  const bool on_;
  const config::AccessLogFormat format_;
  io::AppendFile file_;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Buffer> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool reopen_ = false;
  bool stopping_ = false;
  io::Thread thread_;  // the last: it is joined before what it uses goes
};

// A worker's side.
class AccessLogBuffer final : private io::Timer {
 public:
  AccessLogBuffer(io::Loop& loop, AccessLog* log) : loop_(loop), log_(log) {}
  ~AccessLogBuffer() override { hand_over(); }

  bool is_on() const { return log_ != nullptr && log_->is_on(); }
  void write(const AccessRecord& record);
  void hand_over();

 private:
  static constexpr std::size_t batch_bytes = 64 * kib;
  void expired() override { hand_over(); }

  io::Loop& loop_;
  AccessLog* log_;
  Buffer batch_;
};

}  // namespace ballast::traffic
