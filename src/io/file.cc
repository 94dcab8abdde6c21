#include "io/file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace ballast::io {
namespace {

class Closing {
 public:
  explicit Closing(int fd) : fd_(fd) {}
  ~Closing() {
    if (fd_ >= 0) ::close(fd_);
  }
  Closing(const Closing&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<> write_all(int fd, Bytes bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0) {
      if (errno == EINTR) continue;
      return fail(Error::from_errno(errno, fmt::format("write {}", path)));
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const Closing file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return fail(Error::from_errno(errno, fmt::format("open {}", path)));
  std::string text;
  char piece[16 * 1024];
  while (true) {
    const ssize_t got = ::read(file.get(), piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Error::from_errno(errno, fmt::format("read {}", path)));
    if (got == 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
    if (text.size() > bytes_max) {
      return fail(Code::TooLarge, fmt::format("read {}: it has more than {} bytes", path, bytes_max));
    }
  }
}

Result<> write_file_atomically(const std::string& path, Bytes bytes, unsigned mode) {
  const std::string beside = path + ".new";
  {
    const Closing file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (file.get() < 0) return fail(Error::from_errno(errno, fmt::format("create {}", beside)));
    if (Result<> written = write_all(file.get(), bytes, beside); !written) return written;
    if (::fsync(file.get()) != 0) return fail(Error::from_errno(errno, fmt::format("sync {}", beside)));
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    return fail(Error::from_errno(errno, fmt::format("rename {} to {}", beside, path)));
  }
  const Closing folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0) {
    return fail(Error::from_errno(errno, fmt::format("sync the folder of {}", path)));
  }
  return {};
}

Result<AppendFile> AppendFile::open(const std::string& path) {
  AppendFile file;
  file.path_ = path;
  if (Result<> opened = file.reopen(); !opened) return fail(std::move(opened.error()));
  return file;
}

Result<AppendFile> AppendFile::standard_output() {
  AppendFile file;
  file.fd_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (file.fd_ < 0) return fail(Error::from_errno(errno, "duplicate standard output"));
  return file;
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    path_ = std::move(other.path_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

AppendFile::~AppendFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<> AppendFile::append(Bytes bytes) { return write_all(fd_, bytes, path_.empty() ? "standard output" : path_); }

Result<> AppendFile::reopen() {
  if (path_.empty()) return {};
  const int fd = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return fail(Error::from_errno(errno, fmt::format("open {} for appending", path_)));
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  return {};
}

}  // namespace ballast::io
