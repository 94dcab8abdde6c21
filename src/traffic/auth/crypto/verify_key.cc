#include "traffic/auth/crypto/verify_key.h"

#include <array>
#include <string>
#include <utility>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "traffic/auth/crypto/keyed_hash.h"

namespace ballast::traffic::auth {
namespace {

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* what) const {
    free(what);
  }
};
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Pkey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using ParamBuild = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;

const unsigned char* octets(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Number number_of(Bytes bytes) {
  return Number(BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr));
}

Pkey make_public(const char* type, OSSL_PARAM_BLD* build) {
  const Params params(OSSL_PARAM_BLD_to_param(build));
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  return Pkey(key);
}

bool is_whole(EVP_PKEY* key) {
  const PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const bool whole = context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
  ERR_clear_error();
  return whole;
}

const EVP_MD* digest_of(config::TokenAlgorithm algorithm) {
  using enum config::TokenAlgorithm;
  switch (algorithm) {
    case Rs384:
    case Es384:
      return EVP_sha384();
    case Rs512:
      return EVP_sha512();
    default:
      return EVP_sha256();
  }
}

// R and S side by side, as DER.
std::string der_of(Bytes signature) {
  const std::size_t half = signature.size() / 2;
  Number r = number_of(signature.substr(0, half));
  Number s = number_of(signature.substr(half));
  const Signature pair(ECDSA_SIG_new());
  if (pair == nullptr || r == nullptr || s == nullptr || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());  // the pair's now
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return {};
  std::string text(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}

}  // namespace

struct VerifyKey::Material {
  Pkey key;
  std::string secret;
};

VerifyKey::VerifyKey(Kind kind, std::unique_ptr<Material> material) : kind_(kind), material_(std::move(material)) {}

VerifyKey::~VerifyKey() {
  wipe(material_->secret.data(), material_->secret.size());
}

Result<std::shared_ptr<const VerifyKey>> VerifyKey::rsa(const RsaNumbers& numbers) {
  constexpr int bits_min = 2048;
  constexpr int bits_max = 8192;
  constexpr std::size_t exponent_bytes_max = 8;
  if (numbers.modulus.empty() || numbers.modulus.size() > bits_max / 8 + 1 || numbers.exponent.empty() ||
      numbers.exponent.size() > exponent_bytes_max) {
    return fail(Code::Invalid, "the RSA key's modulus or exponent is missing or too long");
  }
  const Number modulus = number_of(numbers.modulus);
  const Number exponent = number_of(numbers.exponent);
  const int bits = modulus != nullptr ? BN_num_bits(modulus.get()) : 0;
  if (bits < bits_min || bits > bits_max) return fail(Code::Invalid, "an RSA key must have 2,048 to 8,192 bits");
  if (!BN_is_odd(exponent.get()) || BN_is_one(exponent.get())) {
    return fail(Code::Invalid, "the RSA key's exponent is even or 1");
  }
  const ParamBuild build(OSSL_PARAM_BLD_new());
  if (build == nullptr || OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return fail(Code::Exhausted);
  }
  auto material = std::make_unique<Material>();
  material->key = make_public("RSA", build.get());
  if (material->key == nullptr) return fail(Code::Invalid, "the RSA key is not one");
  return std::shared_ptr<const VerifyKey>(new VerifyKey(Kind::Rsa, std::move(material)));
}

Result<std::shared_ptr<const VerifyKey>> VerifyKey::ec(const Point& point) {
  const bool small = point.curve == Curve::P256;
  const std::size_t size = small ? 32 : 48;
  if (point.x.size() != size || point.y.size() != size) {
    return fail(Code::Invalid, "the EC key's coordinates are not as long as its curve asks");
  }
  const std::string encoded = '\x04' + std::string(point.x) + std::string(point.y);
  const ParamBuild build(OSSL_PARAM_BLD_new());
  if (build == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(build.get(), OSSL_PKEY_PARAM_GROUP_NAME, small ? "P-256" : "P-384", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(build.get(), OSSL_PKEY_PARAM_PUB_KEY, encoded.data(), encoded.size()) != 1) {
    return fail(Code::Exhausted);
  }
  auto material = std::make_unique<Material>();
  material->key = make_public("EC", build.get());
  if (material->key == nullptr || !is_whole(material->key.get())) {
    return fail(Code::Invalid, "the EC key's point is not on its curve");
  }
  return std::shared_ptr<const VerifyKey>(new VerifyKey(small ? Kind::P256 : Kind::P384, std::move(material)));
}

Result<std::shared_ptr<const VerifyKey>> VerifyKey::secret(Bytes bytes) {
  constexpr std::size_t bytes_min = 32;
  if (bytes.size() < bytes_min) return fail(Code::Invalid, "a secret (oct) must have at least 32 bytes");
  auto material = std::make_unique<Material>();
  material->secret = bytes;
  return std::shared_ptr<const VerifyKey>(new VerifyKey(Kind::Secret, std::move(material)));
}

VerifyKey::Kind VerifyKey::kind_of(config::TokenAlgorithm algorithm) {
  using enum config::TokenAlgorithm;
  switch (algorithm) {
    case Es256:
      return Kind::P256;
    case Es384:
      return Kind::P384;
    case Hs256:
      return Kind::Secret;
    case Rs256:
    case Rs384:
    case Rs512:
    case Ps256:
      break;
  }
  return Kind::Rsa;
}

bool VerifyKey::suits(config::TokenAlgorithm algorithm) const {
  return kind_ == kind_of(algorithm);
}

bool VerifyKey::verifies(config::TokenAlgorithm algorithm, Bytes signed_bytes, Bytes signature) const {
  if (!suits(algorithm)) return false;
  if (kind_ == Kind::Secret) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
    unsigned size = 0;
    const std::string& key = material_->secret;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets(signed_bytes), signed_bytes.size(),
             mac.data(), &size) == nullptr) {
      return false;
    }
    return equal_in_constant_time(signature, {reinterpret_cast<const char*>(mac.data()), size});
  }
  std::string der;
  if (kind_ != Kind::Rsa) {
    if (signature.size() != (kind_ == Kind::P256 ? 64U : 96U)) return false;
    der = der_of(signature);
    if (der.empty()) return false;
    signature = der;
  }
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;  // the digest context's
  bool good = context != nullptr &&
              EVP_DigestVerifyInit(context.get(), &options, digest_of(algorithm), nullptr, material_->key.get()) == 1;
  if (good && algorithm == config::TokenAlgorithm::Ps256) {
    good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
  }
  good = good && EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(signed_bytes),
                                  signed_bytes.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace ballast::traffic::auth
