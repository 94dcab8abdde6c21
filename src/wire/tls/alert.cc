#include "wire/tls/alert.h"

#include <algorithm>
#include <array>

namespace ballast::tls {
namespace {

struct Row {
  std::uint8_t number;
  std::string_view name;
};

constexpr std::array rows{
    Row{0, "close_notify"},
    Row{10, "unexpected_message"},
    Row{20, "bad_record_mac"},
    Row{21, "decryption_failed"},
    Row{22, "record_overflow"},
    Row{30, "decompression_failure"},
    Row{40, "handshake_failure"},
    Row{41, "no_certificate"},
    Row{42, "bad_certificate"},
    Row{43, "unsupported_certificate"},
    Row{44, "certificate_revoked"},
    Row{45, "certificate_expired"},
    Row{46, "certificate_unknown"},
    Row{47, "illegal_parameter"},
    Row{48, "unknown_ca"},
    Row{49, "access_denied"},
    Row{50, "decode_error"},
    Row{51, "decrypt_error"},
    Row{70, "protocol_version"},
    Row{71, "insufficient_security"},
    Row{80, "internal_error"},
    Row{86, "inappropriate_fallback"},
    Row{90, "user_canceled"},
    Row{100, "no_renegotiation"},
    Row{109, "missing_extension"},
    Row{110, "unsupported_extension"},
    Row{111, "certificate_unobtainable"},
    Row{112, "unrecognized_name"},
    Row{113, "bad_certificate_status_response"},
    Row{115, "unknown_psk_identity"},
    Row{116, "certificate_required"},
    Row{120, "no_application_protocol"},
};

}  // namespace

std::string_view alert_name(std::uint8_t number) {
  const auto* const found = std::ranges::find(rows, number, &Row::number);
  return found != rows.end() ? found->name : "unknown";
}

}  // namespace ballast::tls
