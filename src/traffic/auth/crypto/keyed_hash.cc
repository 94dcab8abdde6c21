#include "traffic/auth/crypto/keyed_hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/check.h"

namespace ballast::traffic::auth {

KeyedHash::KeyedHash() {
  CHECK(RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1);
}

KeyedHash::~KeyedHash() {
  wipe(key_.data(), key_.size());
}

Digest KeyedHash::of(Bytes bytes) const {
  Digest digest{};
  unsigned size = 0;
  CHECK(HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
             reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data(), &size) != nullptr);
  CHECK(size == digest.size());
  return digest;
}

void wipe(void* bytes, std::size_t size) {
  OPENSSL_cleanse(bytes, size);
}

bool equal_in_constant_time(Bytes left, Bytes right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace ballast::traffic::auth
