#include "config/files.h"

#include <filesystem>

namespace ballast::config {

std::string relative_to(const std::string& from, const std::string& path) {
  return (std::filesystem::path(from).parent_path() / path).lexically_normal().string();
}

}  // namespace ballast::config
