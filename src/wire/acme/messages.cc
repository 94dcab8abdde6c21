#include "wire/acme/messages.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace ballast::acme {
namespace {

using nlohmann::json;

constexpr Bytes error_space = "urn:ietf:params:acme:error:";
constexpr std::size_t shown_bytes_max = 400;  // of what an operator is to read
constexpr std::size_t url_bytes_max = 2048;
constexpr std::size_t token_bytes_max = 256;
constexpr std::size_t names_max = 200;
constexpr std::size_t challenges_max = 20;
constexpr std::size_t parts_max = 5;

// For a line of the log: no control characters, no bytes above ASCII that a terminal may make something of.
std::string shown(Bytes text) {
  std::string line;
  for (const char c : text.substr(0, shown_bytes_max)) {
    line += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F ? ' ' : c;
  }
  if (text.size() > shown_bytes_max) line += "...";
  return line;
}

const json* member(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found != object.end() ? &*found : nullptr;
}

// Empty where it is longer than any that is meant.
std::string url_of(const json& object, const char* name) {
  std::string url = json_text(object, name);
  return url.size() <= url_bytes_max ? url : std::string();
}

Status status_of(const json& object) {
  constexpr std::array<std::pair<Bytes, Status>, 8> words{{{"pending", Status::Pending},
                                                           {"processing", Status::Processing},
                                                           {"ready", Status::Ready},
                                                           {"valid", Status::Valid},
                                                           {"invalid", Status::Invalid},
                                                           {"deactivated", Status::Deactivated},
                                                           {"expired", Status::Expired},
                                                           {"revoked", Status::Revoked}}};
  const std::string word = json_text(object, "status");
  const auto found = std::ranges::find(words, Bytes(word), [](const auto& each) { return each.first; });
  return found != words.end() ? found->second : Status::Unknown;
}

bool is_token(Bytes text) {
  return !text.empty() && text.size() <= token_bytes_max && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Bytes short_type(Bytes type) {
  return type.starts_with(error_space) ? type.substr(error_space.size()) : type;
}

Problem problem_of(const json& object) {
  Problem problem{.type = json_text(object, "type"), .detail = shown(json_text(object, "detail")), .parts = {}};
  if (problem.type.size() > url_bytes_max) problem.type.clear();
  if (const json* parts = member(object, "subproblems"); parts != nullptr && parts->is_array()) {
    for (const json& part : *parts) {
      if (problem.parts.size() == parts_max) break;
      const json* identifier = member(part, "identifier");
      const std::string name = identifier != nullptr ? json_text(*identifier, "value") : std::string();
      problem.parts.push_back(fmt::format("{}: {}", shown(name), shown(json_text(part, "detail"))));
    }
  }
  return problem;
}

std::optional<Problem> problem_in(const json& object) {
  const json* found = member(object, "error");
  return found != nullptr && found->is_object() ? std::optional(problem_of(*found)) : std::nullopt;
}

Result<json> object_of(Bytes text) {
  if (text.size() > message_bytes_max) return fail(Code::TooLarge, "the authority's answer is too large");
  json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return fail(Code::Malformed, fmt::format("no JSON object: \"{}\"", shown(text)));
  return object;
}

}  // namespace

std::string Problem::text() const {
  std::string all = fmt::format("{}: {}", type.empty() ? "no type" : shown(short_type(type)), detail);
  for (const std::string& part : parts) all += "; " + part;
  return all;
}

bool Problem::is(std::string_view short_name) const {
  return Bytes(type).starts_with(error_space) && short_type(type) == short_name;
}

Result<Directory> parse_directory(Bytes text) {
  Result<json> object = object_of(text);
  if (!object) return fail(std::move(object.error()).within("the directory"));
  Directory directory{.new_nonce = url_of(*object, "newNonce"),
                      .new_account = url_of(*object, "newAccount"),
                      .new_order = url_of(*object, "newOrder"),
                      .terms_of_service = {}};
  if (const json* meta = member(*object, "meta"); meta != nullptr) {
    directory.terms_of_service = shown(json_text(*meta, "termsOfService"));
    const json* wants = member(*meta, "externalAccountRequired");
    directory.wants_external_account = wants != nullptr && wants->is_boolean() && wants->get<bool>();
  }
  if (directory.new_nonce.empty() || directory.new_account.empty() || directory.new_order.empty()) {
    return fail(Code::Malformed, "what is there is no ACME directory: newNonce, newAccount or newOrder is missing");
  }
  return directory;
}

Result<Order> parse_order(Bytes text) {
  Result<json> object = object_of(text);
  if (!object) return fail(std::move(object.error()).within("the order"));
  Order order{.status = status_of(*object),
              .authorizations = {},
              .finalize = url_of(*object, "finalize"),
              .certificate = url_of(*object, "certificate"),
              .problem = problem_in(*object)};
  const json* all = member(*object, "authorizations");
  if (all != nullptr && all->is_array()) {
    if (all->size() > names_max) return fail(Code::TooLarge, "the order has too many authorizations");
    for (const json& each : *all) {
      if (!each.is_string() || each.get_ref<const std::string&>().size() > url_bytes_max) {
        return fail(Code::Malformed, "the order has an authorization that is no URL");
      }
      order.authorizations.push_back(each.get<std::string>());
    }
  }
  if (order.status == Status::Unknown) return fail(Code::Malformed, "the order has no status that is known");
  return order;
}

Result<Authorization> parse_authorization(Bytes text) {
  Result<json> object = object_of(text);
  if (!object) return fail(std::move(object.error()).within("the authorization"));
  Authorization authorization{.name = {}, .status = status_of(*object), .challenges = {}};
  if (const json* identifier = member(*object, "identifier"); identifier != nullptr) {
    authorization.name = shown(json_text(*identifier, "value"));
  }
  if (const json* all = member(*object, "challenges"); all != nullptr && all->is_array()) {
    for (const json& each : *all) {
      if (authorization.challenges.size() == challenges_max) break;
      Challenge challenge{.type = json_text(each, "type"),
                          .url = url_of(each, "url"),
                          .token = json_text(each, "token"),
                          .status = status_of(each),
                          .problem = problem_in(each)};
      if (challenge.type.size() > token_bytes_max || challenge.url.empty() || !is_token(challenge.token)) continue;
      authorization.challenges.push_back(std::move(challenge));
    }
  }
  if (authorization.status == Status::Unknown || authorization.name.empty()) {
    return fail(Code::Malformed, "the authorization has no name, or no status that is known");
  }
  return authorization;
}

Problem parse_problem(Bytes text) {
  if (text.size() <= message_bytes_max) {
    const json object = json::parse(text, nullptr, false);
    if (object.is_object()) return problem_of(object);
  }
  return {.type = {}, .detail = fmt::format("\"{}\"", shown(text)), .parts = {}};
}

}  // namespace ballast::acme
