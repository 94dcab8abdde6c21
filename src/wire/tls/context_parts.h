// What the contexts of both sides have in common.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/tls/owned.h"

namespace ballast::tls {

// Buffers of connections at rest are given back; no renegotiation, no compression.
void set_common_modes(ssl_ctx_st* context);
// The first certificate is our own, the others its chain; one of the same kind that is there already is replaced.
Result<> use_certificate(ssl_ctx_st* context, Bytes cert_pem, Bytes key_pem);
// RFC 7301 3.1: each name with its length before it. Names longer than 255 bytes are left out.
std::string wire_protocols(const std::vector<std::string>& names);

}  // namespace ballast::tls
