#include "traffic/route/header_edits.h"

#include <algorithm>

#include "wire/http/list.h"

namespace ballast::traffic {
namespace {

Bytes trimmed(Bytes text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

Result<HeaderEdits> HeaderEdits::compile(const std::vector<config::NamedText>& set,
                                         const std::vector<std::string>& removed) {
  HeaderEdits edits;
  for (const config::NamedText& each : set) {
    // Of a host nothing may leave its place: it is filled in as in a URL.
    const auto use = http::iequals(each.name, "Host") ? PlaceholderText::Use::Url : PlaceholderText::Use::Header;
    Result<PlaceholderText> text = PlaceholderText::compile(each.text, use);
    if (!text) return fail(std::move(text.error()).within(each.name));
    edits.set_.push_back({each.name, *std::move(text)});
  }
  edits.removed_ = removed;
  return edits;
}

bool HeaderEdits::fill_in(const RequestParts& request, std::vector<http::FieldLine>& made, std::string& texts) const {
  made.clear();
  texts.clear();
  // First all the texts, since they move while they grow; sizes stand in the lines until then.
  for (const Each& each : set_) {
    if (each.text.plain() != nullptr) continue;
    each.text.append_to(texts, request);
    if (texts.size() > texts_bytes_max) return false;
    texts.push_back('\n');
  }
  Bytes rest = texts;
  for (const Each& each : set_) {
    if (const std::string* plain = each.text.plain(); plain != nullptr) {
      made.push_back({each.name, trimmed(*plain)});
      continue;
    }
    // No text can hold the byte that parts them.
    const std::size_t end = rest.find('\n');
    made.push_back({each.name, trimmed(rest.substr(0, end))});
    rest.remove_prefix(end + 1);
  }
  return true;
}

void HeaderEdits::apply(const std::vector<http::FieldLine>& made, std::vector<http::FieldLine>& lines) const {
  if (!removed_.empty()) {
    std::erase_if(lines, [&](const http::FieldLine& line) {
      return std::ranges::any_of(removed_, [&](const std::string& name) { return http::iequals(name, line.name); });
    });
  }
  for (const http::FieldLine& line : made) {
    const auto is_same = [&](const http::FieldLine& other) { return http::iequals(other.name, line.name); };
    const auto first = std::ranges::find_if(lines, is_same);
    if (first == lines.end()) {
      lines.push_back(line);
      continue;
    }
    *first = line;
    lines.erase(std::remove_if(first + 1, lines.end(), is_same), lines.end());
  }
}

}  // namespace ballast::traffic
