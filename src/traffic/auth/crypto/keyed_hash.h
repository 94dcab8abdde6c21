// KeyedHash: HMAC-SHA-256 under a key that was drawn when it was made and is never written anywhere: what stands for a
// secret where the secret itself must not be kept.
//
// Immutable; any thread. Made by whoever keeps the results.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace ballast::traffic::auth {

using Digest = std::array<std::uint8_t, 32>;

class KeyedHash {
 public:
  KeyedHash();
  ~KeyedHash();
  KeyedHash(const KeyedHash&) = delete;
  Digest of(Bytes bytes) const;

 private:
  std::array<std::uint8_t, 32> key_;
};

// Overwrites what a secret stood in, also where the compiler thinks that nobody looks any more.
void wipe(void* bytes, std::size_t size);
// Whether both are the same, in a time that depends on their length alone.
bool equal_in_constant_time(Bytes left, Bytes right);

}  // namespace ballast::traffic::auth
