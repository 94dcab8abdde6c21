// SipHash-2-4: a 64-bit hash under a secret key, for tables whose keys a hostile client chooses: without the key nobody
// can aim at a place, or at the place of somebody else.
//
// Source: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF" (2012). Pure functions, any thread.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace ballast::traffic {

struct SipKey {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  static SipKey random();
};

std::uint64_t sip_hash(const SipKey& key, Bytes bytes);

}  // namespace ballast::traffic
