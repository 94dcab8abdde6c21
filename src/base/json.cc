#include "base/json.h"

#include <nlohmann/json.hpp>

namespace ballast {
namespace {

const nlohmann::json* member(const nlohmann::json& json, const char* name) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(name);
  return found != json.end() ? &*found : nullptr;
}

}  // namespace

std::string json_text(const nlohmann::json& json, const char* name) {
  const nlohmann::json* found = member(json, name);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t json_number(const nlohmann::json& json, const char* name) {
  const nlohmann::json* found = member(json, name);
  return found != nullptr && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::int64_t json_integer(const nlohmann::json& json, const char* name) {
  const nlohmann::json* found = member(json, name);
  return found != nullptr && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

bool json_flag(const nlohmann::json& json, const char* name) {
  const nlohmann::json* found = member(json, name);
  return found != nullptr && found->is_boolean() && found->get<bool>();
}

std::vector<nlohmann::json> json_objects(const nlohmann::json& list) {
  std::vector<nlohmann::json> objects;
  if (!list.is_array()) return objects;
  for (const nlohmann::json& each : list) {
    if (each.is_object()) objects.push_back(each);
  }
  return objects;
}

std::vector<nlohmann::json> json_objects(const nlohmann::json& json, const char* name) {
  const nlohmann::json* list = member(json, name);
  return list != nullptr ? json_objects(*list) : std::vector<nlohmann::json>();
}

}  // namespace ballast
