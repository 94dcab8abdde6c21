// Files: whole small files, and files that only grow.
//
// Blocking: for the control thread and for threads of their own, never for a worker's loop. Errors name the path.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace ballast::io {

// TooLarge when it has more than `bytes_max`.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

// The whole new content or the whole old one, also after a power cut: written beside it, synced, renamed.
Result<> write_file_atomically(const std::string& path, Bytes bytes, unsigned mode);

// A file that is only appended to; a log. Movable; closed when destroyed.
class AppendFile {
 public:
  AppendFile() = default;
  static Result<AppendFile> open(const std::string& path);
  static Result<AppendFile> standard_output();
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;
  ~AppendFile();

  // All of it, or an Error: part of it may have been written.
  Result<> append(Bytes bytes);
  // Opens the path anew, after the file was moved away; on an Error the old file goes on being written.
  Result<> reopen();

 private:
  std::string path_;  // empty: standard output
  int fd_ = -1;
};

}  // namespace ballast::io
