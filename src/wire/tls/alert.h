// The names of TLS alerts (RFC 8446 6), as the operator is told them.
#pragma once

#include <cstdint>
#include <string_view>

namespace ballast::tls {

// "certificate_required"; "unknown" for a number that has none.
std::string_view alert_name(std::uint8_t number);

}  // namespace ballast::tls
