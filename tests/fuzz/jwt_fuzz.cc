// Fuzzes the verifier of tokens: whatever is signed with the right key and believed is what the policy asks for, and
// nothing that was not signed is believed. The input is a set of keys, a token as it stands, and, split at its first
// line's end, the head and the claims of a token that is signed here.
//
// The canary forgets that the clocks may differ.
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.h"
#include "require.h"
#include "traffic/auth/crypto/verify_key.h"
#include "traffic/auth/token.h"

namespace {

using namespace ballast;
using namespace ballast::traffic;
using ballast::fuzz::require;

constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";
constexpr int now_s = 100;
constexpr int leeway_s = 20;

std::string hmac(std::string_view bytes) {
  unsigned char mac[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), mac, &size);
  return {reinterpret_cast<const char*>(mac), size};
}

struct World {
  auth::KeySet keys{{{.id = "k", .algorithm = {}, .key = *auth::VerifyKey::secret(secret)}}};
  auth::TokenPolicy policy;
  std::chrono::system_clock::time_point now{std::chrono::seconds(now_s)};

  World() {
    config::JwtAuth settings;
    settings.algorithms = {config::TokenAlgorithm::Hs256};
    settings.audience = {"a"};
    settings.leeway = std::chrono::seconds(leeway_s);
    settings.headers = {{"sub", "X-User"}, {"g", "X-G"}};
    policy = *auth::TokenPolicy::compile(settings);
  }
};

void check_believed(const std::string& head, const std::string& claims, const auth::TokenClaims& said) {
  const auto top = nlohmann::json::parse(head, nullptr, false);
  const auto body = nlohmann::json::parse(claims, nullptr, false);
  require(top.is_object() && body.is_object(), "what is believed is two objects");
  require(top["alg"] == "HS256" && !top.contains("crit"), "the algorithm is the one that is allowed");
  require(!top.contains("kid") || top["kid"] == "k", "the key is the one that is named");
  require(body.contains("exp") && body["exp"].is_number(), "it says when it expires");
#ifdef BALLAST_CANARY
  require(body["exp"].get<double>() > now_s, "it has not expired");
#else
  require(body["exp"].get<double>() > now_s - leeway_s, "it has not expired");
#endif
  require(claims.find('a') != std::string::npos, "it is for this audience");
  for (const auth::HeaderValue& header : said.headers) {
    for (const char byte : header.value) {
      require(static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7f, "no header value has a control byte");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const World world;
  const std::string input(reinterpret_cast<const char*>(data), size);
  static_cast<void>(auth::KeySet::parse(input));
  require(!auth::verify(input, auth::KeySet(), world.policy, world.now).has_value(),
          "without keys nothing is believed");

  const std::size_t end = input.find('\n');
  if (end == std::string::npos) {
    static_cast<void>(auth::verify(input, world.keys, world.policy, world.now));
    return 0;
  }
  const std::string head = input.substr(0, end);
  const std::string claims = input.substr(end + 1);
  const std::string bytes = ballast::encode_base64url(head) + '.' + encode_base64url(claims);
  std::string signature = hmac(bytes);
  const auto said =
      auth::verify(bytes + '.' + ballast::encode_base64url(signature), world.keys, world.policy, world.now);
  if (!said) return 0;
  check_believed(head, claims, *said);
  signature[size % signature.size()] ^= static_cast<char>(1U << (size % 8));
  require(!auth::verify(bytes + '.' + ballast::encode_base64url(signature), world.keys, world.policy, world.now),
          "another signature is not believed");
  require(!auth::verify(bytes + '.', world.keys, world.policy, world.now), "nor none");
  return 0;
}
