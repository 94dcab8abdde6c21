#include "config/load_files.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "config/wildcard.h"
#include "config/words.h"

namespace ballast::config {
namespace {

// More files than anybody splits a configuration into; the loader takes fewer still.
constexpr std::size_t matches_max = 1000;

}  // namespace

Result<std::string> DiskFiles::read(const std::string& path, std::size_t bytes_max) {
  const std::string what = fmt::format("cannot read {}", quote(path));
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::is_directory(status)) return fail(Code::Invalid, what + ": it is a directory");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Error::from_errno(errno != 0 ? errno : EIO, what));
  std::string text(bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(Error::from_errno(errno != 0 ? errno : EIO, what));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > bytes_max) {
    return fail(Code::TooLarge, fmt::format("{}: it has more than {} bytes", what, bytes_max));
  }
  text.shrink_to_fit();
  return text;
}

Result<std::string> DiskFiles::folder(const std::string& path) {
  const std::string what = fmt::format("cannot use the folder {}", quote(path));
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (error) return fail(Error::from_errno(error.value(), what));
  if (!std::filesystem::is_directory(status)) return fail(Code::Invalid, what + ": it is not a folder");
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) return fail(Error::from_errno(error.value(), what));
  std::string text = absolute.lexically_normal().string();
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

Result<std::vector<std::string>> DiskFiles::glob(const std::string& pattern) {
  const std::filesystem::path path(pattern);
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (has_wildcard(folder.string())) {
    return fail(Code::Unsupported,
                fmt::format("cannot list {}: wildcards may stand only behind the last \"/\"", quote(pattern)));
  }
  std::vector<std::string> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!matches_wildcard(path.filename().string(), name)) continue;
    if (found.size() == matches_max) {
      return fail(Code::TooLarge, fmt::format("cannot list {}: more than {} files match", quote(pattern), matches_max));
    }
    found.push_back(path.has_parent_path() ? entry->path().string() : name);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail(Error::from_errno(error.value(), fmt::format("cannot list {}", quote(pattern))));
  }
  std::ranges::sort(found);
  return found;
}

std::optional<std::string> DiskFiles::environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace ballast::config
