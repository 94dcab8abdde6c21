// ProtectKeeper: what protection needs besides the settings: files of networks, looked at each second and read again
// when they have changed, and what has been counted so far, which outlives a change where the same limit stays in its
// place. Makes the Protections that stand in the Plan.
//
// Control thread; owned by Control. A change is prepared whole (every file read) before any of it takes effect. A file
// that cannot be used later leaves its last good content in place, and is said once in an event.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.h"
#include "io/file.h"
#include "io/loop.h"
#include "model/status.h"
#include "traffic/control/events.h"
#include "traffic/protect/protection.h"
#include "traffic/protect/saved_rate.h"

namespace ballast::traffic {

class ProtectKeeper final : private io::Timer {
 public:
  struct Context {
    io::Loop& loop;
    EventLog& events;
    int workers = 1;
    std::function<void()> changed;  // the Plan is to be made anew
  };
  explicit ProtectKeeper(Context context) : context_(std::move(context)) {}
  ProtectKeeper(const ProtectKeeper&) = delete;

  // A file of networks, as it was read.
  struct File {
    io::FileStamp stamp;
    std::vector<config::Network> networks;
    bool must_hold_some = false;  // it is of an allow list: empty, it would keep everybody out
    bool is_bad = false;          // what stands there since cannot be used; said in an event
  };
  using Files = std::map<std::string, File>;

  // The Error names the file.
  Result<Files> prepare(const config::Settings& next) const;
  // From now on; `settings` as it was prepared.
  void commit(Files files, std::shared_ptr<const config::Settings> settings);
  // For the Plan being made; nullptr: nothing stands at that listener's door.
  std::shared_ptr<const Protection> of(const config::Listener& listener) const;
  void add_to(model::Status& status) const;
  // For the process that follows, and of the one before; the latter before the first commit().
  std::vector<SavedRate> saved(SavedKeys keys) const;
  void restore(std::vector<SavedRate> rates) { before_ = std::move(rates); }
  void stop() { disarm(); }

 private:
  void expired() override;
  void look_at(const std::string& path, File& file);
  void compile();
  std::shared_ptr<const Protection> compile(const config::Listener& listener);
  Door compile(const config::Door& door, const std::string& listener, const std::string& rule);
  NetworkSet compile(const config::Networks& networks) const;

  std::shared_ptr<RateShare> restored(const RateShare::Place& place, const config::RateLimit& limit) const;

  Context context_;
  std::vector<SavedRate> before_;  // until the first commit()
  std::shared_ptr<const config::Settings> settings_;
  Files files_;
  std::map<RateShare::Place, std::shared_ptr<RateShare>> rates_;
  std::map<std::string, std::shared_ptr<AddressCounts>> counts_;  // by listener
  // What the one being made has taken over or begun; becomes the above.
  std::map<RateShare::Place, std::shared_ptr<RateShare>> next_rates_;
  std::map<std::string, std::shared_ptr<AddressCounts>> next_counts_;
  std::map<std::string, std::shared_ptr<const Protection>> protections_;  // by listener
};

}  // namespace ballast::traffic
