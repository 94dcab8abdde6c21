// AcmeKeeper: the certificates that listeners want obtained: keeps account, keys and records in the state directory,
// orders and renews, shows challenges to the data plane meanwhile, and tells what goes wrong.
//
// Observe (the file of each set of names, and its record), decide (traffic/acme/decide.h), act (wire/acme/obtain.h, one
// order at a time). A certificate that has come is written to its file, which TlsKeeper watches: it goes live as any
// file that changes. Control thread; owned by Control. Nothing it meets ends anything: a failure is an event, a record
// and a later time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.h"
#include "io/dns.h"
#include "io/file.h"
#include "io/loop.h"
#include "io/scope.h"
#include "model/status.h"
#include "traffic/acme/challenges.h"
#include "traffic/acme/decide.h"
#include "traffic/acme/store.h"
#include "traffic/control/events.h"
#include "wire/acme/obtain.h"
#include "wire/tls/client_context.h"

namespace ballast::traffic {

class AcmeKeeper {
 public:
  struct Context {
    io::Loop& loop;
    io::Resolver& resolver;
    EventLog& events;
    int workers = 1;
    // Makes a Plan with what challenges() says now; returns when every worker has it.
    std::function<void()> publish;
  };
  struct Change {
    std::shared_ptr<const tls::ClientContext> tls;  // toward the authority; nullptr: there is none to speak to
  };

  explicit AcmeKeeper(Context context);
  ~AcmeKeeper();
  AcmeKeeper(const AcmeKeeper&) = delete;

  // What these settings need. The Error names the file; nothing has changed then.
  Result<Change> prepare(const config::Settings& settings) const;
  void commit(Change change, const config::Settings& settings);
  // Orders from here on: the listeners are open.
  void start();
  io::Task<void> close();

  // nullptr: an authority may ask for nothing now.
  std::shared_ptr<const acme::Challenges> challenges() const { return challenges_; }
  std::vector<model::AcmeStatus> status() const;

 private:
  struct Item;
  struct Outcome;
  io::Task<void> run();
  // What is due first; nullptr: there is nothing to keep.
  std::shared_ptr<Item> first_due(acme::WallTime now);
  void observe(Item& item) const;
  io::Task<void> attempt(std::shared_ptr<Item> item);
  io::Task<Result<ballast::acme::Obtained>> order(const Item& item, Outcome& outcome);
  Result<> take(Item& item, const ballast::acme::Obtained& obtained);
  void failed(Item& item, const Error& error, const Outcome& outcome);
  void save(const Item& item);
  Result<> show(const std::vector<ballast::acme::PendingChallenge>& pending);

  Context context_;
  std::shared_ptr<const tls::ClientContext> tls_;
  std::optional<config::Acme> settings_;
  std::string state_directory_;
  std::map<std::vector<std::string>, std::shared_ptr<Item>> items_;  // by their names, sorted
  std::shared_ptr<const acme::Challenges> challenges_;
  io::Scope scope_;
  io::Strand* asleep_ = nullptr;
  bool started_ = false;
};

}  // namespace ballast::traffic
