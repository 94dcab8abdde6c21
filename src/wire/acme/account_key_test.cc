// Keys and envelopes against the examples of the RFCs, and against OpenSSL.
#include "wire/acme/account_key.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/base64.h"
#include "wire/acme/jws.h"

namespace ballast::acme {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string decoded(const std::string& text) {
  const auto bytes = decode_base64url(text);
  EXPECT_TRUE(bytes.has_value()) << text;
  return bytes.value_or("");
}

// A key on P-256 from its numbers.
tls::Owned<evp_pkey_st> key_of(const std::string& x, const std::string& y, const std::string& d) {
  const std::string point = "\x04" + x + y;
  OSSL_PARAM_BLD* build = OSSL_PARAM_BLD_new();
  BIGNUM* secret =
      d.empty() ? nullptr : BN_bin2bn(reinterpret_cast<const unsigned char*>(d.data()), int(d.size()), nullptr);
  OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  if (secret != nullptr) OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret);
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  EXPECT_EQ(EVP_PKEY_fromdata(context, &key, secret != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, parameters),
            1);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(build);
  BN_free(secret);
  return tls::Owned<evp_pkey_st>(key);
}

std::string pem_of(EVP_PKEY* key) {
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(out);
  return text;
}

// By OpenSSL, of the two numbers as JWS has them.
bool verifies(const std::string& jwk, const std::string& input, const std::string& signature) {
  if (signature.size() != 64) return false;
  const json numbers = json::parse(jwk);
  const auto key = key_of(decoded(numbers["x"]), decoded(numbers["y"]), "");
  ECDSA_SIG* pair = ECDSA_SIG_new();
  const auto* bytes = reinterpret_cast<const unsigned char*>(signature.data());
  ECDSA_SIG_set0(pair, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair, &der);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key.get());
  const int good = EVP_DigestVerify(context, der, static_cast<std::size_t>(size),
                                    reinterpret_cast<const unsigned char*>(input.data()), input.size());
  EVP_MD_CTX_free(context);
  OPENSSL_free(der);
  ECDSA_SIG_free(pair);
  return good == 1;
}

// RFC 7515 A.3.
constexpr const char* x_of_rfc = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
constexpr const char* y_of_rfc = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
constexpr const char* d_of_rfc = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

TEST(AccountKey, IsTheJwkOfTheRfcAndSignsWhatOthersVerify) {
  const auto key = AccountKey::from_pem(pem_of(key_of(decoded(x_of_rfc), decoded(y_of_rfc), decoded(d_of_rfc)).get()));
  ASSERT_TRUE(key.has_value()) << key.error().text();
  EXPECT_EQ(key->jwk(), std::string(R"({"crv":"P-256","kty":"EC","x":")") + x_of_rfc + R"(","y":")" + y_of_rfc + "\"}");
  const auto again = AccountKey::from_pem(key->pem());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->jwk(), key->jwk());
  const auto signature = key->sign("input");
  ASSERT_TRUE(signature.has_value());
  EXPECT_TRUE(verifies(key->jwk(), "input", *signature));
  EXPECT_FALSE(verifies(key->jwk(), "Input", *signature));
  // The RFC's own signature, by our reading of numbers.
  EXPECT_TRUE(
      verifies(key->jwk(),
               "eyJhbGciOiJFUzI1NiJ9."
               "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
               decoded("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")));
}

// Numbers with a zero in front keep their length: one key in 128 has one, and would otherwise be another key's.
TEST(AccountKey, NumbersKeepTheirLength) {
  for (int i = 0; i < 600; ++i) {
    const auto key = AccountKey::generate();
    ASSERT_TRUE(key.has_value());
    const json numbers = json::parse(key->jwk());
    ASSERT_EQ(numbers["x"].get<std::string>().size(), 43U);
    ASSERT_EQ(numbers["y"].get<std::string>().size(), 43U);
    ASSERT_EQ(key->sign("x")->size(), 64U);
  }
}

TEST(AccountKey, OthersAreRefused) {
  const tls::Owned<evp_pkey_st> other(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
  const tls::Owned<evp_pkey_st> rsa(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
  for (const std::string& pem : {pem_of(other.get()), pem_of(rsa.get()), std::string(), std::string("x")}) {
    EXPECT_FALSE(AccountKey::from_pem(pem).has_value());
  }
}

TEST(Digests, AreThoseOfTheRfcs) {
  // RFC 7638 3.1.
  EXPECT_EQ(
      encode_base64url(sha256(
          R"({"e":"AQAB","kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"})")),
      "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  // RFC 7515 A.1.
  const std::string key =
      decoded("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  EXPECT_EQ(encode_base64url(hmac_sha256(
                key,
                "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ")),
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

TEST(Jws, SaysWhoAndWhatAndIsSignedOverBoth) {
  const auto key = AccountKey::generate();
  ASSERT_TRUE(key.has_value());
  for (const std::string& account : {std::string(), std::string("https://ca/acct/1")}) {
    const auto text = sign_jws(*key, {.url = "https://ca/new", .nonce = "n-1", .key_id = account}, R"({"a":1})");
    ASSERT_TRUE(text.has_value());
    const json envelope = json::parse(*text);
    const json head = json::parse(decoded(envelope["protected"]));
    EXPECT_EQ(head["alg"], "ES256");
    EXPECT_EQ(head["nonce"], "n-1");
    EXPECT_EQ(head["url"], "https://ca/new");
    EXPECT_EQ(head.contains("jwk"), account.empty());
    EXPECT_EQ(head.contains("kid"), !account.empty());
    EXPECT_EQ(decoded(envelope["payload"]), R"({"a":1})");
    EXPECT_TRUE(verifies(key->jwk(),
                         envelope["protected"].get<std::string>() + "." + envelope["payload"].get<std::string>(),
                         decoded(envelope["signature"])));
  }
  // POST-as-GET has no payload at all, not an empty object.
  EXPECT_EQ(json::parse(*sign_jws(*key, {.url = "u", .nonce = "n", .key_id = "k"}, ""))["payload"], "");
  // What an authority sends as a nonce is not believed to be text.
  EXPECT_TRUE(sign_jws(*key, {.url = "u", .nonce = "\xff\xfe", .key_id = "k"}, "").has_value());
}

TEST(Jws, AnExternalAccountIsBoundToTheKey) {
  const auto key = AccountKey::generate();
  ASSERT_TRUE(key.has_value());
  const std::string secret(32, 's');
  const json envelope = json::parse(bind_account({.key_id = "kid-1", .hmac_key = secret}, *key, "https://ca/new"));
  const json head = json::parse(decoded(envelope["protected"]));
  EXPECT_EQ(head, json({{"alg", "HS256"}, {"kid", "kid-1"}, {"url", "https://ca/new"}}));
  EXPECT_EQ(json::parse(decoded(envelope["payload"])), json::parse(key->jwk()));
  EXPECT_EQ(decoded(envelope["signature"]), hmac_sha256(secret, envelope["protected"].get<std::string>() + "." +
                                                                    envelope["payload"].get<std::string>()));
  EXPECT_EQ(key_authorization("token", *key), "token." + key->thumbprint());
}

}  // namespace
}  // namespace ballast::acme
