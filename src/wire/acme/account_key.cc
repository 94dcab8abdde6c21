#include "wire/acme/account_key.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "base/base64.h"
#include "base/check.h"

namespace ballast::acme {
namespace {

constexpr int number_bytes = 32;  // of P-256

// `parameter` of the key, as bytes in full length; empty: it has none such.
std::string number_of(const EVP_PKEY* key, const char* parameter) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, parameter, &number) != 1) return {};
  std::string bytes(number_bytes, '\0');
  const int size = BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), number_bytes);
  BN_free(number);
  return size == number_bytes ? bytes : std::string();
}

int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

std::string sha256(Bytes input) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  CHECK(EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string hmac_sha256(Bytes key, Bytes input) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest.data(), &size) != nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

Result<AccountKey> AccountKey::generate() {
  AccountKey made(tls::Owned<evp_pkey_st>(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")));
  if (made.key_ == nullptr) return fail(Code::Exhausted, "no account key could be made: " + tls::last_failure());
  if (Result<> read = made.read_public_half(); !read) return fail(std::move(read.error()));
  return made;
}

Result<AccountKey> AccountKey::from_pem(Bytes pem) {
  BIO* in = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  AccountKey made(tls::Owned<evp_pkey_st>(PEM_read_bio_PrivateKey(in, nullptr, no_passphrase, nullptr)));
  BIO_free(in);
  ERR_clear_error();
  if (made.key_ == nullptr) return fail(Code::Invalid, "the account's key cannot be read");
  if (Result<> read = made.read_public_half(); !read) return fail(std::move(read.error()));
  return made;
}

Result<> AccountKey::read_public_half() {
  char group[32] = {};
  std::size_t size = 0;
  const bool is_p256 =
      EVP_PKEY_get_utf8_string_param(key_.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), &size) == 1 &&
      std::string_view(group, size) == "prime256v1";
  const std::string x = is_p256 ? number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X) : std::string();
  const std::string y = is_p256 ? number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y) : std::string();
  ERR_clear_error();
  if (x.empty() || y.empty()) return fail(Code::Invalid, "the account's key is not an ECDSA key on P-256");
  jwk_ = fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})", encode_base64url(x), encode_base64url(y));
  return {};
}

std::string AccountKey::pem() const {
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(out, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(out);
  return text;
}

std::string AccountKey::thumbprint() const {
  return encode_base64url(sha256(jwk_));
}

Result<std::string> AccountKey::sign(Bytes input) const {
  const auto failed = [] { return fail(Code::System, "the account's key does not sign: " + tls::last_failure()); };
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::array<unsigned char, 128> der{};
  std::size_t size = der.size();
  const bool signed_it = EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
                         EVP_DigestSign(context, der.data(), &size,
                                        reinterpret_cast<const unsigned char*>(input.data()), input.size()) == 1;
  EVP_MD_CTX_free(context);
  if (!signed_it) return failed();
  const unsigned char* at = der.data();
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
  if (signature == nullptr) return failed();
  std::string bytes(std::size_t{2} * number_bytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  const bool fits = BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, number_bytes) == number_bytes &&
                    BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + number_bytes, number_bytes) == number_bytes;
  ECDSA_SIG_free(signature);
  if (!fits) return failed();
  return bytes;
}

}  // namespace ballast::acme
