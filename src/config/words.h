// Words: pieces of the sentences that diagnostics and differences are made of.
//
// Pure functions. Values quoted from a file are hostile: they are cropped and their control characters replaced, so
// that no text of ours can be made long or move a terminal's cursor.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ballast::config {

// At most `bytes_max` bytes, cut between characters, "..." where something is missing, control characters as "?".
std::string crop(std::string_view text, std::size_t bytes_max = 80);

// crop()ped, in double quotes.
std::string quote(std::string_view text);

// Without blanks at both ends.
std::string_view trimmed(std::string_view text);

// "a, b and 3 more" when there are more than `shown_max`.
std::string join(std::span<const std::string> names, std::size_t shown_max = 20);

// The known name that `name` was most probably meant to be: by edit distance, at most a third of its length. None when
// nothing is near. Looks at no more than 1,000 names.
std::optional<std::string> nearest(std::string_view name, std::span<const std::string> known);

// `; did you mean "site"?`, or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

}  // namespace ballast::config
