// Query parameters: "a=1&b=two%20words", compared decoded, without building a map of what a client sent.
#pragma once

#include <string>

#include "base/bytes.h"
#include "traffic/route/pattern.h"

namespace ballast::traffic {

// Percent-decoding with '+' as a space; "%" without two hex digits stays as it is. `storage` is used only where
// something has to be decoded; the view is into it or into `text`.
Bytes query_decoded(Bytes text, std::string& storage);

// Whether any parameter of that name (decoded, with case) has a value the pattern matches. "a" and "a=" have an empty
// value.
bool query_matches(Bytes query, Bytes name, const TextPattern& pattern);

}  // namespace ballast::traffic
