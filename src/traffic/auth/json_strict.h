// Whether JSON of a stranger has one reading: an object, of bounded depth, in which no name stands twice. Two readers
// of a token with two `sub` would disagree about which one counts.
#pragma once

#include "base/bytes.h"

namespace ballast::traffic::auth {

// Deeper is no claim or key that anybody issues.
inline constexpr int json_depth_max = 16;

bool is_strict_object(Bytes text);

}  // namespace ballast::traffic::auth
