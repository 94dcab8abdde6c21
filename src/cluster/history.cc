#include "cluster/history.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace ballast::cluster {
namespace {

using Json = nlohmann::json;

constexpr const char* tables = R"(
  CREATE TABLE IF NOT EXISTS configurations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    user TEXT NOT NULL,
    way TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    done INTEGER NOT NULL,
    text TEXT NOT NULL,
    changes TEXT NOT NULL,
    generation INTEGER NOT NULL,
    configuration INTEGER REFERENCES configurations (id)
  );
  CREATE TABLE IF NOT EXISTS unconfirmed (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    entry INTEGER NOT NULL,
    back_to INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
  );
)";

constexpr std::string_view columns =
    "id, at_ms, user, way, kind, subject, done, text, changes, generation, configuration IS NOT NULL";

std::int64_t to_ms(model::WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

model::WallTime from_ms(std::int64_t ms) {
  return model::WallTime(std::chrono::milliseconds(ms));
}

std::string write_changes(const std::vector<model::Change>& changes) {
  Json list = Json::array();
  for (const model::Change& each : changes) {
    list.push_back({{"path", each.path}, {"text", each.text}, {"needs_restart", each.needs_restart}});
  }
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<model::Change> read_changes(const std::string& text) {
  std::vector<model::Change> changes;
  for (const Json& each : json_objects(Json::parse(text, nullptr, false))) {
    changes.push_back({.path = json_text(each, "path"),
                       .text = json_text(each, "text"),
                       .needs_restart = json_flag(each, "needs_restart")});
  }
  return changes;
}

model::HistoryEntry entry_of(const Sqlite::Row& row) {
  return {.id = static_cast<std::uint64_t>(number_of(row[0])),
          .at = from_ms(number_of(row[1])),
          .actor = {.user = text_of(row[2]), .way = text_of(row[3])},
          .kind = text_of(row[4]),
          .subject = text_of(row[5]),
          .done = number_of(row[6]) != 0,
          .text = text_of(row[7]),
          .changes = read_changes(text_of(row[8])),
          .generation = static_cast<std::uint64_t>(number_of(row[9])),
          .has_configuration = number_of(row[10]) != 0};
}

}  // namespace

Result<std::unique_ptr<History>> History::open(const std::string& path) {
  auto database = Sqlite::open(path);
  if (!database) return fail(std::move(database.error()));
  if (Result<> made = database->execute(tables); !made) return fail(std::move(made.error()));
  return std::unique_ptr<History>(new History(std::move(*database)));
}

Result<std::uint64_t> History::add(const model::HistoryEntry& entry, const std::string& configuration) {
  Sqlite::Transaction transaction(database_);
  if (!transaction.begun()) return fail(transaction.begun().error());
  std::string kept = "NULL";
  if (!configuration.empty()) {
    // The same again is the rule: a reload, a change that is taken back.
    const auto same =
        database_.run("SELECT id FROM configurations WHERE text = ? ORDER BY id DESC LIMIT 1", {configuration});
    if (!same) return fail(same.error());
    std::int64_t id = same->empty() ? 0 : number_of(same->front().front());
    if (id == 0) {
      const auto put = database_.run("INSERT INTO configurations (text) VALUES (?)", {configuration});
      if (!put) return fail(put.error());
      id = static_cast<std::int64_t>(database_.last_id());
    }
    kept = fmt::format("{}", id);
  }
  const auto put = database_.run(
      fmt::format(
          "INSERT INTO entries (at_ms, user, way, kind, subject, done, text, changes, generation, configuration) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, {})",
          kept),
      {to_ms(entry.at), entry.actor.user, entry.actor.way, entry.kind, entry.subject, std::int64_t{entry.done},
       entry.text, write_changes(entry.changes), static_cast<std::int64_t>(entry.generation)});
  if (!put) return fail(put.error());
  const std::uint64_t id = database_.last_id();
  if (Result<> pruned = prune(); !pruned) return fail(std::move(pruned.error()));
  if (Result<> committed = transaction.commit(); !committed) return fail(std::move(committed.error()));
  return id;
}

Result<> History::prune() const {
  const auto gone = database_.run(
      "DELETE FROM entries WHERE id <= (SELECT max(id) FROM entries) - ?"
      " AND id NOT IN (SELECT max(id) FROM entries WHERE done AND configuration IS NOT NULL)"
      " AND id NOT IN (SELECT entry FROM unconfirmed UNION SELECT back_to FROM unconfirmed)",
      {static_cast<std::int64_t>(entries_max)});
  if (!gone) return fail(gone.error());
  const auto unused = database_.run(
      "DELETE FROM configurations WHERE id NOT IN (SELECT configuration FROM entries WHERE configuration IS NOT NULL)");
  if (!unused) return fail(unused.error());
  return {};
}

Result<std::vector<model::HistoryEntry>> History::list(const Page& page) const {
  const std::int64_t before = page.before == 0 ? INT64_MAX : static_cast<std::int64_t>(page.before);
  const auto rows = database_.run(fmt::format("SELECT {} FROM entries WHERE id < ? ORDER BY id DESC LIMIT ?", columns),
                                  {before, static_cast<std::int64_t>(page.count)});
  if (!rows) return fail(rows.error());
  std::vector<model::HistoryEntry> entries;
  for (const Sqlite::Row& row : *rows) entries.push_back(entry_of(row));
  return entries;
}

Error History::not_found(std::uint64_t id, std::string_view what) const {
  const auto rows = database_.run("SELECT min(id), max(id) FROM entries");
  if (!rows || rows->empty() || number_of(rows->front()[1]) == 0) {
    return Error(Code::NotFound, "nothing has been changed yet: the history is empty");
  }
  return Error(Code::NotFound, fmt::format("{} {} in the history; it goes from {} to {} (ballast history)", what, id,
                                           number_of(rows->front()[0]), number_of(rows->front()[1])));
}

Result<model::HistoryEntry> History::entry(std::uint64_t id) const {
  const auto rows =
      database_.run(fmt::format("SELECT {} FROM entries WHERE id = ?", columns), {static_cast<std::int64_t>(id)});
  if (!rows) return fail(rows.error());
  if (rows->empty()) return fail(not_found(id, "there is no change"));
  return entry_of(rows->front());
}

Result<std::string> History::configuration(std::uint64_t id) const {
  const auto rows = database_.run(
      "SELECT c.text FROM entries e JOIN configurations c ON c.id = e.configuration WHERE e.id = ? AND e.done",
      {static_cast<std::int64_t>(id)});
  if (!rows) return fail(rows.error());
  if (rows->empty()) return fail(not_found(id, "no configuration came into force with"));
  return text_of(rows->front().front());
}

Result<std::uint64_t> History::in_force() const {
  const auto rows = database_.run("SELECT max(id) FROM entries WHERE done AND configuration IS NOT NULL");
  if (!rows) return fail(rows.error());
  return rows->empty() ? 0 : static_cast<std::uint64_t>(number_of(rows->front().front()));
}

Result<std::optional<Unconfirmed>> History::unconfirmed() const {
  const auto rows = database_.run("SELECT entry, back_to, until_ms FROM unconfirmed");
  if (!rows) return fail(rows.error());
  if (rows->empty()) return std::optional<Unconfirmed>();
  const Sqlite::Row& row = rows->front();
  return std::optional(Unconfirmed{.entry = static_cast<std::uint64_t>(number_of(row[0])),
                                   .back_to = static_cast<std::uint64_t>(number_of(row[1])),
                                   .until = from_ms(number_of(row[2]))});
}

Result<> History::set_unconfirmed(const std::optional<Unconfirmed>& change) {
  const auto done =
      change.has_value()
          ? database_.run("INSERT OR REPLACE INTO unconfirmed (only, entry, back_to, until_ms) VALUES (1, ?, ?, ?)",
                          {static_cast<std::int64_t>(change->entry), static_cast<std::int64_t>(change->back_to),
                           to_ms(change->until)})
          : database_.run("DELETE FROM unconfirmed");
  if (!done) return fail(done.error());
  return {};
}

}  // namespace ballast::cluster
