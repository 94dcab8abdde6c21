#include "config/recorded_files.h"

#include <gtest/gtest.h>

#include "config/load.h"
#include "config/memory_files.h"

namespace ballast::config {
namespace {

struct RecordedFilesTest : testing::Test {
  RecordedFilesTest() {
    disk.files["/etc/b/main.yaml"] =
        "include: [conf.d/*.yaml]\nlisteners: { web: { address: \":${PORT}\", default: { forward: site } } }\n";
    disk.files["/etc/b/conf.d/site.yaml"] = "target_groups: { site: { targets: [\"10.0.0.1:80\"] } }\n";
    disk.variables["PORT"] = "8081";
    disk.variables["SECRET"] = "not asked for";
  }
  MemoryFiles disk;
};

TEST_F(RecordedFilesTest, TheSameConfigurationIsLoadedAgain) {
  RecordingFiles recorder(disk, "/etc/b/main.yaml");
  const auto first = load("/etc/b/main.yaml", {.files = recorder});
  ASSERT_TRUE(first) << first.error().render();
  disk.files.clear();
  disk.variables.clear();

  const auto kept = read_recording(write_recording(recorder.recording()));
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept, recorder.recording());
  EXPECT_EQ(kept->environment.size(), 1U) << "only what the file names";
  RecordedFiles replayed(*kept);
  const auto again = load(kept->path, {.files = replayed});
  ASSERT_TRUE(again) << again.error().render();
  EXPECT_EQ(again->settings.listeners, first->settings.listeners);
  EXPECT_EQ(again->settings.target_groups, first->settings.target_groups);
}

TEST_F(RecordedFilesTest, WhatWasNotThereIsNotThere) {
  const Recording empty;
  RecordedFiles files(empty);
  EXPECT_EQ(files.read("/etc/b/main.yaml", 100).error().code(), Code::NotFound);
  EXPECT_EQ(files.folder("/etc").error().code(), Code::NotFound);
  EXPECT_EQ(files.glob("*").error().code(), Code::NotFound);
  EXPECT_EQ(files.environment("PORT"), std::nullopt);
}

TEST_F(RecordedFilesTest, WhatIsNoRecordingIsRefused) {
  for (const char* text : {"", "{}", "[]", R"({"path": 1})", R"({"path": "a", "files": {"a": 1}, "folders": {}})",
                           R"({"path": "a", "files": {}, "folders": {}, "globs": {"x": "y"}, "environment": {}})"}) {
    EXPECT_FALSE(read_recording(text)) << text;
  }
}

}  // namespace
}  // namespace ballast::config
