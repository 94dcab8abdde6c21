// Units: how durations, sizes, percentages, status codes, addresses and networks are written in a configuration.
//
// Pure functions, text to value and back; what `parse_` took, `show_` (or to_string) writes in its shortest form. An
// Error's text quotes the value and says what is wrong with it; the property's name and bounds are the caller's to add.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"

namespace ballast::config {

// Whole numbers with units, largest first, each unit once: "500ms", "5s", "1m30s", "1h". "0" needs no unit.
Result<Milliseconds> parse_duration(std::string_view text);
std::string show_duration(Milliseconds duration);

// Bytes: "512", "512B", "64KiB", "10MiB", "1GiB" (powers of 1024), "64KB", "10MB", "1GB" (powers of 1000).
Result<std::uint64_t> parse_size(std::string_view text);
std::string show_size(std::uint64_t bytes);

// "0%" to "100%", whole.
Result<int> parse_percent(std::string_view text);

// Decimal digits with an optional "-" before them, nothing else.
Result<std::int64_t> parse_integer(std::string_view text);

// "200", "200,202", "200-299", "200-299,304"; statuses 100..599, at most 32 parts.
Result<std::vector<StatusRange>> parse_status_codes(std::string_view text);
std::string show_status_codes(const std::vector<StatusRange>& codes);

// "host:port", "[v6]:port", ":port", "unix:/path". An IPv6 host comes back in its RFC 5952 form.
Result<Address> parse_address(std::string_view text);
// As an address, or with a range of ports behind the colon.
Result<Address> parse_listen_address(std::string_view text);
// As an address, or without a port.
Result<Address> parse_target_address(std::string_view text);

// "10.0.0.0/8", "fd00::/8"; an address alone is a network of one.
Result<Network> parse_network(std::string_view text);

}  // namespace ballast::config
