// AuthKeeper: what authentication needs besides the settings: files of users and keys, looked at each second and read
// again when they have changed, and sets of keys from a URL, fetched now and then and when a worker wishes it. Makes
// the Guards that stand in the Plan.
//
// Control thread; owned by Control. A change is prepared whole (every file read) before any of it takes effect. What
// cannot be read or fetched later leaves the last good content in place, and is said once in an event.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.h"
#include "io/dns.h"
#include "io/file.h"
#include "io/loop.h"
#include "io/scope.h"
#include "traffic/auth/guard.h"
#include "traffic/control/events.h"
#include "wire/tls/client_context.h"

namespace ballast::traffic {

class AuthKeeper final : private io::Timer {
 public:
  struct Context {
    io::Loop& loop;
    io::Resolver& resolver;
    EventLog& events;
    std::function<void()> changed;  // the Plan is to be made anew
  };
  explicit AuthKeeper(Context context);
  ~AuthKeeper() override;
  AuthKeeper(const AuthKeeper&) = delete;

  // A file that is named in the settings, as it was read.
  struct File {
    io::FileStamp stamp;
    // One of the three.
    std::shared_ptr<const config::Htpasswd> users;
    std::shared_ptr<const auth::KeySet> keys;
    std::shared_ptr<const tls::ClientContext> tls;  // of authorities that issuers' servers are verified by
    bool is_bad = false;                            // what stands there since cannot be used; said in an event
  };
  using Files = std::map<std::string, File>;

  // Reads what is not known yet. The Error names the file.
  Result<Files> prepare(const config::Settings& next) const;
  // From now on; `settings` as it was prepared.
  void commit(Files files, std::shared_ptr<const config::Settings> settings);
  // For the Plan being made.
  auth::Guards guards_of(const config::Listener& listener) const;
  // True to the name: keys from URLs have come, or could not be had, or the deadline has passed.
  io::Task<void> fetched_once(io::Deadline deadline);
  io::Task<void> close();

 private:
  struct Source;
  Result<std::shared_ptr<const tls::ClientContext>> context_of(const Source& source);
  void expired() override;
  void look_at(const std::string& path, File& file);
  io::Task<void> keep_fetching(std::shared_ptr<Source> source);
  io::Task<Result<std::string>> fetch(const Source& source);
  void take(Source& source, Result<std::string> fetched);
  std::shared_ptr<const auth::Guard> guard_of(const config::Auth& auth) const;

  Context context_;
  std::shared_ptr<const config::Settings> settings_;
  Files files_;
  std::map<std::string, std::shared_ptr<Source>> sources_;  // by URL and authorities
  std::shared_ptr<const tls::ClientContext> system_tls_;    // made when it is first needed
  io::Scope scope_;
};

}  // namespace ballast::traffic
