// ExchangeState: what one request needs while it is answered: both heads, the buffers out, and what is said of it at
// the end. About 10 KiB, most of it never touched; kept and used again, so that a request allocates nothing.
//
// ExchangePool is one worker's; a state is taken when the first byte of a request is there and given back when it is
// answered.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "io/deadline.h"
#include "traffic/auth/token.h"
#include "traffic/explain/attempt_note.h"
#include "traffic/reason.h"
#include "wire/grpc/status.h"
#include "wire/http/connection.h"
#include "wire/http/message.h"
#include "wire/http/outgoing.h"

namespace ballast::traffic {

// What the end of an exchange is told of it: counters, access log.
struct ExchangeFacts {
  io::Instant began;
  int status = 0;                           // as sent to the client; 0: none was
  bool is_call = false;                     // of gRPC
  std::optional<grpc::Status> call_status;  // that the client was told
  Reason reason = Reason::None;
  http::Defect defect = http::Defect::None;
  std::optional<std::uint64_t> defect_at;  // which byte of the message it is
  http::Flaw request_oddity;               // what was let pass
  http::Flaw response_oddity;
  std::uint64_t head_bytes = 0;  // of the request's head as it came
  int attempts = 0;
  std::uint64_t bytes_in = 0;       // of the request, head and body
  std::uint64_t bytes_out = 0;      // of the response's body
  io::Duration queued{-1};          // waited for a place at a target; negative: it did not
  io::Duration connect_took{-1};    // the last attempt's; negative: no connection was made
  io::Instant asked;                // the request's head was there, or was refused
  io::Duration body_took{0};        // the request's body came beside the target's waiting for it
  io::Duration answered_after{-1};  // from `asked` to the response's head, without body_took; negative: there was none
  io::Duration header_took{-1};     // from the last byte of the request's head to the target's head
};

struct ExchangeState {
  http::RequestHead request;
  Buffer request_bytes;                                 // what `request` views
  http::Body* body = nullptr;                           // the request's, as the client brings it
  std::optional<http::ConnectionBody> connection_body;  // `body` where the client speaks HTTP/1.1
  http::ResponseHead response;
  Buffer small_body;  // a request body that came whole with its head, for sending and sending again
  Buffer kept_body;   // what was pulled of one that came in parts, for sending again (kept_body.h)
  Buffer to_target;
  Buffer to_client;
  std::vector<http::FieldLine> lines;  // of the head being written
  std::string forwarded_for;           // storage of generated field values
  std::string forwarded_port;
  std::string forwarded;
  std::string client_subject;
  std::string cookies;        // of the client, without our own
  std::string sticky_cookie;  // to the client
  std::string group_cookie;   // the same
  std::string origin_target;
  std::string client_address;  // behind trusted proxies
  std::array<char, 32> request_id;
  std::array<char, 55> traceparent;
  // Of an authenticated request.
  std::string user;                              // for the access log; empty: nobody
  std::string challenge;                         // WWW-Authenticate, should it be refused
  Bytes auth_fault;                              // why its token was refused; static text
  std::vector<auth::HeaderValue> granted;        // what the target is told
  std::span<const std::string> guarded_headers;  // those of the client that are removed; the Plan's
  // Of one that is over a limit of rate.
  Bytes limit_name;         // the Plan's
  int refusal_status = 0;   // that the limit asks for
  std::string retry_after;  // seconds
  // Of one whose rule changes it.
  std::string rewritten;               // what the target is asked for; empty: for what the client asks for
  std::vector<http::FieldLine> edits;  // of its head; views of the Plan and of edit_texts
  std::string edit_texts;
  Bytes fault;                 // what was done to it on purpose; static text
  std::string response_texts;  // the same for the response's head
  // Why, where the reason alone does not tell; empty: nothing more is known.
  std::string trouble;
  // Of the attempts, as many as facts.attempts; the rest are those of requests before.
  std::array<AttemptNote, attempts_noted_max> notes;
  ExchangeFacts facts;

  void clear();
};

class ExchangePool {
 public:
  // More states than this are not kept when they come back: 256 are 64 KiB of touched memory and as many busy
  // connections.
  static constexpr std::size_t kept_max = 256;

  struct Return {
    ExchangePool* pool;
    void operator()(ExchangeState* state) const { pool->give(state); }
  };
  using Lease = std::unique_ptr<ExchangeState, Return>;

  Lease take();

 private:
  void give(ExchangeState* state);
  std::vector<std::unique_ptr<ExchangeState>> kept_;
};

}  // namespace ballast::traffic
