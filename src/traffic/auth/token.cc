#include "traffic/auth/token.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "traffic/auth/json_strict.h"

namespace ballast::traffic::auth {
namespace {

using nlohmann::json;
using Fault = std::unexpected<TokenFault>;

// A token without a `kid` is tried with so many keys; each try costs up to half a millisecond.
constexpr int tries_max = 4;
constexpr std::size_t header_value_bytes_max = 4096;
constexpr std::size_t user_bytes_max = 256;  // of what the log shows

struct Row {
  std::string_view name;
  std::string_view words;
};
constexpr std::array<Row, static_cast<std::size_t>(TokenFault::MissingClaim) + 1> rows{{
    {"malformed", "The token is not a signed token."},
    {"bad_algorithm", "The token's algorithm is not allowed."},
    {"unknown_key", "The token was signed with an unknown key."},
    {"bad_signature", "The token's signature is wrong."},
    {"no_expiry", "The token does not say when it expires."},
    {"expired", "The token has expired."},
    {"not_yet_valid", "The token is not valid yet."},
    {"from_the_future", "The token was issued in the future."},
    {"wrong_issuer", "The token is of another issuer."},
    {"wrong_audience", "The token is for another audience."},
    {"unusable_claim", "The token has a claim that cannot be passed on."},
    {"missing_claim", "The token does not allow this."},
}};

struct Parts {
  Bytes head;
  Bytes payload;
  Bytes signature;
  Bytes signed_bytes;
};

std::optional<Parts> split(Bytes token) {
  const std::size_t first = token.find('.');
  if (first == Bytes::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == Bytes::npos || token.find('.', second + 1) != Bytes::npos) return std::nullopt;
  return Parts{.head = token.substr(0, first),
               .payload = token.substr(first + 1, second - first - 1),
               .signature = token.substr(second + 1),
               .signed_bytes = token.substr(0, second)};
}

std::optional<json> object_of(Bytes part) {
  const auto text = decode_base64url(part);
  if (!text || !is_strict_object(*text)) return std::nullopt;
  return json::parse(*text, nullptr, false);
}

// Seconds since 1970 (RFC 7519 2); false: there, and not a number.
bool take_time(const json& claims, const char* name, std::optional<double>& time) {
  const auto found = claims.find(name);
  if (found == claims.end()) return true;
  if (!found->is_number()) return false;
  time = found->get<double>();
  return true;
}

std::expected<void, TokenFault> check_times(const json& claims, const TokenPolicy& policy,
                                            std::chrono::system_clock::time_point now) {
  std::optional<double> expires;
  std::optional<double> begins;
  std::optional<double> issued;
  if (!take_time(claims, "exp", expires) || !take_time(claims, "nbf", begins) || !take_time(claims, "iat", issued)) {
    return Fault(TokenFault::Malformed);
  }
  const double clock = std::chrono::duration<double>(now.time_since_epoch()).count();
  const double leeway = std::chrono::duration<double>(policy.leeway).count();
  if (!expires && policy.require_expiry) return Fault(TokenFault::NoExpiry);
  if (expires && clock >= *expires + leeway) return Fault(TokenFault::Expired);
  if (begins && clock + leeway < *begins) return Fault(TokenFault::NotYetValid);
  if (issued && clock + leeway < *issued) return Fault(TokenFault::FromTheFuture);
  return {};
}

bool is_one_of(const std::vector<std::string>& wanted, const json& value) {
  return value.is_string() && std::ranges::find(wanted, value.get_ref<const std::string&>()) != wanted.end();
}

bool has_audience(const std::vector<std::string>& wanted, const json& claims) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (!found->is_array()) return is_one_of(wanted, *found);
  return std::any_of(found->begin(), found->end(), [&](const json& each) { return is_one_of(wanted, each); });
}

// As it stands in a header: text as it is, numbers and booleans as JSON writes them.
std::string plain(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', true, json::error_handler_t::replace);
}

bool meets(const RequiredClaim& required, const json& claims) {
  const auto found = claims.find(required.name);
  if (found == claims.end() || found->is_null() || found->is_object()) return false;
  if (found->is_array()) {
    return std::any_of(found->begin(), found->end(), [&](const json& each) {
      return !each.is_structured() && !each.is_null() && required.value.matches(plain(each));
    });
  }
  const std::string value = plain(*found);
  if (required.name != "scope") return required.value.matches(value);
  // Words, separated by blanks (RFC 8693 4.2).
  for (Bytes rest = value; !rest.empty();) {
    const std::size_t blank = rest.find(' ');
    const Bytes word = rest.substr(0, blank);
    if (!word.empty() && required.value.matches(word)) return true;
    rest = blank == Bytes::npos ? Bytes() : rest.substr(blank + 1);
  }
  return false;
}

// None: an entry of a list has a comma, and would be taken for two.
std::optional<std::string> in_header(const json& value) {
  if (!value.is_array()) return plain(value);
  std::string text;
  for (const json& each : value) {
    const std::string entry = plain(each);
    if (entry.find(',') != std::string::npos) return std::nullopt;
    if (!text.empty()) text += ',';
    text += entry;
  }
  return text;
}

bool fits_a_header(Bytes value) {
  return value.size() <= header_value_bytes_max &&
         std::ranges::none_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }) &&
         (value.empty() || (value.front() != ' ' && value.back() != ' '));
}

