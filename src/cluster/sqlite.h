// Sqlite: one SQLite database file, and its statements. One thread; calls block for as long as the disk does.
//
// Every text and number goes in by a parameter, never into the statement's text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

struct sqlite3;

namespace ballast::cluster {

class Sqlite {
 public:
  using Value = std::variant<std::int64_t, std::string>;
  // A column that is NULL is an empty text.
  using Row = std::vector<Value>;

  // ":memory:" is a database of its own. Made with mode 0600. Two processes may have it open at once; a call waits for
  // the other's for a second.
  static Result<Sqlite> open(const std::string& path);

  // One or several statements without parameters and without rows.
  Result<> execute(const char* statements) const;
  // One statement; all of its rows.
  Result<std::vector<Row>> run(std::string_view statement, const std::vector<Value>& parameters = {}) const;
  // Of the row that the last INSERT made.
  std::uint64_t last_id() const;

  // Undone where it is not committed before its end.
  class Transaction {
   public:
    explicit Transaction(const Sqlite& database) : database_(database), begun_(database.execute("BEGIN IMMEDIATE")) {}
    Transaction(const Transaction&) = delete;
    ~Transaction();
    const Result<>& begun() const { return begun_; }
    Result<> commit();

   private:
    const Sqlite& database_;
    Result<> begun_;
    bool committed_ = false;
  };

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Error error(std::string_view what) const;

  std::unique_ptr<sqlite3, Close> database_;
  std::string path_;
};

inline std::int64_t number_of(const Sqlite::Value& value) {
  const auto* number = std::get_if<std::int64_t>(&value);
  return number != nullptr ? *number : 0;
}
inline std::string text_of(const Sqlite::Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? *text : std::string();
}

}  // namespace ballast::cluster
