#include "io/folder.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/system.h"

namespace ballast::io {
namespace {

namespace fs = std::filesystem;
using testing::UnorderedElementsAre;

// root/ with files and links; beside it a secret that must not be reached.
class FolderTest : public testing::TestWithParam<Folder::Resolve> {
 protected:
  FolderTest() {
    std::string name = testing::TempDir() + "folder_test.XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    base_ = name;
    root_ = base_ + "/root";
    fs::create_directories(root_ + "/a/b");
    write("root/index.html", "index");
    write("root/a/b/c.txt", "deep");
    write("secret", "secret");
    fs::create_directories(base_ + "/root-beside");
    write("root-beside/x", "secret");
  }
  ~FolderTest() override {
    fs::remove_all(base_);
    EXPECT_EQ(open_descriptor_count(), descriptors_);
  }
  void write(const std::string& path, const std::string& text) const { std::ofstream(base_ + "/" + path) << text; }
  // Its content, or the code in words.
  std::string read(const std::string& name) const {
    auto folder = Folder::open(root_, GetParam());
    auto file = folder.value().open_file(name);
    if (!file) return "!" + std::string(to_string(file.error().code()));
    if (file->facts().kind == FileKind::Folder) return "folder";
    if (file->facts().kind == FileKind::Other) return "other";
    char bytes[64];
    const auto got = file->read_at(0, bytes, sizeof bytes);
    if (!got) return "?" + std::string(to_string(got.error().code()));
    EXPECT_EQ(*got, file->facts().size);
    return {bytes, *got};
  }
  std::string base_;
  std::string root_;
  std::size_t descriptors_ = open_descriptor_count();
};

INSTANTIATE_TEST_SUITE_P(Ways, FolderTest, testing::Values(Folder::Resolve::Kernel, Folder::Resolve::Walk),
                         [](const auto& way) { return way.param == Folder::Resolve::Kernel ? "Kernel" : "Walk"; });

TEST_P(FolderTest, OpensWhatIsInside) {
  EXPECT_EQ(read("index.html"), "index");
  EXPECT_EQ(read("a/b/c.txt"), "deep");
  EXPECT_EQ(read("a"), "folder");
  EXPECT_EQ(read("a/b/"), "folder");
  EXPECT_EQ(read(""), "folder");
  EXPECT_EQ(read("none"), "!not found");
  EXPECT_EQ(read("index.html/x"), "!not found");
  EXPECT_EQ(read(std::string(300, 'x')), "!not found");
  EXPECT_EQ(read(std::string(5000, 'x')), "!not found");
}

TEST_P(FolderTest, NothingOutsideIsReached) {
  fs::create_symlink("../secret", root_ + "/out");
  fs::create_symlink(base_ + "/secret", root_ + "/absolute");
  fs::create_symlink("..", root_ + "/up");
  fs::create_symlink(root_ + "/index.html", root_ + "/absolute-inside");
  fs::create_symlink("loop", root_ + "/loop");
  for (const char* name : {"../secret", "a/../../secret", "out", "absolute", "absolute-inside", "loop", "/etc/passwd",
                           "../root-beside/x", "a/../../root/index.html"}) {
    EXPECT_EQ(read(name), "!invalid") << name;
  }
  EXPECT_THAT(read("up/secret"), testing::AnyOf("!invalid", "!not found"));
  EXPECT_EQ(read(std::string("index.html\0x", 12)), "!invalid");
}

TEST_P(FolderTest, LinksInside) {
  fs::create_symlink("a/b/c.txt", root_ + "/link");
  fs::create_symlink("../index.html", root_ + "/a/back");
  fs::create_symlink("a", root_ + "/folder");
  const bool followed = GetParam() == Folder::Resolve::Kernel;
  EXPECT_EQ(read("link"), followed ? "deep" : "!invalid");
  EXPECT_EQ(read("a/back"), followed ? "index" : "!invalid");
  EXPECT_EQ(read("folder/b/c.txt"), followed ? "deep" : "!not found");
}

TEST_P(FolderTest, WhatIsNoFileIsSeen) {
  ASSERT_EQ(::mkfifo((root_ + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(read("fifo"), "other");
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string path = root_ + "/s";
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(read("s"), "!not found");
  ::close(fd);
}

TEST_P(FolderTest, WhatMayNotBeReadIsDenied) {
  ASSERT_EQ(::chmod((root_ + "/index.html").c_str(), 0), 0);
  EXPECT_EQ(read("index.html"), ::geteuid() == 0 ? "index" : "!permission denied");
}

TEST_P(FolderTest, FactsChangeWithTheFile) {
  const auto facts = [&] { return Folder::open(root_, GetParam())->open_file("index.html")->facts(); };
  const FileFacts before = facts();
  EXPECT_EQ(before.size, 5U);
  fs::last_write_time(root_ + "/index.html", fs::last_write_time(root_ + "/index.html") - std::chrono::hours(1));
  const FileFacts after = facts();
  EXPECT_EQ(before.modified_ns - after.modified_ns, 3'600'000'000'000);
  EXPECT_GE(after.changed_ns, before.changed_ns);
  EXPECT_EQ(before.inode, after.inode);
}

TEST_P(FolderTest, ListsWhatCanBeOpened) {
  write("root/.hidden", "x");
  fs::create_symlink("../secret", root_ + "/out");
  fs::create_symlink("a", root_ + "/inside");
  ASSERT_EQ(::mkfifo((root_ + "/fifo").c_str(), 0600), 0);
  auto folder = Folder::open(root_, GetParam());
  const auto names = [&](const std::string& name) {
    std::vector<std::string> found;
    const auto listing = folder.value().list(name, 100);
    if (!listing) return std::vector<std::string>{std::string(to_string(listing.error().code()))};
    EXPECT_TRUE(listing->is_whole);
    for (const Folder::Entry& entry : listing->entries) {
      found.push_back(entry.name + (entry.facts.kind == FileKind::Folder ? "/" : ""));
    }
    return found;
  };
  if (GetParam() == Folder::Resolve::Kernel) {
    EXPECT_THAT(names(""), UnorderedElementsAre("index.html", "a/", "inside/"));
  } else {
    EXPECT_THAT(names(""), UnorderedElementsAre("index.html", "a/"));
  }
  EXPECT_THAT(names("a/b"), UnorderedElementsAre("c.txt"));
  EXPECT_THAT(names("index.html"), UnorderedElementsAre("not found"));
  EXPECT_THAT(names("../root-beside"), UnorderedElementsAre("invalid"));
  const auto part = folder.value().list("", 1);
  EXPECT_EQ(part->entries.size(), 1U);
  EXPECT_FALSE(part->is_whole);
}

TEST(Folder, SaysWhichFolderIsMissing) {
  const auto folder = Folder::open("/nowhere/at/all");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().text(), "cannot open the folder /nowhere/at/all: No such file or directory");
  EXPECT_EQ(Folder::open("/dev/null").error().text(), "cannot open the folder /dev/null: Not a directory");
}

}  // namespace
}  // namespace ballast::io
