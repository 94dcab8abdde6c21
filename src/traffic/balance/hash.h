// Hashing for balancing: 64 bits from bytes by multiply and fold, the same in every worker, process and restart.
//
// Not for secrets and not against an adversary who may choose what is stored: here the peer chooses only the key that
// is looked up, never the set it is looked up in. Each use has its own seed, so that two uses of one key do not agree
// by accident. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace ballast::traffic {

// What a hash is for. The numbers are part of what a client's stickiness rests on: never renumber.
enum class HashPurpose : std::uint64_t {
  Key = 1,
  Identity = 2,
  Rendezvous = 3,
  MaglevStart = 4,
  MaglevStep = 5,
  Table = 6
};

// Both halves of the 128-bit product, folded: every input bit reaches every output bit.
inline std::uint64_t fold_multiply(std::uint64_t a, std::uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// A bijection of 64-bit numbers that looks random (the finalizer by D. Stafford, variant 13).
inline std::uint64_t scramble(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

inline std::uint64_t hash_number(HashPurpose purpose, std::uint64_t a, std::uint64_t b = 0) {
  const std::uint64_t seed = static_cast<std::uint64_t>(purpose) * 0x9e3779b97f4a7c15u;
  return scramble(scramble(a ^ seed) + 0x9e3779b97f4a7c15u * (b + 1));
}

// Assumes little-endian words, as every machine Ballast is built for has them.
inline std::uint64_t hash_bytes(HashPurpose purpose, Bytes bytes) {
  constexpr std::uint64_t k0 = 0xa0f4c3b1d2e59687u;
  constexpr std::uint64_t k1 = 0xe39b5c7fa1d84263u;
  std::uint64_t state = scramble(static_cast<std::uint64_t>(purpose) ^ k0) ^ bytes.size();
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  while (left >= 16) {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::memcpy(&low, at, 8);
    std::memcpy(&high, at + 8, 8);
    // The rotation of state keeps a zero factor from erasing what came before.
    state = fold_multiply(low ^ k1, high ^ state) + ((state << 27) | (state >> 37));
    at += 16;
    left -= 16;
  }
  std::uint64_t tail[2] = {0, 0};
  if (left != 0) std::memcpy(tail, at, left);
  state = fold_multiply(tail[0] ^ k1, tail[1] ^ state) + ((state << 27) | (state >> 37));
  return scramble(state);
}

}  // namespace ballast::traffic
