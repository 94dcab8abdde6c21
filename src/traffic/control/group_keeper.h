// GroupKeeper: the targets of one group over time: observes (checks, name lookups, in-flight counts, what requests came
// to), decides (health/decide.h, outlier/judge.h), and tells its owner when the Plan is to be made anew. A configured
// target whose address is a name is one target for each address the name has; what the name no longer has is drained,
// an empty or failed lookup changes nothing.
//
// Control thread. Owned by Control; close() and wait before destroying it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "io/dns.h"
#include "io/scope.h"
#include "io/timer_wheel.h"
#include "traffic/control/events.h"
#include "traffic/control/saved_state.h"
#include "traffic/control/sticky_secret.h"
#include "traffic/health/decide.h"
#include "traffic/outlier/judge.h"
#include "traffic/plan.h"

namespace ballast::traffic {

struct ProbeResult;

// What an operator has set on a target, whatever the file says; by configured address.
struct TargetOverride {
  bool drained = false;
  std::optional<int> weight;
  bool empty() const { return !drained && !weight.has_value(); }
  friend bool operator==(const TargetOverride&, const TargetOverride&) = default;
};

class GroupKeeper : private io::Timer {
 public:
  struct Context {
    io::Loop& loop;
    io::Resolver& resolver;
    EventLog& events;
    int workers = 1;
    const StickySecret* sticky_secret = nullptr;
    std::function<void()> changed;                                         // the Plan is to be made anew
    std::function<void(std::shared_ptr<TargetShare>, Leftovers)> retired;  // no Plan names it any more
  };

  // `before`: what the process before this one knew of the group; nullptr: nothing.
  GroupKeeper(Context context, std::string name, const SavedGroup* before);
  GroupKeeper(const GroupKeeper&) = delete;
  ~GroupKeeper() override = default;

  // The settings from now on. `in_use`: a listener forwards to the group.
  // `contexts`: what its targets are spoken to with over TLS, by requests or by checks; nullptr: nothing.
  void configure(std::shared_ptr<const config::TargetGroup> settings, bool in_use,
                 std::shared_ptr<const GroupContexts> contexts);
  // Other ones from now on.
  void set_contexts(std::shared_ptr<const GroupContexts> contexts) { contexts_ = std::move(contexts); }
  // Every target is drained, then forgotten; is_empty() tells when.
  void remove();
  // No target and no task is left.
  bool is_empty() const { return entries_.empty() && scope_.empty(); }
  // Stops checking, looking up and judging.
  io::Task<void> close() {
    disarm();
    return scope_.close();
  }
  // True when each name has been looked up once, or the deadline has passed.
  io::Task<void> resolved_once(io::Deadline deadline);

  // `target` as configured, or with its resolved address. False: there is none.
  bool set_override(const std::string& target, const TargetOverride& next);
  TargetOverride override_of(const std::string& target) const;
  const std::map<std::string, TargetOverride>& overrides() const { return overrides_; }
  void restore_overrides(std::map<std::string, TargetOverride> overrides);
  // As configured.
  std::vector<std::string> target_names() const;

  // Says it in an event when the group begins or ceases to fail open; before plan().
  void note_mode();
  std::shared_ptr<const PlanGroup> plan() const;
  // Plans made now and later would differ only by the passing of time: a target is in slow start.
  bool is_warming() const;
  model::GroupStatus status() const;
  // For the next process.
  SavedGroup saved() const;
  // What the process before this one counted; on the thread of the first worker.
  void add_counts(const SavedGroup& counted) const;
  const config::TargetGroup& settings() const { return *settings_; }

 private:
  struct Entry;
  struct Name;
  using EntryPointer = std::shared_ptr<Entry>;

  // As they were in the process before.
  void restore(Entry& entry) const;
  void restore(Name& name) const;
  void sync_entries();
  void add_entry(const config::Target& target, std::optional<io::SocketAddress> address);
  TargetSpec spec_of(const Entry& entry) const;
  // As configured or set by the operator.
  int base_weight(const Entry& entry) const;
  void take(const EntryPointer& entry, Seen seen);
  void look_again();
  io::Task<void> watch(EntryPointer entry);
  io::Task<void> check(EntryPointer entry);
  // A height that a check was told becomes a verdict.
  void judge(Entry& entry, std::uint64_t height, const config::HealthCheck& check, ProbeResult& result);
  io::Task<void> look_up(std::shared_ptr<Name> name);
  std::uint64_t in_flight(const Entry& entry) const;
  // What the cookies of its clients hold; made once.
  const std::string& token_of(Entry& entry) const;
  GroupMode mode() const;
  // After slow start and `outliers`.
  double weight_of(const Entry& entry) const;
  bool is_warming(const Entry& entry) const;

  // group_keeper_outliers.cc
  // Begins, goes on with or ends judging the targets by their traffic.
  void configure_outliers();
  void expired() override;  // it is time to look
  // Those with an address, in the order of `judged`.
  std::vector<outlier::Member> members(std::vector<EntryPointer>& judged) const;
  void act(const std::vector<EntryPointer>& judged, const std::vector<outlier::Member>& members,
           const std::vector<outlier::Happened>& happened);
  // Those return that the group would have to fail open without.
  void call_back();
  void restore_outlier(Entry& entry, const SavedTarget& saved) const;
  void save_outlier(const Entry& entry, SavedTarget& saved) const;
  void add_outlier(const Entry& entry, model::TargetStatus& status) const;

  Context context_;
  std::shared_ptr<GroupShare> share_;
  std::shared_ptr<const config::TargetGroup> settings_;
  std::shared_ptr<const GroupContexts> contexts_;
  bool in_use_ = true;
  bool removed_ = false;
  bool was_failing_open_ = false;
  std::unique_ptr<const SavedGroup> before_;  // until it is configured
  std::vector<EntryPointer> entries_;
  std::vector<std::shared_ptr<Name>> names_;
  std::map<std::string, TargetOverride> overrides_;
  BalancerState random_;
  HealthTime compares_at_{};  // the targets with one another, next
  bool acting_ = false;       // on what was decided of their traffic
  io::Scope scope_;
};

}  // namespace ballast::traffic
