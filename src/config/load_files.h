// DiskFiles: the FileReader of the real program.
//
// The one place outside io/ that opens files: config is io's neighbour in row 1 and may not include it, and reading a
// configuration happens before there is a Loop to wait in. Blocks; called at start and on reload, never by a worker.
#pragma once

#include "config/files.h"

namespace ballast::config {

class DiskFiles final : public FileReader {
 public:
  Result<std::string> read(const std::string& path, std::size_t bytes_max) override;
  Result<std::string> folder(const std::string& path) override;
  Result<std::vector<std::string>> glob(const std::string& pattern) override;
  std::optional<std::string> environment(const std::string& name) override;
};

}  // namespace ballast::config
