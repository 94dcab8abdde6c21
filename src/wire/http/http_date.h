// HTTP dates (RFC 9110 5.6.7): written in the one form that is sent, read in the three that may be received.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace ballast::http {

inline constexpr std::size_t http_date_bytes = 29;
using HttpDate = std::array<char, http_date_bytes>;

// "Sun, 06 Nov 1994 08:49:37 GMT", of seconds since 1970, in the years 0 to 9999; what is beyond is put at their ends.
HttpDate write_http_date(std::int64_t seconds);

// Seconds since 1970; none for what is no date. A leap second counts as the next one. `now` decides the century of the
// obsolete form with two digits: not more than 50 years ahead.
std::optional<std::int64_t> parse_http_date(Bytes text, std::int64_t now);

}  // namespace ballast::http
