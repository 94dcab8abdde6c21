// Tokens made here with OpenSSL, judged by verify(): what is right, what is wrong, and the attacks that are known.
#include "traffic/auth/token.h"

#include <memory>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/base64.h"

namespace ballast::traffic::auth {
namespace {

using config::TokenAlgorithm;

constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";
constexpr std::int64_t now_s = 1'800'000'000;
const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(now_s));

// The keys of an issuer, with their private halves.
struct Issuer {
  EVP_PKEY* rsa = EVP_RSA_gen(2048);
  EVP_PKEY* p256 = EVP_EC_gen("P-256");
  EVP_PKEY* p384 = EVP_EC_gen("P-384");
};
const Issuer& issuer() {
  static const Issuer* const one = new Issuer;  // as long as the program
  return *one;
}

std::string number_of(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &number), 1);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return bytes;
}

std::string coordinate_of(EVP_PKEY* key, const char* name, std::size_t size) {
  const std::string bytes = number_of(key, name);
  return encode_base64url(std::string(size - bytes.size(), '\0') + bytes);
}

std::string rsa_jwk(std::string_view more = "") {
  EVP_PKEY* key = issuer().rsa;
  return fmt::format(R"({{"kty":"RSA","kid":"rsa"{},"n":"{}","e":"{}"}})", more,
                     encode_base64url(number_of(key, OSSL_PKEY_PARAM_RSA_N)),
                     encode_base64url(number_of(key, OSSL_PKEY_PARAM_RSA_E)));
}

std::string ec_jwk(EVP_PKEY* key, std::string_view curve, std::string_view id, std::size_t size) {
  return fmt::format(R"({{"kty":"EC","kid":"{}","crv":"{}","x":"{}","y":"{}"}})", id, curve,
                     coordinate_of(key, OSSL_PKEY_PARAM_EC_PUB_X, size),
                     coordinate_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, size));
}

std::string oct_jwk(std::string_view bytes = secret) {
  return fmt::format(R"({{"kty":"oct","kid":"secret","k":"{}"}})", encode_base64url(bytes));
}

std::string all_keys() {
  return fmt::format(R"({{"keys":[{},{},{},{},{{"kty":"OKP","crv":"Ed25519","x":"AA"}},{{"kty":"RSA","use":"enc"}}]}})",
                     rsa_jwk(), ec_jwk(issuer().p256, "P-256", "p256", 32), ec_jwk(issuer().p384, "P-384", "p384", 48),
                     oct_jwk());
}

KeySet keys_of(const std::string& text) {
  auto keys = KeySet::parse(text);
  if (!keys) ADD_FAILURE() << keys.error().text();
  return keys ? *keys : KeySet();
}

std::string sign_with(EVP_PKEY* key, const EVP_MD* digest, bool pss, std::string_view bytes) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* options = nullptr;
  EXPECT_EQ(EVP_DigestSignInit(context, &options, digest, nullptr, key), 1);
  if (pss) {
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
  }
  std::size_t size = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  EXPECT_EQ(EVP_DigestSign(context, nullptr, &size, data, bytes.size()), 1);
  std::string signature(size, '\0');
  EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, data, bytes.size()), 1);
  EVP_MD_CTX_free(context);
  signature.resize(size);
  return signature;
}

// R and S side by side, from OpenSSL's DER.
std::string raw_of(const std::string& der, int half) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  std::string raw(static_cast<std::size_t>(half) * 2, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, half);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + half, half);
  ECDSA_SIG_free(pair);
  return raw;
}

std::string hmac(std::string_view key, std::string_view bytes) {
  unsigned char mac[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
       bytes.size(), mac, &size);
  return {reinterpret_cast<const char*>(mac), size};
}

std::string sign(std::string_view algorithm, const std::string& bytes) {
  if (algorithm == "RS256") return sign_with(issuer().rsa, EVP_sha256(), false, bytes);
  if (algorithm == "RS384") return sign_with(issuer().rsa, EVP_sha384(), false, bytes);
  if (algorithm == "RS512") return sign_with(issuer().rsa, EVP_sha512(), false, bytes);
  if (algorithm == "PS256") return sign_with(issuer().rsa, EVP_sha256(), true, bytes);
  if (algorithm == "ES256") return raw_of(sign_with(issuer().p256, EVP_sha256(), false, bytes), 32);
  if (algorithm == "ES384") return raw_of(sign_with(issuer().p384, EVP_sha384(), false, bytes), 48);
  return hmac(secret, bytes);
}

