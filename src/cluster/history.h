// History: the changes that were asked for, kept in a file over restarts, each applied configuration with what it was
// read from, so that one can go back to it.
//
// Of changes.h, on the control thread; a call writes to the disk and waits for it. The newest entries_max are kept, and
// older ones that are still needed: the configuration in force, and the one that an unconfirmed change would go back
// to. A newer version only ever adds columns and tables, so that an older one can go on with the file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/sqlite.h"
#include "model/history.h"

namespace ballast::cluster {

// A change that is taken back by itself unless somebody says that it is good.
struct Unconfirmed {
  std::uint64_t entry = 0;    // of that change
  std::uint64_t back_to = 0;  // the entry whose configuration was in force before
  model::WallTime until;
};

class History {
 public:
  // Some years of a busy operator; with configurations of 100 KiB that all differ, 100 MiB.
  static constexpr std::uint64_t entries_max = 1000;

  static Result<std::unique_ptr<History>> open(const std::string& path);

  // `configuration`: what it was read from (config::write_recording()); empty: the change has none. Gives the id.
  Result<std::uint64_t> add(const model::HistoryEntry& entry, const std::string& configuration);
  struct Page {
    std::uint64_t before = 0;  // only older ones than that id; 0: from the newest
    std::uint64_t count = 20;
  };
  // The newest first.
  Result<std::vector<model::HistoryEntry>> list(const Page& page) const;
  // NotFound; the text says what there is.
  Result<model::HistoryEntry> entry(std::uint64_t id) const;
  Result<std::string> configuration(std::uint64_t id) const;
  // The last entry whose configuration came into force; 0: none.
  Result<std::uint64_t> in_force() const;

  Result<std::optional<Unconfirmed>> unconfirmed() const;
  Result<> set_unconfirmed(const std::optional<Unconfirmed>& change);

 private:
  explicit History(Sqlite database) : database_(std::move(database)) {}
  Result<> prune() const;
  Error not_found(std::uint64_t id, std::string_view what) const;

  Sqlite database_;
};

}  // namespace ballast::cluster
