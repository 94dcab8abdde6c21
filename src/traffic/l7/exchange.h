// Exchange: one HTTP request being answered, from its head to its line in the log. serve() reads like the list in
// ARCHITECTURE.md:
//
//   read the head; keep this Plan to the end; match a route; answer it, or forward it:
//   for target in picker: connect or reuse, send, receive a head; on an error try again where that is safe;
//   respond, bodies pulled both ways; always: count, time, log.
//
// exchange.cc is that way; protect.cc asks at the door, authenticate.cc asks who sends it, before the route's action,
// and ask_service.cc lets a service answer that; shape.cc is what a rule changes of heads and paths, stay.cc which of
// several groups a client stays with, fault.cc what fails on purpose, mirror.cc copies to another group, maintenance.cc
// what is answered meanwhile; queue.cc waits for a place; attempt.cc is one attempt at one target, status_retry.cc what
// answer is worth another, sticky.cc what brings the client back to it, outcome.cc what is counted of it for its
// group's `outliers`; own_answer.cc what the balancer answers itself, static_answer.cc files; record.cc what is kept of
// one that failed. Worker's thread; in the frame of serve(), one at a time for a connection.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "traffic/l7/client.h"
#include "traffic/l7/exchange_state.h"
#include "traffic/l7/stay.h"
#include "traffic/l7/upstream.h"
#include "traffic/plan.h"
#include "traffic/worker.h"
#include "wire/http/relay.h"

namespace ballast::traffic {

namespace auth {
struct BasicGuard;
struct ForwardGuard;
struct Guard;
struct JwtGuard;
}  // namespace auth

class CorsPolicy;
class MirrorCopy;
class Upload;
struct MirrorTo;
struct Shaping;

class Exchange {
 public:
  // A byte of the request is there.
  static io::Task<After> serve(Client& client);

  Exchange(const Exchange&) = delete;

 private:
  explicit Exchange(Client& client);
  ~Exchange();

  // Whether a connection at rest will do.
  enum class Fresh : std::uint8_t { Allowed, Required };

  // How one attempt at a target ended. Not answered: nothing has been sent to the client, and `reason` says why.
  struct Attempt {
    bool answered = false;
    After after = After::Linger;
    Reason reason = Reason::None;
    http::Defect defect = http::Defect::None;
    std::optional<std::uint64_t> defect_at = std::nullopt;
    Retry retry = Retry::Never;
    bool was_stale = false;   // a connection that had been at rest was dead; the target itself may be well
    bool unattended = false;  // no program of the target's has shown itself: another target is asked at nobody's cost
    bool unwelcome = false;   // it was answered with a status to be tried again; another target waits to be asked
    bool blameless = false;   // the target has nothing to do with it: the client's deadline, or this machine's limits
    io::Duration pause{0};    // the target wants the next attempt that much later
  };

  struct OwnAnswer {
    int status = 200;
    Bytes content_type;
    Bytes body;
    Bytes location;
    Bytes allow = "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH";  // with 405
    bool closes = false;
    std::span<const http::FieldLine> lines = {};
    std::span<const http::FieldLine> late_lines = {};  // behind what the settings change
  };

  // What the service of a forward authentication said, whole.
  struct ServiceAnswer {
    int status = 0;
    std::vector<auth::HeaderValue> headers;  // end to end
    std::string body;
  };

  // The targets in the order in which they are asked.
  class Walk;
  struct Way {
    const Balancer& balancer;
    std::uint64_t key = 0;
    std::optional<std::uint32_t> owner = std::nullopt;  // asked first
  };

