#include "cluster/sqlite.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include <sqlite3.h>

#include <fmt/format.h>

namespace ballast::cluster {
namespace {

Code code_of(int result) {
  switch (result & 0xff) {
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return Code::Denied;
    case SQLITE_CANTOPEN:
      return Code::NotFound;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return Code::Exhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::Malformed;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::TimedOut;
    default:
      return Code::System;
  }
}

// With its folder, before anything is in it: it will hold what configurations hold, secrets perhaps. The library gives
// its journals the mode of the file. What fails here fails better when it is opened.
void make_private(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  if (std::filesystem::exists(path, ignored)) return;
  std::ofstream(path, std::ios::app).close();
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
}

struct Finalise {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

}  // namespace

void Sqlite::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Error Sqlite::error(std::string_view what) const {
  const int result = sqlite3_extended_errcode(database_.get());
  return Error(code_of(result), fmt::format("{} {}: {}", what, path_, sqlite3_errmsg(database_.get())));
}

Result<Sqlite> Sqlite::open(const std::string& path) {
  Sqlite opened;
  opened.path_ = path;
  if (path != ":memory:") make_private(path);
  sqlite3* database = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  opened.database_.reset(database);
  if (database == nullptr) return fail(Code::Exhausted, fmt::format("open {}: out of memory", path));
  if (result != SQLITE_OK) return fail(opened.error("open"));
  constexpr int wait_ms = 1000;
  sqlite3_busy_timeout(database, wait_ms);
  if (Result<> set = opened.execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"); !set) {
    return fail(std::move(set.error()));
  }
  return opened;
}

Result<> Sqlite::execute(const char* statements) const {
  if (sqlite3_exec(database_.get(), statements, nullptr, nullptr, nullptr) != SQLITE_OK) return fail(error("write"));
  return {};
}

Result<std::vector<Sqlite::Row>> Sqlite::run(std::string_view statement, const std::vector<Value>& parameters) const {
  sqlite3_stmt* raw = nullptr;
  const int prepared =
      sqlite3_prepare_v2(database_.get(), statement.data(), static_cast<int>(statement.size()), &raw, nullptr);
  const std::unique_ptr<sqlite3_stmt, Finalise> ready(raw);
  if (prepared != SQLITE_OK) return fail(error("ask"));
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const int place = static_cast<int>(i) + 1;
    if (const auto* number = std::get_if<std::int64_t>(&parameters[i])) {
      sqlite3_bind_int64(raw, place, *number);
    } else {
      const std::string& text = std::get<std::string>(parameters[i]);
      sqlite3_bind_text64(raw, place, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
  }
  std::vector<Row> rows;
  while (true) {
    const int step = sqlite3_step(raw);
    if (step == SQLITE_DONE) return rows;
    if (step != SQLITE_ROW) return fail(error("ask"));
    Row row;
    for (int i = 0; i < sqlite3_column_count(raw); ++i) {
      if (sqlite3_column_type(raw, i) == SQLITE_INTEGER) {
        row.emplace_back(static_cast<std::int64_t>(sqlite3_column_int64(raw, i)));
        continue;
      }
      const auto* text = static_cast<const char*>(static_cast<const void*>(sqlite3_column_text(raw, i)));
      row.emplace_back(text != nullptr ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(raw, i)))
                                       : std::string());
    }
    rows.push_back(std::move(row));
  }
}

std::uint64_t Sqlite::last_id() const {
  return static_cast<std::uint64_t>(sqlite3_last_insert_rowid(database_.get()));
}

Sqlite::Transaction::~Transaction() {
  if (begun_ && !committed_) (void)database_.execute("ROLLBACK");
}

Result<> Sqlite::Transaction::commit() {
  Result<> done = database_.execute("COMMIT");
  committed_ = done.has_value();
  return done;
}

}  // namespace ballast::cluster
