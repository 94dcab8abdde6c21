// Files: whole ones read and written, and one that is only appended to (a log).
//
// All calls block: they are for the start, for control and for threads of their own, never for a worker's loop. Errors
// name the path and what failed on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <sys/types.h>

#include "base/bytes.h"
#include "base/result.h"

namespace ballast::io {

// "cannot read /etc/x: No such file or directory"; TooLarge beyond `bytes_max`.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

// What tells one content of a file from another without reading it.
struct FileStamp {
  std::int64_t changed_ns = 0;  // by the wall clock
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
Result<FileStamp> stamp_of(const std::string& path);

// A reader sees the old content or the new one, also after a power cut: written beside it, synced, renamed, the folder
// synced. A symbolic link at `path` is replaced, not followed. `mode` is not reduced by the umask.
Result<> write_file_atomically(const std::string& path, Bytes bytes, mode_t mode);

// With the folders above it; one that is there already is fine. Mode 0750.
Result<> make_folder(const std::string& path);

// A file open for appending. One thread at a time.
class AppendFile {
 public:
  AppendFile() = default;
  // Creates it with mode 0640 where there is none.
  static Result<AppendFile> open(std::string path);
  static Result<AppendFile> standard_output();
  AppendFile(AppendFile&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  AppendFile& operator=(AppendFile&& other) noexcept;
  ~AppendFile() { close(); }

  // All of it, or an Error after part of it ("cannot append to /var/log/x: No space left on device").
  Result<> append(Bytes bytes);
  // Opens the path anew, after a rotation has moved the file away. Where that fails the old one stays open. Nothing to
  // do for the standard output.
  Result<> reopen();

 private:
  AppendFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  void close();

  std::string path_;  // empty: the standard output
  int fd_ = -1;
};

}  // namespace ballast::io