std::string token_of(const std::string& head, const std::string& claims, std::string_view algorithm) {
  const std::string bytes = encode_base64url(head) + '.' + encode_base64url(claims);
  return bytes + '.' + encode_base64url(sign(algorithm, bytes));
}

std::string good_claims(std::string_view more = "") {
  return fmt::format(R"({{"sub":"ann","iss":"me","aud":"shop","exp":{}{}}})", now_s + 60, more);
}

std::string hs_token(const std::string& claims) {
  return token_of(R"({"alg":"HS256","kid":"secret"})", claims, "HS256");
}

TokenPolicy policy_of(config::JwtAuth settings = {}) {
  if (settings.algorithms.empty()) {
    using enum TokenAlgorithm;
    settings.algorithms = {Rs256, Rs384, Rs512, Ps256, Es256, Es384, Hs256};
  }
  auto policy = TokenPolicy::compile(settings);
  EXPECT_TRUE(policy.has_value());
  return *policy;
}

// "ok", or the fault.
std::string judged(const std::string& token, const KeySet& keys, const TokenPolicy& policy = policy_of()) {
  const auto claims = verify(token, keys, policy, now);
  return claims ? "ok" : std::string(to_string(claims.error()));
}

TEST(Token, OfEveryAlgorithmIsTakenWhereItIsAllowed) {
  const KeySet keys = keys_of(all_keys());
  EXPECT_EQ(keys.keys().size(), 4U);
  const std::pair<const char*, const char*> algorithms[] = {{"RS256", "rsa"},   {"RS384", "rsa"},  {"RS512", "rsa"},
                                                            {"PS256", "rsa"},   {"ES256", "p256"}, {"ES384", "p384"},
                                                            {"HS256", "secret"}};
  for (const auto& [algorithm, id] : algorithms) {
    const std::string token =
        token_of(fmt::format(R"({{"alg":"{}","typ":"JWT","kid":"{}"}})", algorithm, id), good_claims(), algorithm);
    EXPECT_EQ(judged(token, keys), "ok") << algorithm;
    // Without a kid every key that suits is tried.
    EXPECT_EQ(judged(token_of(fmt::format(R"({{"alg":"{}"}})", algorithm), good_claims(), algorithm), keys), "ok")
        << algorithm;
    // Not allowed by name.
    for (const auto& [other, other_id] : algorithms) {
      if (std::string_view(other) == algorithm) continue;
      config::JwtAuth settings;
      settings.algorithms = {*algorithm_of(other)};
      EXPECT_EQ(judged(token, keys, policy_of(settings)), "bad_algorithm") << algorithm << " where only " << other;
    }
    // Every bit of it counts.
    for (std::size_t i = 0; i < token.size(); i += 7) {
      std::string changed = token;
      changed[i] = changed[i] == 'A' ? 'B' : 'A';
      if (changed[i] == token[i]) continue;
      EXPECT_NE(judged(changed, keys), "ok") << algorithm << " with another byte at " << i;
    }
  }
}

TEST(Token, IsRefusedCutAnywhere) {
  const KeySet keys = keys_of(all_keys());
  const std::string token = hs_token(good_claims());
  ASSERT_EQ(judged(token, keys), "ok");
  for (std::size_t size = 0; size < token.size(); ++size) EXPECT_NE(judged(token.substr(0, size), keys), "ok") << size;
  for (std::size_t at = 1; at < token.size(); ++at) EXPECT_NE(judged(token.substr(at), keys), "ok") << at;
}