  // exchange.cc
  io::Task<After> answer();
  io::Task<After> forward(const ForwardTo& forward_to);
  // A connection at rest that was dead is no attempt: the target itself had not been asked.
  int attempts_max() const { return group_->settings->retries.attempts + (replayed_ ? 1 : 0); }
  Way way();
  // NextTarget or SameTarget, or why not.
  Again may_try_again(const Attempt& attempt) const;
  // The pause that a target asked for; False: the client did not wait.
  io::Task<bool> pause(Attempt& last);
  // Not None: the body cannot be accepted.
  Reason gather_small_body();
  std::uint64_t balance_key() const;
  void count_and_log();
  // What the request is known by, in the log and at the target.
  Bytes request_id() const;
  // A head that was refused has no parts to be relied on.
  bool is_parsed() const { return !state_->request_bytes.empty(); }
  // Of the attempt that is under way.
  AttemptNote& note() { return state_->notes[std::min(state_->facts.attempts, int{attempts_noted_max}) - 1]; }
  // The response's head goes out now.
  void answers() { state_->facts.answered_after = loop_.now() - state_->facts.asked - state_->facts.body_took; }
  // What was let pass, and where in the request's body its defect is.
  void note_flaws();
  void log();

  // queue.cc
  // The slot of a target with a place there; none: `last` says why.
  io::Task<std::optional<std::uint32_t>> wait_for_place(std::optional<Walk>& walk, Attempt& last);
  io::Task<std::optional<std::uint32_t>> wait_in_line(std::optional<Walk>& walk, Attempt& last, GroupShare& share);
  bool renew_group();
  std::optional<std::uint32_t> slot_of(const TargetShare& target) const;

  // protect.cc
  // Not None: who sends it may not, or not so often.
  Reason ask_at_door();

  // shape.cc
  // Not None: it cannot be passed on.
  Reason shape_request(const Shaping& shaping);
  void shape_response(const Shaping& shaping);
  // Views of the head and of the state.
  RequestParts request_parts();

  // stay.cc
  // What decides which of the groups is asked.
  std::uint64_t place_among_groups(const ForwardTo& forward_to);
  // Adds the cookie that keeps a place that was drawn just now.
  void stay();
  // The name of the cookie of ours that the target does not see; empty: none.
  Bytes group_cookie() const;

  // fault.cc
  // None: the request goes on; else it has been answered.
  io::Task<std::optional<After>> inject(const Shaping& shaping);
  io::Task<Reason> hold_up(io::Duration time);

  // maintenance.cc
  bool is_under_maintenance() const;
  io::Task<After> answer_maintenance();

  // mirror.cc
  // Whether this one is copied; then what comes of its body is copied, too.
  void begin_mirror(const MirrorTo& mirror);
  // The request has been answered: the copy goes out, where it is whole.
  void end_mirror();

  // record.cc
  bool is_slow() const;
  // Keeps what tells why it ended so.
  void keep_record();
  std::string describe_group() const;

  // authenticate.cc
  const auth::Guard* guard() const;  // of the route; nullptr: anybody
  // None: the request goes on; else it has been answered.
  io::Task<std::optional<After>> authenticate(const auth::Guard& guard);
  io::Task<Reason> authenticate_basic(const auth::BasicGuard& guard);
  Reason authenticate_token(const auth::JwtGuard& guard);
  io::Task<std::optional<After>> authenticate_elsewhere(const auth::ForwardGuard& guard);

  // ask_service.cc
  io::Task<Result<ServiceAnswer>> ask_service(const auth::ForwardGuard& guard);
  void count_service(TargetShare& target, const Result<ServiceAnswer>& answer);
  io::Task<Result<ServiceAnswer>> ask_target(const auth::ForwardGuard& guard, const PlanGroup& group,
                                             TargetShare& target, Fresh fresh, io::Deadline deadline);
  io::Task<Result<ServiceAnswer>> question_and_answer(const auth::ForwardGuard& guard, const PlanGroup& group,
                                                      const TargetShare& target, ExchangeState& question,
                                                      std::unique_ptr<Upstream>& upstream, io::Deadline deadline);
  http::OutgoingRequest question_head(const auth::ForwardGuard& guard, const PlanGroup& group,
                                      const TargetShare& target, ExchangeState& question, std::string& uri) const;

