// Figures: numbers and times as a person reads them in a table. Pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ballast::admin {

std::string show_count(std::uint64_t count);            // "999", "12,345", "1.2 M", "3.4 G"
std::string show_bytes(std::uint64_t bytes);            // "512 B", "48.0 MiB"
std::string show_span(std::chrono::milliseconds span);  // "350 ms", "3 s", "5 min", "2 h 5 min", "3 d 4 h"
std::string show_seconds(double seconds);               // "0.8 ms", "12 ms", "1.4 s"
// What rfc3339() wrote; none where it is something else.
std::optional<std::chrono::system_clock::time_point> read_rfc3339(std::string_view text);

}  // namespace ballast::admin
