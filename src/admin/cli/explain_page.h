// What `ballast explain` shows a person, made of the API's document: records in full (the verdict, what happened in
// order, what to do), or a table with a line for each. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admin/cli/terminal.h"

namespace ballast::admin {

enum class ExplainView : std::uint8_t { Full, Table };

// None: the document is not understood.
std::optional<std::string> explain_page(const Terminal& terminal, std::string_view document, ExplainView view);

// In lines of at most `columns_max`, 0: no limit; each but the first begins with `indent` blanks.
std::string wrap(std::string_view text, std::size_t columns_max, std::size_t indent);

}  // namespace ballast::admin