TEST(Token, KnownAttacksFail) {
  const KeySet keys = keys_of(all_keys());
  const std::string claims = encode_base64url(good_claims());
  const auto with_head = [&](const std::string& head, std::string_view signature) {
    return encode_base64url(head) + '.' + claims + '.' + encode_base64url(signature);
  };
  // CVE-2015-9235 and its kin: no algorithm at all.
  for (const char* none : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string head = fmt::format(R"({{"alg":"{}","kid":"rsa"}})", none);
    EXPECT_EQ(judged(with_head(head, ""), keys), "bad_algorithm") << none;
    EXPECT_EQ(judged(with_head(head, "x"), keys), "bad_algorithm") << none;
  }
  // A public key as the secret of an HMAC, in each of the forms in which it is handed around.
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(out, issuer().rsa);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  const std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(out);
  const std::string modulus = number_of(issuer().rsa, OSSL_PKEY_PARAM_RSA_N);
  const KeySet rsa_only = keys_of(fmt::format(R"({{"keys":[{}]}})", rsa_jwk()));
  for (const std::string& as_secret : {pem, modulus, encode_base64url(modulus), rsa_jwk()}) {
    for (const char* id : {R"(,"kid":"rsa")", ""}) {
      const std::string head = fmt::format(R"({{"alg":"HS256"{}}})", id);
      const std::string bytes = encode_base64url(head) + '.' + claims;
      EXPECT_EQ(judged(bytes + '.' + encode_base64url(hmac(as_secret, bytes)), rsa_only), "bad_algorithm");
    }
  }
  // The token brings its own key, or says where to fetch it.
  EVP_PKEY* stranger = EVP_EC_gen("P-256");
  for (const std::string& head :
       {fmt::format(R"({{"alg":"ES256","kid":"p256","jwk":{}}})", ec_jwk(stranger, "P-256", "p256", 32)),
        std::string(R"({"alg":"ES256","kid":"p256","jku":"http://evil.test/keys","x5u":"http://evil.test/"})")}) {
    const std::string bytes = encode_base64url(head) + '.' + claims;
    const std::string signature = raw_of(sign_with(stranger, EVP_sha256(), false, bytes), 32);
    EXPECT_EQ(judged(bytes + '.' + encode_base64url(signature), keys), "bad_signature");
  }
  EVP_PKEY_free(stranger);
  // CVE-2022-21449: r and s of zero.
  EXPECT_EQ(judged(with_head(R"({"alg":"ES256","kid":"p256"})", std::string(64, '\0')), keys), "bad_signature");
  EXPECT_EQ(judged(with_head(R"({"alg":"ES256","kid":"p256"})", ""), keys), "bad_signature");
  // DER where R and S stand side by side.
  const std::string head = R"({"alg":"ES256","kid":"p256"})";
  const std::string bytes = encode_base64url(head) + '.' + claims;
  EXPECT_EQ(judged(bytes + '.' + encode_base64url(sign_with(issuer().p256, EVP_sha256(), false, bytes)), keys),
            "bad_signature");
  // Extensions that would have to be understood.
  EXPECT_EQ(
      judged(token_of(R"({"alg":"HS256","kid":"secret","crit":["b64"],"b64":false})", good_claims(), "HS256"), keys),
      "malformed");
  // A kid is a name in the set, and nothing else.
  for (const char* id : {"../../etc/passwd", "x' UNION SELECT 'key", "", "\\u0000"}) {
    EXPECT_EQ(judged(token_of(fmt::format(R"({{"alg":"HS256","kid":"{}"}})", id), good_claims(), "HS256"), keys),
              "unknown_key");
  }
  EXPECT_EQ(judged(token_of(R"({"alg":"HS256","kid":["secret"]})", good_claims(), "HS256"), keys), "malformed");
  // A key of another kind under the name.
  EXPECT_EQ(judged(token_of(R"({"alg":"HS256","kid":"rsa"})", good_claims(), "HS256"), keys), "bad_algorithm");
}

TEST(Token, HasOneReading) {
  const KeySet keys = keys_of(all_keys());
  const std::string head = R"({"alg":"HS256","kid":"secret"})";
  const struct {
    std::string head;
    std::string claims;
  } odd[] = {
      {R"({"alg":"none","alg":"HS256","kid":"secret"})", good_claims()},
      {head, R"({"exp":1900000000,"sub":"ann","sub":"root"})"},
      {head, R"({"exp":1900000000,"a":{"b":1,"b":2}})"},
      {head, R"([{"exp":1900000000}])"},
      {head, R"("exp")"},
      {head, "null"},
      {head, ""},
      {head, R"({"exp":1900000000} )"
             "x"},
      {head, R"({"exp":"1900000000"})"},
      {head, R"({"exp":true})"},
      {head, R"({"exp":1e999})"},
      {head, R"({"exp":NaN})"},
      {head, R"({"exp":1900000000,"nbf":"soon"})"},
      {head, "{\"exp\":1900000000,\"sub\":\"\xff\xfe\"}"},
      {head, R"({"exp":1900000000,"a":)" + std::string(100, '[') + std::string(100, ']') + "}"},
      {R"({"kid":"secret"})", good_claims()},
      {R"({"alg":256,"kid":"secret"})", good_claims()},
      {"HS256", good_claims()},
  };
  for (const auto& each : odd) {
    EXPECT_EQ(judged(token_of(each.head, each.claims, "HS256"), keys), "malformed") << each.head << each.claims;
  }
  const std::string good = hs_token(good_claims());
  for (const std::string& changed : {good + ".", "." + good, good + "=", good + " ", " " + good, good + ".e30",
                                     std::string(token_bytes_max + 1, 'a'), std::string(".."), std::string("")}) {
    EXPECT_NE(judged(changed, keys), "ok") << changed.substr(0, 40);
  }
}

TEST(Token, TimesAreComparedWithLeeway) {
  const KeySet keys = keys_of(all_keys());
  config::JwtAuth strict;
  strict.leeway = std::chrono::seconds(0);
  config::JwtAuth lenient;
  lenient.leeway = std::chrono::seconds(10);
  config::JwtAuth timeless = strict;
  timeless.require_expiry = false;
  const struct {
    std::string claims;
    std::string strict;
    std::string lenient;
  } cases[] = {
      {fmt::format(R"({{"exp":{}}})", now_s + 1), "ok", "ok"},
      {fmt::format(R"({{"exp":{}}})", now_s), "expired", "ok"},
      {fmt::format(R"({{"exp":{}}})", now_s - 9), "expired", "ok"},
      {fmt::format(R"({{"exp":{}}})", now_s - 10), "expired", "expired"},
      {fmt::format(R"({{"exp":{}.5}})", now_s), "ok", "ok"},
      {R"({"exp":0})", "expired", "expired"},
      {R"({"exp":-1})", "expired", "expired"},
      {R"({})", "no_expiry", "no_expiry"},
      {good_claims(fmt::format(",\"nbf\":{}", now_s)), "ok", "ok"},
      {good_claims(fmt::format(",\"nbf\":{}", now_s + 1)), "not_yet_valid", "ok"},
      {good_claims(fmt::format(",\"nbf\":{}", now_s + 11)), "not_yet_valid", "not_yet_valid"},
      {good_claims(fmt::format(",\"iat\":{}", now_s + 1)), "from_the_future", "ok"},
      {good_claims(fmt::format(",\"iat\":{}", now_s + 11)), "from_the_future", "from_the_future"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(judged(hs_token(each.claims), keys, policy_of(strict)), each.strict) << each.claims;
    EXPECT_EQ(judged(hs_token(each.claims), keys, policy_of(lenient)), each.lenient) << each.claims;
  }
  EXPECT_EQ(judged(hs_token("{}"), keys, policy_of(timeless)), "ok");
}

TEST(Token, IssuerAudienceAndClaims) {
  const KeySet keys = keys_of(all_keys());
  const auto plain = [](std::string text) { return config::Pattern{.text = std::move(text)}; };
  const struct {
    config::JwtAuth settings;
    std::string more;
    std::string verdict;
  } cases[] = {
      {{.issuer = {"you", "me"}}, "", "ok"},
      {{.issuer = {"you"}}, "", "wrong_issuer"},
      {{.issuer = {"m"}}, "", "wrong_issuer"},
      {{.audience = {"shop"}}, "", "ok"},
      {{.audience = {"sho", "shopping"}}, "", "wrong_audience"},
      {{.require = {{"groups", plain("admin")}}}, R"(,"groups":["user","admin"])", "ok"},
      {{.require = {{"groups", plain("admin")}}}, R"(,"groups":["user","administrator"])", "missing_claim"},
      {{.require = {{"groups", plain("admin")}}}, R"(,"groups":"admin")", "ok"},
      {{.require = {{"groups", plain("admin")}}}, R"(,"groups":{"admin":true})", "missing_claim"},
      {{.require = {{"groups", plain("admin")}}}, R"(,"groups":null)", "missing_claim"},
      {{.require = {{"groups", plain("admin")}}}, "", "missing_claim"},
      {{.require = {{"groups", plain("null")}}}, R"(,"groups":[null])", "missing_claim"},
      {{.require = {{"scope", plain("write")}}}, R"(,"scope":"read write")", "ok"},
      {{.require = {{"scope", plain("write")}}}, R"(,"scope":"read writer")", "missing_claim"},
      {{.require = {{"level", plain("3")}}}, R"(,"level":3)", "ok"},
      {{.require = {{"verified", plain("true")}}}, R"(,"verified":true)", "ok"},
      {{.require = {{"a", plain("*")}, {"b", plain("*")}}}, R"(,"a":1)", "missing_claim"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(judged(hs_token(good_claims(each.more)), keys, policy_of(each.settings)), each.verdict) << each.more;
  }
  config::JwtAuth shop;
  shop.audience = {"shop"};
  EXPECT_EQ(judged(hs_token(fmt::format(R"({{"exp":{},"aud":["a","shop"]}})", now_s + 9)), keys, policy_of(shop)),
            "ok");
  EXPECT_EQ(judged(hs_token(fmt::format(R"({{"exp":{}}})", now_s + 9)), keys, policy_of(shop)), "wrong_audience");
}

TEST(Token, ClaimsBecomeHeaders) {
  const KeySet keys = keys_of(all_keys());
  config::JwtAuth settings;
  settings.headers = {{"sub", "X-User"}, {"groups", "X-Groups"}, {"level", "X-Level"}, {"o", "X-O"}, {"no", "X-No"}};
  settings.user_claim = "email";
  const auto said = verify(hs_token(good_claims(R"(,"groups":["a","b"],"level":7,"o":{"k":"ä"},"email":"a@b")")), keys,
                           policy_of(settings), now);
  ASSERT_TRUE(said.has_value());
  EXPECT_EQ(said->user, "a@b");
  const std::vector<HeaderValue> headers{
      {"X-User", "ann"}, {"X-Groups", "a,b"}, {"X-Level", "7"}, {"X-O", R"({"k":"\u00e4"})"}};
  EXPECT_EQ(said->headers, headers);
  for (const char* more :
       {R"(,"groups":["a,admin"])", R"(,"groups":"a\r\nX-Admin: 1")", R"(,"groups":"\u0000")", R"(,"groups":" a")"}) {
    EXPECT_EQ(judged(hs_token(good_claims(more)), keys, policy_of(settings)), "unusable_claim") << more;
  }
}

TEST(Keys, WhatIsWrongWithASetIsTold) {
  const std::string short_rsa = encode_base64url(std::string(128, '\xff'));
  const std::string off_curve = encode_base64url(std::string(32, '\x01'));
  const struct {
    std::string text;
    std::string error;
  } cases[] = {
      {"", "it is not a JSON object of keys"},
      {"[]", "it is not a JSON object of keys"},
      {"{}", "it has no list \"keys\""},
      {R"({"keys":{}})", "it has no list \"keys\""},
      {R"({"keys":[]})", "it holds no key that signatures can be checked with"},
      {R"({"keys":[1]})", "key 1 is not an object"},
      {R"({"keys":[],"keys":[]})", "it is not a JSON object of keys"},
      {R"({"keys":[{"kty":"oct","kid":"a","k":"c2hvcnQ"}]})",
       "key 1 (\"a\"): a secret (oct) must have at least 32 bytes"},
      {R"({"keys":[{"kty":"oct"}]})", "key 1 (\"\"): it has no k"},
      {R"({"keys":[{"kty":"oct","k":"a b"}]})", "key 1 (\"\"): k is not base64url"},
      {fmt::format(R"({{"keys":[{{"kty":"RSA","n":"{}","e":"AQAB"}}]}})", short_rsa),
       "key 1 (\"\"): an RSA key must have 2,048 to 8,192 bits"},
      {fmt::format(R"({{"keys":[{{"kty":"RSA","n":"{}","e":"AQ"}}]}})", encode_base64url(std::string(256, '\xff'))),
       "key 1 (\"\"): the RSA key's exponent is even or 1"},
      {fmt::format(R"({{"keys":[{{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}"}}]}})", off_curve),
       "key 1 (\"\"): the EC key's point is not on its curve"},
      {fmt::format(R"({{"keys":[{{"kty":"EC","crv":"P-384","x":"{0}","y":"{0}"}}]}})", off_curve),
       "key 1 (\"\"): the EC key's coordinates are not as long as its curve asks"},
      {fmt::format(R"({{"keys":[{}]}})", rsa_jwk(R"(,"alg":"ES256")")),
       "key 1 (\"rsa\"): its alg ES256 is not one of its kind"},
      {fmt::format(R"({{"keys":[{}]}})", rsa_jwk(R"(,"use":"enc")")),
       "it holds no key that signatures can be checked with"},
      {fmt::format(R"({{"keys":[{}]}})", rsa_jwk(R"(,"key_ops":["encrypt"])")),
       "it holds no key that signatures can be checked with"},
  };
  for (const auto& each : cases) {
    const auto keys = KeySet::parse(each.text);
    ASSERT_FALSE(keys.has_value()) << each.text;
    EXPECT_EQ(keys.error().text(), each.error) << each.text;
  }
  const std::string whole = all_keys();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(KeySet::parse(whole.substr(0, size)).has_value()) << size;
  }
}

TEST(Keys, AlgOfAKeyIsItsOnlyUse) {
  const KeySet keys = keys_of(fmt::format(R"({{"keys":[{}]}})", rsa_jwk(R"(,"alg":"RS512")")));
  EXPECT_EQ(judged(token_of(R"({"alg":"RS512","kid":"rsa"})", good_claims(), "RS512"), keys), "ok");
  EXPECT_EQ(judged(token_of(R"({"alg":"RS256","kid":"rsa"})", good_claims(), "RS256"), keys), "bad_algorithm");
}

}  // namespace
}  // namespace ballast::traffic::auth
