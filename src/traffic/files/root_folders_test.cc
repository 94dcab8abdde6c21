#include "traffic/files/root_folders.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

namespace fs = std::filesystem;

class RootFoldersTest : public testing::Test {
 protected:
  RootFoldersTest() {
    std::string pattern = fs::temp_directory_path() / "root_folders_XXXXXX";
    base_ = ::mkdtemp(pattern.data());
    for (const char* release : {"one", "two"}) {
      fs::create_directory(base_ / release);
      std::ofstream(base_ / release / "name") << release;
    }
    fs::create_directory_symlink("one", base_ / "current");
  }
  ~RootFoldersTest() override { fs::remove_all(base_); }

  std::string name_in(const std::string& root) {
    auto folder = roots_.get(base_ / root);
    if (!folder) return "no root";
    auto file = (*folder)->open_file("name");
    if (!file) return "no file";
    char text[16];
    return {text, *file->read_at(0, text, sizeof text)};
  }

  fs::path base_;
  RootFolders roots_;
};

TEST_F(RootFoldersTest, KeepsARootAndSeesThatItIsAnother) {
  EXPECT_EQ(name_in("current"), "one");
  EXPECT_EQ(*roots_.get(base_ / "current"), *roots_.get(base_ / "current")) << "it is opened each time";
  fs::create_directory_symlink("two", base_ / "next");
  fs::rename(base_ / "next", base_ / "current");
  EXPECT_EQ(name_in("current"), "two");
  fs::remove(base_ / "current");
  EXPECT_EQ(name_in("current"), "no root");
  fs::create_directory_symlink("one", base_ / "current");
  EXPECT_EQ(name_in("current"), "one");
  EXPECT_EQ(roots_.size(), 1U);
}

TEST_F(RootFoldersTest, SeesAFolderMadeAnew) {
  EXPECT_EQ(name_in("two"), "two");
  fs::remove_all(base_ / "two");
  EXPECT_EQ(name_in("two"), "no root");
  fs::create_directory(base_ / "two");
  EXPECT_EQ(name_in("two"), "no file");
}

TEST_F(RootFoldersTest, KeepsSoManyAndNoMore) {
  for (std::size_t i = 0; i < RootFolders::kept_max + 3; ++i) {
    const std::string name = "r" + std::to_string(i);
    fs::create_directory(base_ / name);
    ASSERT_TRUE(roots_.get(base_ / name));
  }
  EXPECT_EQ(roots_.size(), RootFolders::kept_max);
  roots_.clear();
  EXPECT_EQ(roots_.size(), 0U);
}

}  // namespace
}  // namespace ballast::traffic
