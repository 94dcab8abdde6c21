// Service: what an operator can ask of the running balancer. Implemented by the control thread (traffic/control),
// called by admin/api on that same thread; a fake stands in for it in the tests of admin/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "model/explained.h"
#include "model/status.h"

namespace ballast::model {

// One difference between two configurations, in words: "target_groups.site.targets: 10.0.0.13:80 added".
struct Change {
  std::string path;
  std::string text;
  bool needs_restart = false;
};

struct ApplyReport {
  std::uint64_t generation = 0;
  std::vector<Change> changes;
};

class Service {
 public:
  virtual ~Service() = default;

  virtual Status status() = 0;
  // Events with an id above `after`, oldest first; the last 1,000 are kept.
  virtual std::vector<Event> events(std::uint64_t after) = 0;

  // Of errors and slow requests. An Error where the query names a reason or a listener that cannot be.
  virtual Result<ExplainAnswer> explain(const ExplainQuery& query) = 0;

  virtual std::vector<Change> plan(const config::Settings& next) = 0;
  // All or nothing: on an Error nothing has changed.
  virtual Result<ApplyReport> apply(config::Settings next) = 0;
  // Reads its own file again, as SIGHUP does. The Error's text is the whole list of diagnostics.
  virtual Result<ApplyReport> reload() = 0;
  virtual const config::Settings& settings() const = 0;
  // Begins to put what the program's file holds now in the place of this process; how that went is an event of kind
  // "upgrade.done" or "upgrade.failed". An Error: it cannot even begin.
  virtual Result<> upgrade() = 0;

  // An Error names the nearest known group or target.
  virtual Result<> drain(std::string_view group, std::string_view target) = 0;
  virtual Result<> enable(std::string_view group, std::string_view target) = 0;
  virtual Result<> set_weight(std::string_view group, std::string_view target, int weight) = 0;
  // Takes the operator's weight back; the file's holds again.
  virtual Result<> reset_weight(std::string_view group, std::string_view target) = 0;

  // An Error names the nearest known listener.
  enum class Maintenance : std::uint8_t { Off, On };
  virtual Result<> set_maintenance(std::string_view listener, Maintenance maintenance) = 0;
};

}  // namespace ballast::model
