#include "traffic/control/overrides.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/file.h"

namespace ballast::traffic {
namespace {

using Json = nlohmann::ordered_json;

std::string file_in(const std::string& state_directory) {
  return state_directory + "/overrides.json";
}

}  // namespace

Result<Overrides> load_overrides(const std::string& state_directory) {
  constexpr std::size_t bytes_max = 16 * mib;
  const std::string path = file_in(state_directory);
  Result<std::string> text = io::read_file(path, bytes_max);
  if (!text) {
    if (text.error().code() == Code::NotFound) return Overrides{};
    return fail(std::move(text.error()));
  }
  const Json root = Json::parse(*text, nullptr, false);
  if (!root.is_object() || !root.contains("groups") || !root["groups"].is_object()) {
    return fail(Code::Malformed, fmt::format("{} is not what ballast wrote; move it away to start without it", path));
  }
  Overrides overrides;
  for (const auto& [group, targets] : root["groups"].items()) {
    if (!targets.is_object()) continue;
    for (const auto& [address, json] : targets.items()) {
      if (!json.is_object()) continue;
      TargetOverride entry;
      entry.drained = json.contains("drained") && json["drained"].is_boolean() && json["drained"].get<bool>();
      if (json.contains("weight") && json["weight"].is_number_integer()) {
        const int weight = json["weight"].get<int>();
        if (weight >= 0 && weight <= 999) entry.weight = weight;
      }
      if (!entry.empty()) overrides.groups[group][address] = entry;
    }
  }
  if (const auto maintained = root.find("maintenance"); maintained != root.end() && maintained->is_array()) {
    for (const Json& name : *maintained) {
      if (name.is_string()) overrides.maintained.insert(name.get<std::string>());
    }
  }
  return overrides;
}

Result<> save_overrides(const std::string& state_directory, const Overrides& overrides) {
  Json groups = Json::object();
  for (const auto& [group, targets] : overrides.groups) {
    for (const auto& [address, entry] : targets) {
      Json json = Json::object();
      if (entry.drained) json["drained"] = true;
      if (entry.weight.has_value()) json["weight"] = *entry.weight;
      groups[group][address] = std::move(json);
    }
  }
  Json root = {{"version", 1}, {"groups", std::move(groups)}, {"maintenance", overrides.maintained}};
  if (Result<> made = io::make_folder(state_directory); !made) return made;
  return io::write_file_atomically(file_in(state_directory),
                                   root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n", 0640);
}

}  // namespace ballast::traffic
