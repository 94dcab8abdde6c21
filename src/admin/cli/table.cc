#include "admin/cli/table.h"

#include <algorithm>

#include "base/check.h"

namespace ballast::admin {

std::string cut(std::string_view text, std::size_t columns_max) {
  if (columns(text) <= columns_max) return std::string(text);
  if (columns_max == 0) return {};
  std::size_t bytes = 0;
  for (std::size_t kept = 0; bytes < text.size(); ++bytes) {
    if ((static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) continue;
    if (kept++ == columns_max - 1) break;
  }
  return std::string(text.substr(0, bytes)) + "…";
}

void Table::row(std::vector<Cell> cells) {
  CHECK(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::render(const Terminal& terminal, std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(columns(column.title));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i].text));
  }
  const std::size_t last = columns_.size() - 1;
  std::size_t before_last = indent;
  for (std::size_t i = 0; i < last; ++i) before_last += widths[i] + 2;
  // Under ten columns nothing of use is left: then the terminal may wrap.
  constexpr std::size_t last_columns_min = 10;
  const auto limit = static_cast<std::size_t>(std::max(terminal.width_columns, 0));
  const bool bounded = limit >= before_last + last_columns_min;

  std::string out;
  const auto line = [&](const std::vector<Cell>& cells) {
    std::string text(indent, ' ');
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string shown = i == last && bounded ? cut(cells[i].text, limit - before_last) : cells[i].text;
      const std::string space(
          i == last && columns_[i].align == Align::Left ? 0 : widths[i] - std::min(widths[i], columns(shown)), ' ');
      const std::string painted = terminal.paint(shown, cells[i].colour);
      text += columns_[i].align == Align::Right ? space + painted : painted + space;
      if (i != last) text += "  ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.push_back({column.title, Colour::Faint});
  line(titles);
  for (const auto& row : rows_) line(row);
  return out;
}

}  // namespace ballast::admin
