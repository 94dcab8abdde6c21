#include "config/diagnostics.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "config/words.h"

namespace ballast::config {
namespace {

// How many bytes from `column` on are the token that stands there: a quoted text, or a plain one as YAML ends them.
std::size_t token_bytes(std::string_view line, std::size_t column) {
  if (column >= line.size()) return 1;
  const std::string_view rest = line.substr(column);
  if (rest[0] == '"' || rest[0] == '\'') {
    const std::size_t close = rest.find(rest[0], 1);
    return close == std::string_view::npos ? 1 : close + 1;
  }
  if (rest[0] == '{' || rest[0] == '[') return 1;
  std::size_t end = 0;
  int braces = 0;  // of a ${variable} inside
  for (; end < rest.size(); ++end) {
    const char c = rest[end];
    if (c == '{') ++braces;
    if (c == '}' && braces-- == 0) break;
    if (c == ' ' || c == '\t' || c == ',' || c == ']') break;
    if (c == ':' && (end + 1 == rest.size() || rest[end + 1] == ' ')) break;
  }
  return std::max<std::size_t>(end, 1);
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

struct Excerpt {
  std::string line;
  std::string carets;
};

// The part of the line around the token that fits a terminal, and the underline below it.
Excerpt excerpt(std::string_view line, std::size_t column) {
  constexpr std::size_t before_max = 100;
  constexpr std::size_t bytes_max = 160;
  column = std::min(column, line.size());
  std::size_t token = token_bytes(line, column);
  std::size_t cut = column > before_max ? column - before_max : 0;
  while (cut < line.size() && continues_character(line[cut])) ++cut;
  line.remove_prefix(cut);
  column -= std::min(cut, column);
  Excerpt result;
  result.line = (cut > 0 ? "..." : "") + crop(line, bytes_max);
  result.carets = cut > 0 ? "   " : "";
  for (std::size_t i = 0; i < column; ++i) {
    if (!continues_character(line[i])) result.carets += ' ';
  }
  token = std::min(token, bytes_max - std::min(column, bytes_max - 1));
  std::size_t width = 0;
  for (std::size_t i = column; i < column + token; ++i) {
    if (i >= line.size() || !continues_character(line[i])) ++width;
  }
  result.carets += '^' + std::string(std::max<std::size_t>(width, 1) - 1, '~');
  return result;
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::string_view line_of(std::string_view text, int line) {
  for (int i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

int Diagnostics::add_file(std::string name, std::string text) {
  files_.push_back({std::move(name), std::move(text)});
  return static_cast<int>(files_.size()) - 1;
}

std::vector<std::string> Diagnostics::file_names() const {
  std::vector<std::string> names;
  for (const File& file : files_) names.push_back(file.name);
  return names;
}

const std::string& Diagnostics::file_name(int file) const {
  return files_.at(static_cast<std::size_t>(file)).name;
}

void Diagnostics::keep(Diagnostic diagnostic) {
  ++(diagnostic.severity == Severity::Error ? errors_ : warnings_);
  if (!full()) found_.push_back(std::move(diagnostic));
}

void Diagnostics::error(const Mark& mark, std::string text, std::vector<std::string> notes) {
  keep({Severity::Error, mark, std::move(text), std::move(notes)});
}

void Diagnostics::warning(const Mark& mark, std::string text, std::vector<std::string> notes) {
  keep({Severity::Warning, mark, std::move(text), std::move(notes)});
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::multimap<std::tuple<int, int, int>, const Diagnostic*> by_place;  // equal keys stay in their order
  for (const Diagnostic& d : found_) by_place.emplace(std::tuple(d.mark.file, d.mark.line, d.mark.column), &d);
  std::vector<Diagnostic> result;
  for (const auto& [at, diagnostic] : by_place) result.push_back(*diagnostic);
  return result;
}

std::string Diagnostics::place(const Mark& mark) const {
  const auto file = static_cast<std::size_t>(mark.file);
  const std::string name = file < files_.size() ? crop(files_[file].name, 400) : "configuration";
  if (mark.line == 0) return name;
  return fmt::format("{}:{}:{}", name, mark.line, mark.column);
}

std::string Diagnostics::render_one(const Diagnostic& diagnostic) const {
  const std::string_view severity = diagnostic.severity == Severity::Error ? "error" : "warning";
  std::string block = fmt::format("{}: {}: {}\n", place(diagnostic.mark), severity, diagnostic.text);
  const auto file = static_cast<std::size_t>(diagnostic.mark.file);
  std::string_view line;
  if (diagnostic.mark.line > 0 && file < files_.size()) line = line_of(files_[file].text, diagnostic.mark.line);
  const std::string number = fmt::format("{:>4}", diagnostic.mark.line);
  const std::string margin(number.size(), ' ');
  if (!line.empty()) {
    const Excerpt shown = excerpt(line, static_cast<std::size_t>(std::max(diagnostic.mark.column, 1)) - 1);
    block += fmt::format("{} | {}\n{} | {}\n", number, shown.line, margin, shown.carets);
  }
  for (const std::string& note : diagnostic.notes) block += fmt::format("{} = {}\n", margin, note);
  return block;
}

std::string Diagnostics::render() const {
  std::string text;
  std::size_t shown = 0;
  for (const Diagnostic& diagnostic : sorted()) {
    if (shown == shown_max) break;
    text += render_one(diagnostic);
    ++shown;
  }
  const std::size_t all = errors_ + warnings_;
  if (all > shown) text += fmt::format("and {} more\n", all - shown);
  if (errors_ > 0 && warnings_ > 0) {
    text += fmt::format("{}, {}\n", counted(errors_, "error"), counted(warnings_, "warning"));
  } else if (all > 0) {
    text += counted(all, errors_ > 0 ? "error" : "warning") + '\n';
  }
  return text;
}

}  // namespace ballast::config
