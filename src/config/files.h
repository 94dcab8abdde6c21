// FileReader: the outside world as the loader sees it: files, globs and the environment.
//
// An interface, so that tests and fuzzers load from memory; load_files.h is the real one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace ballast::config {

class FileReader {
 public:
  virtual ~FileReader() = default;

  // The whole file. TooLarge when it has more than `bytes_max`; the text of an Error names the file.
  virtual Result<std::string> read(const std::string& path, std::size_t bytes_max) = 0;
  // The folder's absolute path, links in it left as they are; the text of an Error names it.
  virtual Result<std::string> folder(const std::string& path) = 0;
  // The files that match `*`, `?` and `[...]` in the last part of the path, sorted; none is not an error.
  virtual Result<std::vector<std::string>> glob(const std::string& pattern) = 0;
  // None: not set.
  virtual std::optional<std::string> environment(const std::string& name) = 0;
};

// `path` as seen from the folder of `from`, in its plain form: no "." and no "..", as far as the text tells.
std::string relative_to(const std::string& from, const std::string& path);

}  // namespace ballast::config
