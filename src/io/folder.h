// Folder: a folder of which files are opened by names that strangers choose; nothing outside of it can be reached.
//
// Names are resolved by openat2(2) with RESOLVE_BENEATH: "..", absolute names and symbolic links that lead out of the
// folder are refused by the kernel, at once with the look-up, so that nobody can change the way in between. Links that
// stay inside are followed. On a kernel without that call (before 5.6, or a sandbox that forbids it) the name is walked
// part by part and no link is followed at all.
//
// Values that own a descriptor; any thread, one at a time. The calls block for as long as the disk takes: a file of
// the page cache costs some microseconds, one of a dead network mount all of its time-out.
//
// Errors of open_file(): NotFound; Denied (permissions); Invalid: the name leads outside; Exhausted (descriptors);
// System. None carries a text: they are of requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/stream.h"

namespace ballast::io {

enum class FileKind : std::uint8_t { Regular, Folder, Other };

struct FileFacts {
  FileKind kind = FileKind::Other;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  // since 1970, as the file says: may be set by anyone
  std::int64_t changed_ns = 0;   // the inode's, which only the kernel sets
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
};

// A file open for reading, or a folder.
class ReadFile {
 public:
  ReadFile() = default;
  ReadFile(ReadFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), facts_(other.facts_) {}
  ReadFile& operator=(ReadFile&& other) noexcept;
  ~ReadFile() { close(); }

  // As they were when it was opened.
  const FileFacts& facts() const { return facts_; }
  // 0 at the end of the file.
  Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t size) const;
  // By sendfile(2), for a stream that takes what is moved. Like Stream::try_write(); End: the file has no byte at that
  // place (any more). The process must ignore SIGPIPE, as for a Pipe.
  Transfer send_to(Stream& sink, std::uint64_t offset, std::size_t size) const;

 private:
  friend class Folder;
  ReadFile(int fd, const FileFacts& facts) : fd_(fd), facts_(facts) {}
  void close();

  int fd_ = -1;
  FileFacts facts_;
};

class Folder {
 public:
  enum class Resolve : std::uint8_t { Kernel, Walk };
  struct Entry {
    std::string name;
    FileFacts facts;
  };
  struct Listing {
    std::vector<Entry> entries;  // regular files and folders, in no order
    bool is_whole = true;        // false: there are more
  };

  // The Error says what was tried on which path.
  static Result<Folder> open(const std::string& path, Resolve resolve = Resolve::Kernel);
  Folder(Folder&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), resolve_(other.resolve_), device_(other.device_), inode_(other.inode_) {}
  Folder& operator=(Folder&&) = delete;
  ~Folder();

  // Whether `path` names this folder still: not another one in its place, nor none. While this is open, no other can
  // have its number.
  bool is_at(const std::string& path) const;

  // `name` is relative, with '/' between its parts; empty: the folder itself.
  Result<ReadFile> open_file(const std::string& name) const;
  // What a folder below holds that open_file() would open. Entries whose names begin with a dot are left out.
  Result<Listing> list(const std::string& name, std::size_t entries_max) const;

 private:
  Folder(int fd, Resolve resolve) : fd_(fd), resolve_(resolve) {}
  int fd_;
  Resolve resolve_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

}  // namespace ballast::io
