// ConfigSource: where the API and the CLI get settings from: a file, or text that came in a request. A port, so that
// routing is tested without files; FileConfigSource is the real one, over config::load.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"

namespace ballast::admin {

// One thing wrong in a configuration, for programs; `text` of a Reading is the same for people.
struct Finding {
  std::string file;
  int line = 0;    // from 1; 0: of the whole file
  int column = 0;  // from 1
  std::string text;
  bool is_error = true;  // false: a warning
};

// Settings, or what is wrong with them. With settings there may be warnings.
struct Reading {
  std::optional<config::Settings> settings;
  std::string text;
  std::vector<Finding> findings;
};

class ConfigSource {
 public:
  virtual ~ConfigSource() = default;
  virtual Reading read_file(std::string_view path) const = 0;
  // `name` stands in the diagnostics, and its folder is where includes are looked for.
  virtual Reading read_text(std::string_view name, std::string_view text) const = 0;
  // The JSON Schema of the file.
  virtual std::string schema() const = 0;
};

}  // namespace ballast::admin
