#include "traffic/auth/key_set.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/json.h"
#include "config/words.h"
#include "traffic/auth/json_strict.h"

namespace ballast::traffic::auth {
namespace {

using nlohmann::json;

Result<std::string> bytes_of(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return fail(Code::Malformed, fmt::format("it has no {}", name));
  auto bytes = decode_base64url(found->get<std::string>());
  if (!bytes) return fail(Code::Malformed, fmt::format("{} is not base64url", name));
  return std::move(*bytes);
}

// Whether it is meant for signatures (RFC 7517 4.2, 4.3).
bool is_for_verifying(const json& key) {
  const std::string use = json_text(key, "use");
  if (!use.empty() && use != "sig") return false;
  const auto operations = key.find("key_ops");
  return operations == key.end() || !operations->is_array() ||
         std::find(operations->begin(), operations->end(), "verify") != operations->end();
}

Result<std::shared_ptr<const VerifyKey>> material_of(const json& key) {
  const std::string kind = json_text(key, "kty");
  if (kind == "RSA") {
    auto modulus = bytes_of(key, "n");
    auto exponent = bytes_of(key, "e");
    if (!modulus) return fail(modulus.error());
    if (!exponent) return fail(exponent.error());
    return VerifyKey::rsa({.modulus = *modulus, .exponent = *exponent});
  }
  if (kind == "EC") {
    const std::string curve = json_text(key, "crv");
    if (curve != "P-256" && curve != "P-384") return nullptr;
    auto x = bytes_of(key, "x");
    auto y = bytes_of(key, "y");
    if (!x) return fail(x.error());
    if (!y) return fail(y.error());
    return VerifyKey::ec(
        {.curve = curve == "P-256" ? VerifyKey::Curve::P256 : VerifyKey::Curve::P384, .x = *x, .y = *y});
  }
  if (kind == "oct") {
    auto secret = bytes_of(key, "k");
    if (!secret) return fail(secret.error());
    return VerifyKey::secret(*secret);
  }
  return nullptr;
}

}  // namespace

std::optional<config::TokenAlgorithm> algorithm_of(Bytes name) {
  using enum config::TokenAlgorithm;
  constexpr std::array<std::pair<Bytes, config::TokenAlgorithm>, 7> known{{{"RS256", Rs256},
                                                                           {"RS384", Rs384},
                                                                           {"RS512", Rs512},
                                                                           {"PS256", Ps256},
                                                                           {"ES256", Es256},
                                                                           {"ES384", Es384},
                                                                           {"HS256", Hs256}}};
  const auto found = std::find_if(known.begin(), known.end(), [&](const auto& each) { return each.first == name; });
  return found != known.end() ? std::optional(found->second) : std::nullopt;
}

Result<KeySet> KeySet::parse(Bytes text) {
  if (text.size() > key_set_bytes_max) return fail(Code::TooLarge, "the set of keys is over 256 KiB");
  if (!is_strict_object(text)) return fail(Code::Malformed, "it is not a JSON object of keys");
  const json document = json::parse(text, nullptr, false);
  const auto list = document.find("keys");
  if (list == document.end() || !list->is_array()) return fail(Code::Malformed, "it has no list \"keys\"");
  if (list->size() > keys_max) {
    return fail(Code::TooLarge, fmt::format("{} keys are too many; at most {}", list->size(), keys_max));
  }
  std::vector<NamedKey> keys;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const json& each = (*list)[i];
    if (!each.is_object()) return fail(Code::Malformed, fmt::format("key {} is not an object", i + 1));
    if (!is_for_verifying(each)) continue;
    const std::string algorithm = json_text(each, "alg");
    const auto known = algorithm_of(algorithm);
    if (!algorithm.empty() && !known) continue;
    auto material = material_of(each);
    if (!material) {
      return fail(material.error().code(), fmt::format("key {} ({}): {}", i + 1, config::quote(json_text(each, "kid")),
                                                       material.error().text()));
    }
    if (*material == nullptr) continue;
    if (known && !(*material)->suits(*known)) {
      return fail(Code::Invalid, fmt::format("key {} ({}): its alg {} is not one of its kind", i + 1,
                                             config::quote(json_text(each, "kid")), algorithm));
    }
    keys.push_back({.id = json_text(each, "kid"), .algorithm = known, .key = std::move(*material)});
  }
  if (keys.empty()) return fail(Code::Invalid, "it holds no key that signatures can be checked with");
  return KeySet(std::move(keys));
}

Result<> check_key_set(const std::string& text) {
  const auto keys = KeySet::parse(text);
  if (!keys) return fail(keys.error());
  return {};
}

}  // namespace ballast::traffic::auth
