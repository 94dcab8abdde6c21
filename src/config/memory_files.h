// MemoryFiles: a FileReader whose files and variables are given by a test.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "config/files.h"
#include "config/wildcard.h"
#include "config/words.h"

namespace ballast::config {

class MemoryFiles final : public FileReader {
 public:
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> variables;

  Result<std::string> read(const std::string& path, std::size_t bytes_max) override {
    const auto found = files.find(path);
    if (found == files.end()) {
      return fail(Code::NotFound, fmt::format("cannot read {}: No such file or directory", quote(path)));
    }
    if (found->second.size() > bytes_max) {
      return fail(Code::TooLarge, fmt::format("cannot read {}: it has more than {} bytes", quote(path), bytes_max));
    }
    return found->second;
  }
  // A folder is there where a file is below it.
  Result<std::string> folder(const std::string& path) override {
    for (const auto& [name, text] : files) {
      if (name.starts_with(path + "/")) return path.starts_with('/') ? path : "/" + path;
    }
    return fail(Code::NotFound, fmt::format("cannot use the folder {}: No such file or directory", quote(path)));
  }
  Result<std::vector<std::string>> glob(const std::string& pattern) override {
    std::vector<std::string> found;
    for (const auto& [name, text] : files) {
      if (matches_wildcard(pattern, name)) found.push_back(name);
    }
    return found;
  }
  std::optional<std::string> environment(const std::string& name) override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
};

}  // namespace ballast::config
