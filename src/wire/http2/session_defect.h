// Why an HTTP/2 connection was ended by us.
#pragma once

#include <cstdint>
#include <string_view>

namespace ballast::http2 {

enum class SessionDefect : std::uint8_t {
  None,
  Protocol,     // frames that the protocol forbids
  FlowControl,  // more data than the windows allow
  Compression,  // a header block that cannot be decompressed
  Flood,        // too many frames that cost us work and the peer nothing
  SlowHead,     // a head that did not end in time
};
inline constexpr int session_defect_count = static_cast<int>(SessionDefect::SlowHead) + 1;

// Name in metrics, "flood".
std::string_view to_string(SessionDefect defect);

}  // namespace ballast::http2
