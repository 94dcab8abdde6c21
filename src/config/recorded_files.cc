#include "config/recorded_files.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/words.h"

namespace ballast::config {
namespace {

using Json = nlohmann::json;

template <typename Map>
auto find(const Map& map, const std::string& name) -> Result<typename Map::mapped_type> {
  const auto found = map.find(name);
  if (found != map.end()) return found->second;
  return fail(Code::NotFound,
              fmt::format("cannot read {}: it was not there when this configuration was read", quote(name)));
}

// Where it is there, it has the right type.
template <typename T>
bool take(const Json& json, const char* name, T& into) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_object()) return false;
  for (const auto& [key, value] : found->items()) {
    if constexpr (std::is_same_v<typename T::mapped_type, std::string>) {
      if (!value.is_string()) return false;
      into[key] = value.template get<std::string>();
    } else {
      if (!value.is_array()) return false;
      auto& list = into[key];
      for (const Json& each : value) {
        if (!each.is_string()) return false;
        list.push_back(each.get<std::string>());
      }
    }
  }
  return true;
}

}  // namespace

// Bytes that are no UTF-8 are not in a configuration that was loaded.
std::string write_recording(const Recording& recording) {
  const Json json = {{"path", recording.path},
                     {"files", recording.files},
                     {"folders", recording.folders},
                     {"globs", recording.globs},
                     {"environment", recording.environment}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Recording> read_recording(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  Recording recording;
  const bool is_one = json.is_object() && json.contains("path") && json["path"].is_string() &&
                      take(json, "files", recording.files) && take(json, "folders", recording.folders) &&
                      take(json, "globs", recording.globs) && take(json, "environment", recording.environment);
  if (!is_one) return fail(Code::Malformed, "what was kept of a configuration is not what ballast writes");
  recording.path = json["path"].get<std::string>();
  return recording;
}

Result<std::string> RecordingFiles::read(const std::string& path, std::size_t bytes_max) {
  Result<std::string> text = inner_.read(path, bytes_max);
  if (text) recording_.files[path] = *text;
  return text;
}

Result<std::string> RecordingFiles::folder(const std::string& path) {
  Result<std::string> absolute = inner_.folder(path);
  if (absolute) recording_.folders[path] = *absolute;
  return absolute;
}

Result<std::vector<std::string>> RecordingFiles::glob(const std::string& pattern) {
  Result<std::vector<std::string>> names = inner_.glob(pattern);
  if (names) recording_.globs[pattern] = *names;
  return names;
}

std::optional<std::string> RecordingFiles::environment(const std::string& name) {
  std::optional<std::string> value = inner_.environment(name);
  if (value) recording_.environment[name] = *value;
  return value;
}

Result<std::string> RecordedFiles::read(const std::string& path, std::size_t bytes_max) {
  Result<std::string> text = find(recording_.files, path);
  if (text && text->size() > bytes_max) {
    return fail(Code::TooLarge, fmt::format("cannot read {}: it has more than {} bytes", quote(path), bytes_max));
  }
  return text;
}

Result<std::string> RecordedFiles::folder(const std::string& path) {
  return find(recording_.folders, path);
}

Result<std::vector<std::string>> RecordedFiles::glob(const std::string& pattern) {
  return find(recording_.globs, pattern);
}

std::optional<std::string> RecordedFiles::environment(const std::string& name) {
  const auto found = recording_.environment.find(name);
  return found != recording_.environment.end() ? std::optional(found->second) : std::nullopt;
}

}  // namespace ballast::config
