// Cause: why a request or a connection is worth a record: a Reason, how a TLS handshake with a client failed, or what
// an HTTP/2 connection was ended for. One number, by which the rings are kept fair.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "traffic/reason.h"
#include "wire/http2/session_defect.h"
#include "wire/tls/handshake.h"

namespace ballast::traffic {

class Cause {
 public:
  static constexpr std::size_t count =
      std::size_t{reason_count} + std::size_t{tls::handshake_end_count} + std::size_t{http2::session_defect_count};

  constexpr Cause() = default;                                                   // none: a request that was only slow
  constexpr Cause(Reason reason) : index_(static_cast<std::uint8_t>(reason)) {}  // NOLINT: each is a cause
  constexpr Cause(tls::HandshakeEnd end)                                         // NOLINT
      : index_(static_cast<std::uint8_t>(reason_count + static_cast<int>(end))) {}
  constexpr Cause(http2::SessionDefect defect)  // NOLINT
      : index_(static_cast<std::uint8_t>(reason_count + tls::handshake_end_count + static_cast<int>(defect))) {}
  // Below `count`.
  static constexpr Cause at(std::size_t index) {
    Cause cause;
    cause.index_ = static_cast<std::uint8_t>(index);
    return cause;
  }

  constexpr std::size_t index() const { return index_; }
  constexpr bool is_none() const { return index_ == 0; }
  friend constexpr bool operator==(Cause, Cause) = default;

 private:
  std::uint8_t index_ = 0;
};
static_assert(Cause::count <= 255);

std::string to_string(Cause cause);      // "connect_refused", "tls_no_certificate", "http2_flood"
std::string_view happened(Cause cause);  // "nobody listens at the target"
std::string_view advice(Cause cause);    // what to look at, what to do
std::optional<Cause> cause_of(std::string_view name);
// Of every cause that there can be a record of.
std::vector<std::string> cause_names();

}  // namespace ballast::traffic
