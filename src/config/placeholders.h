// Placeholders: "https://{host}{path}", text of a configuration in which names in braces stand for what a request has.
//
// Read here for the checks of the configuration and for who fills them in (traffic/route/placeholder_text.h). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ballast::config {

enum class Placeholder : std::uint8_t { None, Protocol, Host, Port, Path, Query, Client, RequestId };

// A piece of such a text; views into it.
struct PlaceholderPiece {
  Placeholder placeholder = Placeholder::None;
  std::string_view text;  // as written, of a placeholder with its braces
};

// Where the text stands. In a URL each brace that opens must begin a placeholder; in a header, where JSON may stand,
// one that is followed by anything else than a word and the brace that closes stands for itself.
enum class PlaceholderUse : std::uint8_t { Url, Header };

std::vector<std::string> placeholder_names(PlaceholderUse use);

// Error: the unknown one as it is written, in quotes.
Result<std::vector<PlaceholderPiece>> read_placeholders(std::string_view text, PlaceholderUse use);

}  // namespace ballast::config
