#include "config/placeholders.h"

#include <algorithm>
#include <array>
#include <utility>

#include "config/words.h"

namespace ballast::config {
namespace {

constexpr std::array<std::pair<std::string_view, Placeholder>, 7> known{{
    {"protocol", Placeholder::Protocol},
    {"host", Placeholder::Host},
    {"port", Placeholder::Port},
    {"path", Placeholder::Path},
    {"query", Placeholder::Query},
    {"client", Placeholder::Client},
    {"request_id", Placeholder::RequestId},
}};
// A URL that a client is sent to tells it nothing by these.
constexpr std::size_t known_in_url = 5;

std::size_t known_count(PlaceholderUse use) {
  return use == PlaceholderUse::Url ? known_in_url : known.size();
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

}  // namespace

std::vector<std::string> placeholder_names(PlaceholderUse use) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < known_count(use); ++i) names.emplace_back(known[i].first);
  return names;
}

Result<std::vector<PlaceholderPiece>> read_placeholders(std::string_view text, PlaceholderUse use) {
  std::vector<PlaceholderPiece> pieces;
  std::size_t begin = 0;
  for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at)) {
    const std::size_t close = text.find('}', at);
    const std::string_view name = text.substr(at + 1, close == std::string_view::npos ? close : close - at - 1);
    if (use == PlaceholderUse::Header && (close == std::string_view::npos || !is_word(name))) {
      ++at;
      continue;
    }
    const auto* const end = known.begin() + known_count(use);
    const auto* const found = std::find_if(known.begin(), end, [&](const auto& each) { return each.first == name; });
    if (close == std::string_view::npos || found == end)
      return fail(Code::Invalid, quote("{" + std::string(name) + "}"));
    if (at > begin) pieces.push_back({Placeholder::None, text.substr(begin, at - begin)});
    pieces.push_back({found->second, text.substr(at, close + 1 - at)});
    at = begin = close + 1;
  }
  if (begin < text.size()) pieces.push_back({Placeholder::None, text.substr(begin)});
  return pieces;
}

}  // namespace ballast::config
