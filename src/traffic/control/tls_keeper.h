// TlsKeeper: the certificates of listeners, what targets are spoken to with, and the keys of session tickets, over
// time. Prepares what a change needs before any of it takes effect; sees when files change and makes the contexts anew,
// where they can be used; says in time when a certificate expires.
//
// Control thread. Files are looked at every second (their stamps alone); what has changed is read when it has stayed
// the same for one more look, so that a certificate and its key may be replaced one after the other.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/settings.h"
#include "io/file.h"
#include "io/timer_wheel.h"
#include "model/status.h"
#include "traffic/control/events.h"
#include "traffic/plan.h"
#include "wire/tls/ticket_keys.h"

namespace ballast::io {
class Loop;
}

namespace ballast::traffic {

// The files of one listener or group, as they were when they were read.
struct WatchedFiles {
  std::vector<std::string> paths;
  std::vector<std::optional<io::FileStamp>> read;
  std::vector<std::optional<io::FileStamp>> seen;  // at the last look
};

// A listener's TLS, made from its settings and files.
struct ListenerContexts {
  std::vector<config::CertificateFiles> files;
  config::ListenerTls settings;
  WatchedFiles watched;
  std::vector<std::shared_ptr<const tls::Certificate>> certificates;
  std::set<std::string> obtained;  // files of certificates that came by ACME
  std::vector<std::string> notes;  // what else is to be said of them
  std::vector<std::shared_ptr<const tls::ServerContext>> by_worker;
  std::string problem;  // of the files' newer content
};

// Who uses contexts.
struct ContextUse {
  int workers = 1;
  std::shared_ptr<io::KernelTls> kernel;  // of their connections; nullptr: none
};

// A group's.
struct TargetContexts {
  config::GroupTls settings;
  std::vector<std::string> alpn;  // what is offered; empty: nothing
  WatchedFiles watched;
  std::shared_ptr<const GroupContexts> contexts;
};

class TlsKeeper final : private io::Timer {
 public:
  struct Context {
    io::Loop& loop;
    EventLog& events;
    int workers = 1;
    std::shared_ptr<io::KernelTls> kernel;
    std::function<void()> changed;  // the groups' contexts are to be handed out, and a Plan to be made
  };
  struct Change {
    std::map<std::string, std::shared_ptr<ListenerContexts>> listeners;
    std::map<std::string, std::shared_ptr<TargetContexts>> groups;
    const config::Settings* settings = nullptr;  // outlive commit()
  };

  explicit TlsKeeper(Context context) : context_(std::move(context)) {}
  ~TlsKeeper() override = default;

  // What these settings need. What is there already, and has not changed on the disk, is taken over. The Error names
  // the listener or group, the file and what to do; nothing has changed then.
  Result<Change> prepare(const config::Settings& settings);
  void commit(Change change);
  void stop() { disarm(); }

  // Empty, or nullptr: it is plain.
  std::vector<std::shared_ptr<const tls::ServerContext>> listener(const std::string& name) const;
  std::shared_ptr<const GroupContexts> group(const std::string& name) const;
  std::vector<model::CertificateStatus> status() const;

 private:
  ContextUse shared() const { return {.workers = context_.workers, .kernel = context_.kernel}; }
  void expired() override;
  void look();
  void keep_ticket_keys();
  void load_ticket_keys();
  void save_ticket_keys(const tls::TicketKeys& keys);
  void warn_of_expiry();
  void say_warnings(const std::string& name, const ListenerContexts& made);

  Context context_;
  std::string state_directory_;
  // By name.
  std::map<std::string, std::shared_ptr<ListenerContexts>> listeners_;
  std::map<std::string, std::shared_ptr<TargetContexts>> groups_;
  std::map<std::string, std::shared_ptr<const config::Listener>> listener_settings_;
  std::shared_ptr<tls::TicketKeyRing> ticket_keys_ = std::make_shared<tls::TicketKeyRing>();
  bool ticket_keys_loaded_ = false;
  std::map<std::string, model::WallTime> warned_;  // of expiry, by listener and file
};

}  // namespace ballast::traffic
