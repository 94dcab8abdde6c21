#include "io/replace.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "io/system.h"

namespace ballast::io {
namespace {

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Error replace_program(const Replacement& replacement, std::span<const int> kept_descriptors) {
  std::vector<std::string> words{replacement.program};
  words.insert(words.end(), replacement.arguments.begin(), replacement.arguments.end());
  const std::vector<char*> arguments = pointers_to(words);
  const std::vector<char*> environment = pointers_to(replacement.environment);
  for (const int fd : kept_descriptors) ::fcntl(fd, F_SETFD, 0);
  ::execve(replacement.program.c_str(), arguments.data(), environment.data());
  const int error = errno;
  for (const int fd : kept_descriptors) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return Error::from_errno(error, fmt::format("go on as {}", replacement.program));
}

std::vector<OwnedFd> inherited_sockets() {
  constexpr int first = 3;  // SD_LISTEN_FDS_START
  constexpr int sockets_max = 1024;
  const auto number = [](const char* name) {
    const std::string text = environment(name).value_or("");
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  std::vector<OwnedFd> sockets;
  if (number("LISTEN_PID") != ::getpid()) return sockets;
  const int count = std::clamp(number("LISTEN_FDS"), 0, sockets_max);
  for (int fd = first; fd < first + count; ++fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    sockets.emplace_back(fd);
  }
  return sockets;
}

std::string program_path() {
  std::string path(PATH_MAX, '\0');
  const ssize_t bytes = ::readlink("/proc/self/exe", path.data(), path.size());
  if (bytes <= 0) return {};
  path.resize(static_cast<std::size_t>(bytes));
  // What the kernel calls a file that has been replaced; the newer one has its old name.
  constexpr std::string_view replaced = " (deleted)";
  if (path.ends_with(replaced) && ::access(path.c_str(), F_OK) != 0) path.resize(path.size() - replaced.size());
  return path;
}

}  // namespace ballast::io
