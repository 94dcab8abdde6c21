// Cookies of a request (RFC 6265 5.4): "a=1; b=2" in one field or several.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "wire/http/message.h"

namespace ballast::traffic {

// The first cookie of that name (with case), without quotes around its value; a view into the head.
std::optional<Bytes> cookie_value(const http::Fields& fields, Bytes name);

}  // namespace ballast::traffic
