// Accept-Encoding (RFC 9110 12.5.3): which of the codings that could be sent the client likes best.
//
// Pure. A weight that is none is 0: what is not understood is not sent.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "wire/http/message.h"

namespace ballast::http {

enum class Coding : std::uint8_t { Identity, Gzip, Brotli, Zstd };

// "gzip", as in Content-Encoding; "identity".
Bytes to_string(Coding coding);

// The best of `offered`, which is in our own order of preference, at the client's weights; Identity where none is
// wanted as much as that. A client that says nothing gets Identity: most that say nothing cannot decode.
Coding choose_coding(const Fields& fields, std::span<const Coding> offered);

}  // namespace ballast::http
