// What commands show of the API's documents, which another version may have made.
#pragma once

#include <string>

#include "base/json.h"

namespace ballast::admin {

// A text as one line that may stand on a terminal; empty: none.
std::string shown_text(const nlohmann::json& json, const char* name);
// A point in time as a person reads it: "2026-11-21 10:00:00Z".
std::string shown_time(const nlohmann::json& json, const char* name);

}  // namespace ballast::admin
