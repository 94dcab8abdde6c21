// Table: rows of cells in aligned columns, for people. On a terminal the last column is cut to the width, and nothing
// else is.
#pragma once

#include <string>
#include <vector>

#include "admin/cli/terminal.h"

namespace ballast::admin {

struct Cell {
  std::string text;  // printable
  Colour colour = Colour::Plain;
};

enum class Align : std::uint8_t { Left, Right };

class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::Left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // As many cells as there are columns.
  void row(std::vector<Cell> cells);
  std::string render(const Terminal& terminal, std::size_t indent) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// At most `columns_max` columns, "…" where something is missing.
std::string cut(std::string_view text, std::size_t columns_max);

}  // namespace ballast::admin
