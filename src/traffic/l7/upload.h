// Upload: a request body on its way to the target while the answer is awaited; for bodies that did not come whole with
// their head. It runs as a strand of its own, so that a target may answer early and a client may stream both ways.
// Lives in the frame of Exchange::attempt(); close() before it goes.
#pragma once

#include "io/scope.h"
#include "traffic/l7/upstream.h"
#include "wire/http/relay.h"

namespace ballast::traffic {

class Upload {
 public:
  // `awaiting` is interrupted when the upload has ended: the clock for the answer starts, or the client is at fault.
  Upload(io::Loop& loop, io::Strand& awaiting) : loop_(loop), scope_(loop), awaiting_(awaiting) {}

  void start(Upstream& upstream, http::Body& body, http::Framing framing, http::RelayLimits limits);
  // Calls it off where it still runs.
  io::Task<void> close() { return scope_.close(); }

  // The answer is there: its relaying is not to be interrupted.
  void answered() { awaited_ = false; }

  bool is_running() const { return !scope_.empty(); }
  bool is_whole() const { return !started_ || (!is_running() && result_.end == http::RelayEnd::Done); }
  // The client did not deliver: its body broke off, is malformed, too slow or too large.
  bool client_failed() const;
  const http::RelayResult& result() const { return result_; }
  io::Instant ended_at() const { return ended_at_; }
  bool was_started() const { return started_; }

 private:
  io::Task<void> run(Upstream& upstream, http::Body& body, http::Framing framing, http::RelayLimits limits);

  io::Loop& loop_;
  io::Scope scope_;
  io::Strand& awaiting_;
  bool started_ = false;
  bool awaited_ = true;
  http::RelayResult result_;
  io::Instant ended_at_{};
  Buffer out_;  // what the target would not take; bounded by one receive buffer
};

}  // namespace ballast::traffic
