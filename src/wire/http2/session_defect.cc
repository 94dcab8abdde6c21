#include "wire/http2/session_defect.h"

namespace ballast::http2 {

std::string_view to_string(SessionDefect defect) {
  switch (defect) {
    case SessionDefect::None:
      return "none";
    case SessionDefect::Protocol:
      return "protocol_error";
    case SessionDefect::FlowControl:
      return "flow_control_error";
    case SessionDefect::Compression:
      return "compression_error";
    case SessionDefect::Flood:
      return "flood";
    case SessionDefect::SlowHead:
      return "slow_head";
  }
  return "unknown";
}

}  // namespace ballast::http2
