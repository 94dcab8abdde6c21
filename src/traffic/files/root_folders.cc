#include "traffic/files/root_folders.h"

#include <algorithm>
#include <utility>

namespace ballast::traffic {

Result<std::shared_ptr<const io::Folder>> RootFolders::get(const std::string& path) {
  const auto kept = std::ranges::find(kept_, path, &Kept::path);
  if (kept != kept_.end()) {
    if (kept->folder->is_at(path)) return kept->folder;
    kept_.erase(kept);
  }
  Result<io::Folder> opened = io::Folder::open(path);
  if (!opened) return fail(std::move(opened.error()));
  auto folder = std::make_shared<const io::Folder>(*std::move(opened));
  if (kept_.size() < kept_max) kept_.push_back({.path = path, .folder = folder});
  return folder;
}

}  // namespace ballast::traffic
