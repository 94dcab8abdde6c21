// Base64 (RFC 4648), strictly: no blanks, no other alphabet, no bits left over; a text has one reading.
//
// Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace ballast {

// With the alphabet of chapter 5 and without padding, as in tokens.
std::optional<std::string> decode_base64url(Bytes text);
// With the alphabet of chapter 4; padding may be left out, as some clients do.
std::optional<std::string> decode_base64(Bytes text);
std::string encode_base64url(Bytes bytes);

}  // namespace ballast
