// Lines, words and sections of haproxy.cfg.
#include <algorithm>

#include <fmt/format.h>

#include "admin/import/haproxy_read.h"

namespace ballast::admin {
namespace {

constexpr std::size_t lines_max = 50'000;       // more is no configuration
constexpr std::size_t inherited_max = 200'000;  // defaults of a thousand lines in front of as many sections

// None: a quote is never closed.
std::optional<std::vector<std::string>> words_of(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && i + 1 < line.size()) {
      // Of an expression's backslashes only those before blanks and quotes are HAProxy's own.
      const char next = line[++i];
      if (std::string_view(" #\"'\\").find(next) == std::string_view::npos) word += '\\';
      word += next;
      in_word = true;
    } else if (c == '"' || c == '\'') {
      const std::size_t close = line.find(c, i + 1);
      if (close == std::string_view::npos) return std::nullopt;
      word += line.substr(i + 1, close - i - 1);
      in_word = true;
      i = close;
    } else if (c == '#') {
      break;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

bool is_section(std::string_view word) {
  constexpr std::string_view kinds[] = {"global",   "defaults",    "frontend",  "backend", "listen",  "peers",
                                        "userlist", "resolvers",   "mailers",   "cache",   "program", "http-errors",
                                        "ring",     "log-forward", "crt-store", "traces",  "fcgi-app"};
  return std::ranges::find(kinds, word) != std::end(kinds);
}

}  // namespace

bool HaproxyLine::has(std::string_view word) const {
  return std::ranges::find(words, word) != words.end();
}

std::string HaproxyLine::after(std::string_view word) const {
  const auto found = std::ranges::find(words, word);
  return found != words.end() && found + 1 != words.end() ? *(found + 1) : std::string();
}

std::string HaproxyLine::text() const {
  return shown(fmt::format("{}", fmt::join(words, " ")));
}

std::vector<HaproxySection> parse_haproxy(const ImportSource& source, Draft& draft) {
  std::vector<HaproxySection> sections;
  std::map<std::string, std::vector<HaproxyLine>> named_defaults;
  std::vector<HaproxyLine> defaults;
  std::string_view rest = source.text;
  std::size_t inherited = 0;
  const auto broken = [&](int line, std::string_view what) {
    draft.note({}, line, fmt::format("this is no haproxy configuration: {}", what));
    return std::vector<HaproxySection>();
  };
  const auto end_defaults = [&] {
    if (sections.empty() || sections.back().kind != "defaults") return;
    defaults = sections.back().lines;
    if (!sections.back().name.empty()) named_defaults[sections.back().name] = defaults;
  };
  for (int number = 1; !rest.empty(); ++number) {
    if (static_cast<std::size_t>(number) > lines_max) return broken(number, "too many lines");
    const std::size_t end = rest.find('\n');
    auto words = words_of(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (!words) return broken(number, "a quote is never closed");
    if (words->empty()) continue;
    if (!is_section(words->front())) {
      if (sections.empty()) return broken(number, "this line is in no section");
      sections.back().lines.push_back({.words = std::move(*words), .line = number});
      continue;
    }
    end_defaults();
    HaproxySection section{.kind = words->front(), .name = {}, .lines = {}, .line = number};
    if (words->size() > 1 && (*words)[1] != "from") section.name = (*words)[1];
    const bool inherits = section.kind == "frontend" || section.kind == "backend" || section.kind == "listen" ||
                          section.kind == "defaults";
    const auto from = std::ranges::find(*words, "from");
    const bool is_from = from != words->end() && from + 1 != words->end();
    if (inherits && is_from) {
      section.lines = named_defaults[*(from + 1)];
    } else if (inherits && section.kind != "defaults") {
      section.lines = defaults;
    }
    inherited += section.lines.size();
    if (inherited > inherited_max) return broken(number, "too many lines are inherited");
    section.inherited = section.lines.size();
    sections.push_back(std::move(section));
  }
  return sections;
}

}  // namespace ballast::admin
