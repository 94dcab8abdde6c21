#include "io/folder.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ballast::io {
namespace {

// Not blocking: a pipe that nobody writes to is opened and then refused for not being a file.
constexpr int read_flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr int look_flags = O_PATH | O_CLOEXEC;

// The descriptor, or -1 with errno: a part of the name that is a symbolic link is ELOOP.
int open_walking(int folder, std::string_view name, int flags) {
  int at = folder;
  while (true) {
    const std::size_t slash = name.find('/');
    const std::string part(name.substr(0, slash));
    const bool last = slash == std::string_view::npos;
    int fd = -1;
    if (part == "..") {
      errno = EXDEV;
    } else {
      fd = ::openat(at, part.empty() ? "." : part.c_str(), (last ? flags : look_flags | O_DIRECTORY) | O_NOFOLLOW);
    }
    const int error = errno;
    if (at != folder) ::close(at);
    if (fd < 0 && error == ENOTDIR && !last) {
      // O_DIRECTORY | O_NOFOLLOW says so of a link too.
      errno = ENOENT;
      return -1;
    }
    errno = error;
    if (fd < 0 || last) return fd;
    at = fd;
    name.remove_prefix(slash + 1);
  }
}

int open_beneath(int folder, const std::string& name, int flags, Folder::Resolve resolve) {
  if (resolve == Folder::Resolve::Walk) return open_walking(folder, name, flags);
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed while a ".." of a link was followed; it is not the same one for ever.
  constexpr int tries_max = 16;
  for (int tries = 0; tries < tries_max; ++tries) {
    const long fd = ::syscall(SYS_openat2, folder, name.empty() ? "." : name.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno == ENOSYS || errno == EPERM) return open_walking(folder, name, flags);
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  return -1;
}

Code code_of_open(int error) {
  switch (error) {
    case ENOTDIR:
    case ENAMETOOLONG:
    case ENXIO:  // a socket
      return Code::NotFound;
    case EXDEV:
    case ELOOP:
      return Code::Invalid;
    default:
      return Error::code_of_errno(error);
  }
}

FileFacts facts_of(const struct stat& status) {
  const auto nanoseconds = [](const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  };
  return {
      .kind = S_ISREG(status.st_mode)   ? FileKind::Regular
              : S_ISDIR(status.st_mode) ? FileKind::Folder
                                        : FileKind::Other,
      .size = static_cast<std::uint64_t>(status.st_size),
      .modified_ns = nanoseconds(status.st_mtim),
      .changed_ns = nanoseconds(status.st_ctim),
      .inode = status.st_ino,
      .device = status.st_dev,
  };
}

}  // namespace

ReadFile& ReadFile::operator=(ReadFile&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
    facts_ = other.facts_;
  }
  return *this;
}

void ReadFile::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<std::size_t> ReadFile::read_at(std::uint64_t offset, char* into, std::size_t size) const {
  while (true) {
    const ssize_t got = ::pread(fd_, into, size, static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return fail(Error::code_of_errno(errno));
  }
}

Transfer ReadFile::send_to(Stream& sink, std::uint64_t offset, std::size_t size) const {
  Descriptor& descriptor = sink.descriptor();
  while (true) {
    auto at = static_cast<off_t>(offset);
    const ssize_t put = ::sendfile(descriptor.fd(), fd_, &at, size);
    if (put == 0) return {TransferState::End, Code::Closed, 0};
    if (put > 0) return {TransferState::Done, Code::Closed, static_cast<std::size_t>(put)};
    if (errno == EAGAIN) {
      descriptor.not_writable();
      return {TransferState::WouldBlock, Code::Closed, 0};
    }
    if (errno != EINTR) return {TransferState::Failed, Error::code_of_errno(errno), 0};
  }
}

Result<Folder> Folder::open(const std::string& path, Resolve resolve) {
  const int fd = ::open(path.c_str(), look_flags | O_DIRECTORY);
  if (fd < 0) return fail(Error::from_errno(errno, fmt::format("cannot open the folder {}", path)));
  Folder folder(fd, resolve);
  struct stat status{};
  if (::fstat(fd, &status) != 0)
    return fail(Error::from_errno(errno, fmt::format("cannot look at the folder {}", path)));
  folder.device_ = status.st_dev;
  folder.inode_ = status.st_ino;
  return folder;
}

bool Folder::is_at(const std::string& path) const {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

Folder::~Folder() {
  if (fd_ >= 0) ::close(fd_);
}

Result<ReadFile> Folder::open_file(const std::string& name) const {
  // What an absolute name or one with a NUL would mean is nobody's business to guess.
  if (name.starts_with('/') || name.find('\0') != std::string::npos) return fail(Code::Invalid);
  const int fd = open_beneath(fd_, name, read_flags, resolve_);
  if (fd < 0) return fail(code_of_open(errno));
  struct stat status{};
  if (::fstat(fd, &status) != 0) {
    const int error = errno;
    ::close(fd);
    return fail(Error::code_of_errno(error));
  }
  return ReadFile(fd, facts_of(status));
}

Result<Folder::Listing> Folder::list(const std::string& name, std::size_t entries_max) const {
  if (name.starts_with('/') || name.find('\0') != std::string::npos) return fail(Code::Invalid);
  const int fd = open_beneath(fd_, name, read_flags | O_DIRECTORY, resolve_);
  if (fd < 0) return fail(code_of_open(errno));
  DIR* folder = ::fdopendir(fd);
  if (folder == nullptr) {
    const int error = errno;
    ::close(fd);
    return fail(Error::code_of_errno(error));
  }
  Listing listing;
  while (const dirent* found = ::readdir(folder)) {
    if (found->d_name[0] == '.') continue;
    if (listing.entries.size() == entries_max) {
      listing.is_whole = false;
      break;
    }
    // Through the whole name, so that a link is followed, and refused, just as when it is asked for.
    const std::string whole = name.empty() ? found->d_name : fmt::format("{}/{}", name, found->d_name);
    const int entry = open_beneath(fd_, whole, look_flags, resolve_);
    if (entry < 0) continue;
    struct stat status{};
    const bool known = ::fstat(entry, &status) == 0;
    ::close(entry);
    if (!known) continue;
    const FileFacts facts = facts_of(status);
    // O_PATH | O_NOFOLLOW opens a link itself.
    if (facts.kind == FileKind::Other) continue;
    listing.entries.push_back({found->d_name, facts});
  }
  ::closedir(folder);
  return listing;
}

}  // namespace ballast::io
