// RootFolders: the roots of a worker's static files, kept open between requests.
//
// A root may be a link that is switched to the next release, or be replaced: each use asks the kernel whether the path
// still names the same folder. Emptied with each new Plan, so that a root that is served no more is not held. One
// worker's; its thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/folder.h"

namespace ballast::traffic {

class RootFolders {
 public:
  // More are opened for each request: a configuration of so many roots is not asked for all of them at once.
  static constexpr std::size_t kept_max = 64;

  // The Error is Folder::open()'s.
  Result<std::shared_ptr<const io::Folder>> get(const std::string& path);
  void clear() { kept_.clear(); }
  std::size_t size() const { return kept_.size(); }

 private:
  struct Kept {
    std::string path;
    std::shared_ptr<const io::Folder> folder;
  };
  std::vector<Kept> kept_;
};

}  // namespace ballast::traffic
