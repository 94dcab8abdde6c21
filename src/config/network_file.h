// A file of networks: one a line, `203.0.113.0/24`, `2001:db8::/32` or an address; what follows `#` or `;` is a
// comment, as in the lists that others publish.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/network.h"

namespace ballast::config {

// The largest published lists have about 200,000 networks in 4 MiB; reading 16 MiB holds the control thread for less
// than half a second.
inline constexpr std::size_t network_file_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t network_file_entries_max = 1'000'000;

// The Error says "line 3: ...".
Result<std::vector<Network>> parse_network_file(std::string_view text);

}  // namespace ballast::config
