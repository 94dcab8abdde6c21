#include "io/file.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/system.h"
#include "io/thread.h"

namespace ballast::io {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string name = testing::TempDir() + "file_test.XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~FileTest() override {
    std::filesystem::remove_all(folder_);
    EXPECT_EQ(open_descriptor_count(), descriptors_);
  }
  std::string path(const char* name) const { return folder_ + "/" + name; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }
  std::string folder_;
  std::size_t descriptors_ = open_descriptor_count();
};

TEST_F(FileTest, WritesAndReadsWhole) {
  const std::string content = std::string(100'000, 'x') + '\0' + "end";
  ASSERT_TRUE(write_file_atomically(path("a"), content, 0600).has_value());
  EXPECT_EQ(read_file(path("a"), content.size()).value(), content);
  struct stat status{};
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ASSERT_TRUE(write_file_atomically(path("a"), "", 0666).has_value());
  EXPECT_EQ(read_file(path("a"), 0).value(), "");
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0666U);
  EXPECT_EQ(files(), 1U);
}

TEST_F(FileTest, AReaderNeverSeesHalfAFile) {
  const std::string contents[2] = {std::string(50'000, 'a'), std::string(70'000, 'b')};
  ASSERT_TRUE(write_file_atomically(path("a"), contents[0], 0600).has_value());
  std::atomic<bool> done = false;
  Thread writer("writer", [&] {
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(write_file_atomically(path("a"), contents[i % 2], 0600).has_value());
    done = true;
  });
  while (!done) {
    const auto seen = read_file(path("a"), 1'000'000);
    ASSERT_TRUE(seen.has_value());
    ASSERT_TRUE(*seen == contents[0] || *seen == contents[1]) << seen->size() << " bytes";
  }
}

TEST_F(FileTest, ReadingSaysWhatIsWrong) {
  const auto none = read_file(path("none"), 10);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code(), Code::NotFound);
  EXPECT_EQ(none.error().text(), "cannot read " + path("none") + ": No such file or directory");
  EXPECT_EQ(read_file(folder_, 10).error().text(), "cannot read " + folder_ + ": Is a directory");
  ASSERT_TRUE(write_file_atomically(path("a"), "12345", 0600).has_value());
  EXPECT_EQ(read_file(path("a"), 5).value(), "12345");
  EXPECT_EQ(read_file(path("a"), 4).error().text(), "cannot read " + path("a") + ": it is larger than 4 bytes");
  EXPECT_EQ(read_file(path("a"), 4).error().code(), Code::TooLarge);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(read_file(path("pipe"), 10).value(), "");
  EXPECT_EQ(read_file("/dev/zero", 10'000).error().code(), Code::TooLarge);
  EXPECT_GT(read_file("/proc/self/maps", 10'000'000).value().size(), 1000U);
}

TEST_F(FileTest, AFailedWriteLeavesTheOldFileAndNothingElse) {
  EXPECT_EQ(write_file_atomically(path("none/a"), "x", 0600).error().text(),
            "cannot write " + path("none/a") + ": create a file in " + path("none") + ": No such file or directory");
  ASSERT_EQ(::mkdir(path("folder").c_str(), 0700), 0);
  ASSERT_TRUE(write_file_atomically(path("folder/inside"), "x", 0600).has_value());
  EXPECT_EQ(write_file_atomically(path("folder"), "x", 0600).error().text(),
            "cannot write " + path("folder") + ": rename to it: Is a directory");
  EXPECT_EQ(files(), 1U);
}

TEST_F(FileTest, AppendsAndReopens) {
  auto log = AppendFile::open(path("log"));
  ASSERT_TRUE(log.has_value());
  ASSERT_TRUE(log->append("one\n").has_value());
  ASSERT_EQ(::rename(path("log").c_str(), path("log.1").c_str()), 0);
  ASSERT_TRUE(log->append("two\n").has_value());
  ASSERT_TRUE(log->reopen().has_value());
  ASSERT_TRUE(log->append("three\n").has_value());
  EXPECT_EQ(read_file(path("log.1"), 100).value(), "one\ntwo\n");
  EXPECT_EQ(read_file(path("log"), 100).value(), "three\n");
  ASSERT_TRUE(AppendFile::open(path("log"))->append("four\n").has_value());
  EXPECT_EQ(read_file(path("log"), 100).value(), "three\nfour\n");

  AppendFile moved = std::move(*log);
  std::filesystem::rename(path("log"), path("log.2"));
  ASSERT_EQ(::mkdir(path("log").c_str(), 0700), 0);
  EXPECT_EQ(moved.reopen().error().text(),
            "cannot reopen " + path("log") + " (the old file is still written to): Is a directory");
  ASSERT_TRUE(moved.append("five\n").has_value());
  EXPECT_EQ(read_file(path("log.2"), 100).value(), "three\nfour\nfive\n");
}

TEST_F(FileTest, AppendingSaysWhatIsWrong) {
  EXPECT_EQ(AppendFile::open(path("none/log")).error().text(),
            "cannot open " + path("none/log") + " to append: No such file or directory");
  EXPECT_EQ(AppendFile::open("/dev/full")->append("x").error().text(),
            "cannot append to /dev/full: No space left on device");
  EXPECT_EQ(AppendFile::open("/dev/full")->append("x").error().code(), Code::Exhausted);
}

TEST(AppendFile, TheStandardOutputStaysOpen) {
  {
    auto out = AppendFile::standard_output();
    ASSERT_TRUE(out.has_value());
    EXPECT_TRUE(out->reopen().has_value());
    EXPECT_TRUE(out->append("").has_value());
  }
  EXPECT_NE(::fcntl(STDOUT_FILENO, F_GETFD), -1);
}

TEST(AppendFile, AStandardOutputThatDoesNotBlockGetsItAll) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(::fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
  const int before = ::dup(STDOUT_FILENO);
  ASSERT_EQ(::dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
  ::close(ends[1]);
  std::size_t got = 0;
  {
    Thread reader("reader", [&] {
      char part[5000];
      for (ssize_t count = 0; (count = ::read(ends[0], part, sizeof part)) > 0;) got += static_cast<std::size_t>(count);
    });
    EXPECT_TRUE(AppendFile::standard_output()->append(std::string(300'000, 'x')).has_value());
    ::dup2(before, STDOUT_FILENO);
  }
  ::close(before);
  EXPECT_EQ(got, 300'000U);
  ::close(ends[0]);
}

}  // namespace
}  // namespace ballast::io