std::expected<void, TokenFault> check_signature(const json& head, const Parts& parts, const KeySet& keys,
                                                const TokenPolicy& policy) {
  const auto name = head.find("alg");
  if (name == head.end() || !name->is_string()) return Fault(TokenFault::Malformed);
  const auto algorithm = algorithm_of(name->get_ref<const std::string&>());
  if (!algorithm || std::ranges::find(policy.algorithms, *algorithm) == policy.algorithms.end()) {
    return Fault(TokenFault::BadAlgorithm);
  }
  // Extensions that must be understood (RFC 7515 4.1.11): none are.
  if (head.contains("crit")) return Fault(TokenFault::Malformed);
  const auto id = head.find("kid");
  if (id != head.end() && !id->is_string()) return Fault(TokenFault::Malformed);
  const auto signature = decode_base64url(parts.signature);
  if (!signature) return Fault(TokenFault::Malformed);

  bool has_name = false;
  bool suits = false;
  int tries = 0;
  for (const NamedKey& key : keys.keys()) {
    if (id != head.end() && key.id != id->get_ref<const std::string&>()) continue;
    has_name = true;
    if (!key.key->suits(*algorithm) || (key.algorithm && *key.algorithm != *algorithm)) continue;
    suits = true;
    if (++tries > tries_max) break;
    if (key.key->verifies(*algorithm, parts.signed_bytes, *signature)) return {};
  }
  if (!has_name) return Fault(TokenFault::UnknownKey);
  return Fault(suits ? TokenFault::BadSignature : TokenFault::BadAlgorithm);
}

}  // namespace

std::string_view to_string(TokenFault fault) {
  return rows[static_cast<std::size_t>(fault)].name;
}

std::string_view explain(TokenFault fault) {
  return rows[static_cast<std::size_t>(fault)].words;
}

Result<TokenPolicy> TokenPolicy::compile(const config::JwtAuth& settings) {
  TokenPolicy policy{.algorithms = settings.algorithms,
                     .issuer = settings.issuer,
                     .audience = settings.audience,
                     .require = {},
                     .headers = settings.headers,
                     .leeway = settings.leeway,
                     .require_expiry = settings.require_expiry,
                     .user_claim = settings.user_claim};
  for (const config::NamedPattern& each : settings.require) {
    auto pattern = TextPattern::compile(each.pattern, LetterCase::Exact);
    if (!pattern) return fail(std::move(pattern.error()).within(fmt::format("require \"{}\"", each.name)));
    policy.require.push_back({.name = each.name, .value = std::move(*pattern)});
  }
  return policy;
}

std::expected<TokenClaims, TokenFault> verify(Bytes token, const KeySet& keys, const TokenPolicy& policy,
                                              std::chrono::system_clock::time_point now) {
  if (token.size() > token_bytes_max) return Fault(TokenFault::Malformed);
  const auto parts = split(token);
  if (!parts) return Fault(TokenFault::Malformed);
  const auto head = object_of(parts->head);
  if (!head) return Fault(TokenFault::Malformed);
  if (const auto good = check_signature(*head, *parts, keys, policy); !good) return Fault(good.error());

  const auto claims = object_of(parts->payload);
  if (!claims) return Fault(TokenFault::Malformed);
  if (const auto good = check_times(*claims, policy, now); !good) return Fault(good.error());
  if (!policy.issuer.empty() && (!claims->contains("iss") || !is_one_of(policy.issuer, (*claims)["iss"]))) {
    return Fault(TokenFault::WrongIssuer);
  }
  if (!policy.audience.empty() && !has_audience(policy.audience, *claims)) return Fault(TokenFault::WrongAudience);
  for (const RequiredClaim& required : policy.require) {
    if (!meets(required, *claims)) return Fault(TokenFault::MissingClaim);
  }

  TokenClaims said;
  if (const auto user = claims->find(policy.user_claim);
      user != claims->end() && !user->is_structured() && !user->is_null()) {
    said.user = plain(*user).substr(0, user_bytes_max);
  }
  for (const config::ClaimHeader& wanted : policy.headers) {
    const auto found = claims->find(wanted.claim);
    if (found == claims->end() || found->is_null()) continue;
    std::optional<std::string> value = in_header(*found);
    if (!value || !fits_a_header(*value)) return Fault(TokenFault::UnusableClaim);
    said.headers.push_back({.name = wanted.header, .value = std::move(*value)});
  }
  return said;
}

}  // namespace ballast::traffic::auth
