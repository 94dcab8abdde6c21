// The keys that a side of a TLS connection encrypts with, as the kernel wants them: derived from what the handshake
// left, beside the library, which does not give them away.
//
// nullopt: of a cipher that the kernel does not know, or the library would not.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "io/kernel_tls.h"

struct ssl_cipher_st;
struct ssl_st;

namespace ballast::tls {

// A traffic secret of TLS 1.3: 32 or 48 bytes, by the hash of the cipher.
struct TrafficSecret {
  std::array<unsigned char, 48> bytes{};
  std::uint8_t size = 0;
  Bytes view() const { return {reinterpret_cast<const char*>(bytes.data()), size}; }
};

// RFC 8446 7.1: HKDF-Expand-Label without a context, into all of `into`. `digest`: the library's name of it.
bool expand_label(const char* digest, Bytes secret, std::string_view label, std::span<unsigned char> into);
// RFC 8446 7.2: the secret after a KeyUpdate.
bool advance(TrafficSecret& secret);

// TLS 1.3 (RFC 8446 7.3). For the first record under that secret; `sequence` is the caller's.
std::optional<io::TlsSendingKey> sending_key(const ssl_cipher_st* cipher, const TrafficSecret& secret);
// TLS 1.2 (RFC 5246 6.3), of this side of a connection. With GCM the last 8 bytes of the iv are the caller's.
std::optional<io::TlsSendingKey> sending_key(const ssl_st* connection);

}  // namespace ballast::tls
