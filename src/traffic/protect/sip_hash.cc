#include "traffic/protect/sip_hash.h"

#include <bit>
#include <cstring>

#include <openssl/rand.h>

#include "base/check.h"

namespace ballast::traffic {
namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void take(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

}  // namespace

SipKey SipKey::random() {
  SipKey key;
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&key), sizeof key) == 1);
  return key;
}

// Assumes little-endian words, as every machine Ballast is built for has them.
std::uint64_t sip_hash(const SipKey& key, Bytes bytes) {
  State state{.v0 = key.low ^ 0x736f6d6570736575u,
              .v1 = key.high ^ 0x646f72616e646f6du,
              .v2 = key.low ^ 0x6c7967656e657261u,
              .v3 = key.high ^ 0x7465646279746573u};
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    state.take(word);
  }
  std::uint64_t last = 0;
  if (left != 0) std::memcpy(&last, at, left);
  state.take(last | std::uint64_t{bytes.size() & 0xffU} << 56U);
  state.v2 ^= 0xffU;
  for (int i = 0; i < 4; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace ballast::traffic