  // attempt.cc
  io::Task<Attempt> try_target(Fresh fresh);
  // A way to the target, at rest or new; nullptr: `failure` says why not.
  io::Task<std::unique_ptr<Upstream>> reach(Fresh fresh, Attempt& failure);
  // `end` is set where the exchange with the target has ended in order.
  io::Task<Attempt> attempt(Upstream& upstream, std::optional<Upstream::Use>& end);
  // Whether an attempt that takes long may be given up: another one can be made.
  bool may_move_on();
  Attempt given_up();
  io::Task<Attempt> receive_head(Upstream& upstream, Upload& upload, io::Instant sent);
  io::Task<Attempt> respond(Upstream& upstream, http::Body& answer, Upload& upload, std::optional<Upstream::Use>& end);
  io::Task<Attempt> open_tunnel(Upstream& upstream);
  UpstreamPool& pool_of_target();
  UpstreamRequest request_for_target();
  // Whether what comes of the body is kept to be sent again.
  bool keeps_body() const;
  AjpRequest request_for_container();
  void gather_response_lines();
  // What the listener's settings put into every final response and take out of it; own_answer.cc.
  void decorate();
  // Puts the reason's code into the balancer's own answer, where the settings say so; own_answer.cc.
  void name_reason();
  Attempt failed(Reason reason, Retry retry) const { return {.reason = reason, .retry = retry}; }
  Attempt failed_by(const Error& error, const Upstream& upstream) const;
  Attempt failed_by_client(const Upload& upload) const;
  void note_failure(const Attempt& attempt);

  // status_retry.cc
  // Whether the answer whose head has come is thrown away, and another target asked: an Attempt that says so.
  std::optional<Attempt> turn_down(http::Body& body, std::optional<Upstream::Use>& end);
  bool is_unwelcome(bool bodiless) const;

  // own_answer.cc
  io::Task<After> answer_own(OwnAnswer answer);
  io::Task<After> answer_preflight(const CorsPolicy& cors);
  io::Task<After> redirect(const RedirectTo& redirect_to);
  io::Task<After> refuse(Reason reason);
  io::Task<After> refuse(Reason reason, Bytes allow);
  io::Task<After> refuse_call(Reason reason, int status);

  // outcome.cc; where the group judges its targets
  // The head of a final answer is there. `took`: none where it says nothing of the target.
  void count_answer(std::optional<io::Duration> took);
  void count_failure(const Attempt& attempt);

  // sticky.cc
  // Adds the cookie that brings the client back to this target, where it does not hold it.
  void stick();
  void count_sticky(const Attempt& last);

  // static_answer.cc
  io::Task<After> answer_files(const StaticFiles& files);

  Worker& worker_;
  Client& client_;
  io::Loop& loop_;
  ExchangePool::Lease state_;
  std::shared_ptr<const Plan> plan_;
  const PlanListener* listener_ = nullptr;
  const Route* route_ = nullptr;
  const StickyTargets::Each* sticky_claim_ = nullptr;   // what its cookie names; the Plan's
  const PlanGroup* group_ = nullptr;                    // forwarded to
  std::shared_ptr<const PlanGroup> newer_group_;        // where that is a newer Plan's, after a wait
  TargetShare* target_ = nullptr;                       // of the last attempt
  std::optional<StayDrawn> stay_drawn_;                 // its place among groups, which it does not hold yet
  std::unique_ptr<MirrorCopy> mirror_;                  // nullptr: it is not copied
  Walk* walk_ = nullptr;                                // while it is forwarded
  std::uint32_t target_slot_ = 0;                       // its place in the group
  std::array<std::uint8_t, 16> source_;                 // the client's address, behind trusted proxies
  io::Deadline call_deadline_ = io::Deadline::never();  // of a gRPC call, as its client says
  bool goes_once_ = false;                              // bytes of a body that is not kept have been asked for
  bool replayed_ = false;                               // because a connection at rest was dead
};

}  // namespace ballast::traffic
