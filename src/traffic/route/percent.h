// Percent-encoding of what comes from a request and becomes part of a URL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace ballast::traffic {

namespace allowed {
inline constexpr std::string_view in_host = ".-_:[]~%";
// RFC 3986 pchar and '/', and what browsers and servers take in practice; '%' as the client wrote it.
inline constexpr std::string_view in_path = "/-._~!$&'()*+,;=:@%|^`{}";
inline constexpr std::string_view in_query = "/-._~!$&'()*+,;=:@%|^`{}?[]";
// One value in a query: without what parts values, and '+', which would be a blank there.
inline constexpr std::string_view in_query_value = "/-._~!$'()*,=:@%|^`{}?[]";
}  // namespace allowed

// Letters, digits and what is allowed besides stay as they are.
void append_encoded(std::string& out, Bytes text, std::string_view allowed);

}  // namespace ballast::traffic
