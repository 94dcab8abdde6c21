// What texts of several sections must be, in the form that text() takes as a check: empty, or what is wrong in words.
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace ballast::config {

// ASCII without blanks and control characters.
std::string visible_ascii(std::string_view value);

// http://HOST... or https://HOST..., without user and fragment.
std::string fetchable_url(std::string_view value);

}  // namespace ballast::config
