// Control: the control thread's part of traffic: holds the settings, makes Plans, keeps the groups, and answers the
// operator.
//
// Everything but the workers runs on its loop. A change is prepared whole (sockets bound, rules compiled) before any of
// it takes effect. It waits for the workers to have taken a Plan over (they never wait for it): a caller who is told
// that a change is applied sees it in the next request.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/dns.h"
#include "io/loop.h"
#include "model/service.h"
#include "traffic/control/acme_keeper.h"
#include "traffic/control/auth_keeper.h"
#include "traffic/control/events.h"
#include "traffic/control/group_keeper.h"
#include "traffic/control/listeners.h"
#include "traffic/control/overrides.h"
#include "traffic/control/protect_keeper.h"
#include "traffic/control/saved_state.h"
#include "traffic/control/sticky_secret.h"
#include "traffic/control/tls_keeper.h"
#include "traffic/worker.h"

namespace ballast::traffic {

class Control final : public model::Service, private io::Timer {
 public:
  struct Options {
    std::string version;
    std::string config_file;
    io::Resolver* resolver = nullptr;           // outlives this
    io::SocketSource* sockets = nullptr;        // outlives this
    std::shared_ptr<io::KernelTls> kernel_tls;  // nullptr: none
    std::string state_before;                   // of the process before this one: its state(); empty: there was none
    // Reads the configuration file again; the Error's text is all that is wrong with it.
    std::function<Result<config::Settings>()> read_config;
    // The configuration is another one now; before anybody is told so.
    std::function<void()> changed;
    // Asks for another process in the place of this one.
    std::function<Result<>()> upgrade;
  };

  static Result<std::unique_ptr<Control>> make(io::Loop& loop, config::Settings settings, Options options);
  ~Control() override;

  // Opens the listeners. Names of targets are looked up first, for two seconds at most.
  io::Task<Result<>> start();
  // Stops accepting, lets requests end within settings().shutdown_timeout, then ends everything.
  io::Task<void> stop();
  // The same for a process that another one follows, which goes on with the sockets: within
  // settings().handover_timeout. What was counted and has happened since state_to_follow(), for the other one's
  // add_counts().
  io::Task<std::string> drain_away();
  // What drain_away() waits for has to end within settings().shutdown_timeout after all.
  void hurry_away();
  // For the process that follows (saved_state.h), should this one die.
  std::string state() const { return state(SavedKeys::LeftOut); }
  // For one that is to follow now. Changes are refused from here on: the other one would not have them.
  std::string state_to_follow();
  // None has followed; changes are taken again.
  void go_on() { handing_over_ = false; }
  // What the configuration was read from, in a state() of any version; empty: it does not say.
  static std::string configuration_in(const std::string& state);
  void add_counts(const std::string& counts);
  void reopen_logs() { access_log_->reopen(); }
  EventLog& event_log() { return events_; }

  model::Status status() override;
  std::vector<model::Event> events(std::uint64_t after) override { return events_.since(after); }
  Result<model::ExplainAnswer> explain(const model::ExplainQuery& query) override;
  std::vector<model::Change> plan(const config::Settings& next) override;
  Result<model::ApplyReport> apply(config::Settings next) override;
  Result<model::ApplyReport> reload() override;
  Result<> upgrade() override;
  const config::Settings& settings() const override { return *settings_; }
  Result<> drain(std::string_view group, std::string_view target) override;
  Result<> enable(std::string_view group, std::string_view target) override;
  Result<> set_weight(std::string_view group, std::string_view target, int weight) override;
  Result<> reset_weight(std::string_view group, std::string_view target) override;
  Result<> set_maintenance(std::string_view listener, Maintenance maintenance) override;

 private:
  using Routes = std::map<std::string, std::shared_ptr<const RouteTable>>;  // by listener

  Control(io::Loop& loop, config::Settings settings, Options options);
  Result<> make_workers();
  io::Task<void> end_within(config::Milliseconds time, Worker::AtRest at_rest);
  std::vector<std::shared_ptr<ListenerShare>> open_listeners() const;
  std::string state(SavedKeys keys) const;
  SavedState save(const std::vector<std::shared_ptr<ListenerShare>>& listeners) const;
  void count_on(SavedState counted);
  Result<> may_change() const;
  Result<Routes> compile_routes(const config::Settings& settings) const;
  Result<> adopt(std::shared_ptr<const config::Settings> next);
  void configure_groups();
  void publish();
  void hand_out_contexts();
  void publish_soon();
  // Returns when every worker has done what was posted to it before.
  void await_workers();
  void expired() override;
  void retire(const std::shared_ptr<TargetShare>& target, Leftovers leftovers);
  Result<GroupKeeper*> keeper_of(std::string_view group);
  Result<> change_override(std::string_view group, std::string_view target,
                           const std::function<void(TargetOverride&)>& change, const std::string& text);
  void save_overrides();

  io::Loop& loop_;
  Options options_;
  std::shared_ptr<const config::Settings> settings_;
  EventLog events_;
  AuthKeeper auth_;
  ProtectKeeper protect_;
  std::unique_ptr<AccessLog> access_log_;
  auth::PasswordPool passwords_;
  WorkerLoads loads_;
  std::vector<std::unique_ptr<Worker>> workers_;
  Listeners listeners_;
  TlsKeeper tls_;
  AcmeKeeper acme_;
  Routes routes_;
  StickySecret sticky_secret_;
  std::map<std::string, std::unique_ptr<GroupKeeper>, std::less<>> groups_;
  GroupOverrides overrides_of_absent_groups_;
  std::set<std::string, std::less<>> maintained_;  // listeners under maintenance, also such that are not there now
  SavedState before_;                              // what is left to be taken over
  SavedState handed_over_;                         // as state_to_follow() told it last
  std::uint64_t handed_over_event_ = 0;
  std::uint64_t generation_ = 0;
  bool publish_pending_ = false;
  bool started_ = false;
  bool handing_over_ = false;
  bool stopping_ = false;
  model::WallTime started_at_;
  model::WallTime configured_at_;
};

}  // namespace ballast::traffic
