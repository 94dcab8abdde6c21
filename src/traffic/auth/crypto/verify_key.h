// VerifyKey: a key that signatures of tokens are checked with, and what it may be used for: its kind is fixed when it
// is made, so that a public key can never serve as the secret of an HMAC.
//
// Immutable; any thread (OpenSSL's keys are counted and read-only here). Source: RFC 7518.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "config/settings.h"

namespace ballast::traffic::auth {

class VerifyKey {
 public:
  enum class Curve : std::uint8_t { P256, P384 };
  struct RsaNumbers {  // big-endian
    Bytes modulus;
    Bytes exponent;
  };
  struct Point {  // big-endian, each as long as the curve's field
    Curve curve = Curve::P256;
    Bytes x;
    Bytes y;
  };
  // 2,048 to 8,192 bits: less can be broken, more takes a worker too long.
  static Result<std::shared_ptr<const VerifyKey>> rsa(const RsaNumbers& numbers);
  // Refused where the point is not on its curve.
  static Result<std::shared_ptr<const VerifyKey>> ec(const Point& point);
  // 32 bytes and more (RFC 7518 3.2).
  static Result<std::shared_ptr<const VerifyKey>> secret(Bytes bytes);

  VerifyKey(const VerifyKey&) = delete;
  ~VerifyKey();

  // Whether a signature of this algorithm can be one of this key's at all.
  bool suits(config::TokenAlgorithm algorithm) const;
  // False also where it does not suit. EC signatures are R and S, each as long as the field.
  bool verifies(config::TokenAlgorithm algorithm, Bytes signed_bytes, Bytes signature) const;

 private:
  struct Material;
  enum class Kind : std::uint8_t { Rsa, P256, P384, Secret };
  VerifyKey(Kind kind, std::unique_ptr<Material> material);
  static Kind kind_of(config::TokenAlgorithm algorithm);

  Kind kind_;
  std::unique_ptr<Material> material_;
};

}  // namespace ballast::traffic::auth
