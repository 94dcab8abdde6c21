// FileConfigSource: the real ConfigSource: config::load over the disk. Blocks while it reads, on the control thread or
// in the CLI.
#pragma once

#include "admin/api/config_source.h"
#include "config/files.h"
#include "config/kind.h"

namespace ballast::admin {

class FileConfigSource final : public ConfigSource {
 public:
  // Regular expressions and keys are read by traffic, which is above config: app/ hands its checks in.
  explicit FileConfigSource(config::RegexCheck regex_check, config::KeySetCheck key_set_check = {})
      : regex_check_(std::move(regex_check)), key_set_check_(std::move(key_set_check)) {}
  Reading read_file(std::string_view path) const override;
  Reading read_text(std::string_view name, std::string_view text) const override;
  std::string schema() const override;
  // As it was when that was recorded.
  Reading read_recorded(const config::Recording& recording) const;

 private:
  Reading read(config::FileReader& files, const std::string& path) const;
  config::RegexCheck regex_check_;
  config::KeySetCheck key_set_check_;
};

}  // namespace ballast::admin
