// Members of a JSON document that somebody else has made: another process, another version, an operator's program. What
// is missing or of another type reads as nothing; what must be there and right is for the reader to check.
//
// Pure functions. `json` may be any value; only an object has members.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ballast {

std::string json_text(const nlohmann::json& json, const char* name);      // "": none
std::uint64_t json_number(const nlohmann::json& json, const char* name);  // 0: none, or negative
std::int64_t json_integer(const nlohmann::json& json, const char* name);  // 0: none
bool json_flag(const nlohmann::json& json, const char* name);             // false: none
// The objects of a list, and of one that is a member.
std::vector<nlohmann::json> json_objects(const nlohmann::json& list);
std::vector<nlohmann::json> json_objects(const nlohmann::json& json, const char* name);

}  // namespace ballast
