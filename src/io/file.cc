#include "io/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ballast::io {
namespace {

// Closes on every way out.
class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  OpenFile(const OpenFile&) = delete;
  ~OpenFile() { close(); }
  int fd() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

// 0, or the errno.
int write_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return errno;
    // A standard output that somebody made non-blocking: its reader may be slow, but not for ever.
    constexpr int patience_ms = 5000;
    pollfd one{.fd = fd, .events = POLLOUT, .revents = 0};
    if (::poll(&one, 1, patience_ms) == 0) return ETIMEDOUT;
  }
  return 0;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<FileStamp> stamp_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return fail(Error::from_errno(errno, fmt::format("cannot look at {}", path)));
  return FileStamp{.changed_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
                   .inode = status.st_ino,
                   .size = static_cast<std::uint64_t>(status.st_size)};
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const auto what = [&] { return fmt::format("cannot read {}", path); };
  // Not blocking: a pipe that nobody writes to is an empty file.
  const OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd() < 0) return fail(Error::from_errno(errno, what()));
  // The size is only a hint: files of /proc have none, others may grow.
  struct stat status{};
  std::size_t hint = 4096;
  if (::fstat(file.fd(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    hint = std::min(static_cast<std::size_t>(status.st_size), bytes_max) + 1;
  }
  std::string bytes;
  while (true) {
    const std::size_t held = bytes.size();
    bytes.resize(held + std::max<std::size_t>(hint, held / 2));
    const ssize_t got = ::read(file.fd(), bytes.data() + held, bytes.size() - held);
    const int error = errno;
    bytes.resize(held + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (bytes.size() > bytes_max) {
      return fail(Code::TooLarge, fmt::format("{}: it is larger than {} bytes", what(), bytes_max));
    }
    if (got == 0) return bytes;
    if (got < 0 && error != EINTR) return fail(Error::from_errno(error, what()));
    hint = 4096;
  }
}

Result<> write_file_atomically(const std::string& path, Bytes bytes, mode_t mode) {
  const auto failed = [&](int error, std::string_view step) {
    return fail(Error::from_errno(error, fmt::format("cannot write {}: {}", path, step)));
  };
  std::string temporary = path + ".XXXXXX";
  OpenFile file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.fd() < 0) return failed(errno, fmt::format("create a file in {}", folder_of(path)));
  const auto give_up = [&](int error, std::string_view step) {
    ::unlink(temporary.c_str());
    return failed(error, step);
  };
  if (::fchmod(file.fd(), mode) != 0) return give_up(errno, "set the mode");
  if (const int error = write_all(file.fd(), bytes); error != 0) return give_up(error, "write");
  if (::fsync(file.fd()) != 0) return give_up(errno, "sync");
  file.close();
  if (::rename(temporary.c_str(), path.c_str()) != 0) return give_up(errno, "rename to it");
  const std::string folder = folder_of(path);
  const OpenFile directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.fd() < 0 || ::fsync(directory.fd()) != 0) {
    return failed(errno, fmt::format("sync the folder {}", folder));
  }
  return {};
}

namespace {

int open_for_append(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

}  // namespace

Result<AppendFile> AppendFile::open(std::string path) {
  const int fd = open_for_append(path);
  if (fd < 0) return fail(Error::from_errno(errno, fmt::format("cannot open {} to append", path)));
  return AppendFile(std::move(path), fd);
}

Result<AppendFile> AppendFile::standard_output() {
  const int fd = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (fd < 0) return fail(Error::from_errno(errno, "cannot write to the standard output"));
  return AppendFile(std::string(), fd);
}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  if (this != &other) {
    close();
    path_ = std::move(other.path_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void AppendFile::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<> AppendFile::append(Bytes bytes) {
  const int error = write_all(fd_, bytes);
  if (error == 0) return {};
  return fail(Error::from_errno(
      error, path_.empty() ? "cannot write to the standard output" : fmt::format("cannot append to {}", path_)));
}

Result<> AppendFile::reopen() {
  if (path_.empty()) return {};
  const int fd = open_for_append(path_);
  if (fd < 0) {
    return fail(Error::from_errno(errno, fmt::format("cannot reopen {} (the old file is still written to)", path_)));
  }
  close();
  fd_ = fd;
  return {};
}

Result<> make_folder(const std::string& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), 0750) != 0 && errno != EEXIST) {
      return fail(Error::from_errno(errno, fmt::format("cannot make the folder {}", part)));
    }
    if (slash == std::string::npos) return {};
  }
}

}  // namespace ballast::io
