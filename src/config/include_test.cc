#include "config/include.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/expand.h"
#include "config/load_files.h"
#include "config/memory_files.h"

namespace ballast::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct ReadResult {
  Node root;
  std::vector<std::string> errors;  // "place text | note"
};

ReadResult read(const std::string& name, FileReader& files, const std::string& text) {
  Diagnostics diagnostics;
  ReadResult result;
  result.root = read_tree(name, text, files, diagnostics);
  for (const Diagnostic& d : diagnostics.sorted()) {
    std::string line = diagnostics.place(d.mark) + " " + d.text;
    for (const std::string& note : d.notes) line += " | " + note;
    result.errors.push_back(line);
  }
  return result;
}

std::vector<std::string> keys(const Node* node) {
  std::vector<std::string> names;
  if (node) {
    for (const Entry& entry : node->entries) names.push_back(entry.key);
  }
  return names;
}

TEST(Include, JoinsSections) {
  MemoryFiles files;
  files.files["etc/conf.d/a.yaml"] = "listeners: { a: {} }\nworkers: 2\n";
  files.files["etc/conf.d/b.yaml"] = "listeners: { b: {} }\ninclude: ../more.yaml\n";
  files.files["etc/more.yaml"] = "target_groups: { g: {} }\n";
  const auto result = read("etc/main.yaml", files, "include: conf.d/*.yaml\nlisteners: { m: {} }\n");
  EXPECT_THAT(result.errors, ElementsAre());
  EXPECT_THAT(keys(&result.root), ElementsAre("listeners", "workers", "target_groups"));
  EXPECT_THAT(keys(result.root.find("listeners")), ElementsAre("m", "a", "b"));
  EXPECT_EQ(result.root.find("listeners")->entries[1].key_mark.file, 1);
}

TEST(Include, AGlobMayMatchNothingAFileMustBeThere) {
  MemoryFiles files;
  const auto result = read("main.yaml", files, "include: [none/*.yaml, there.yaml]\n");
  EXPECT_THAT(result.errors,
              ElementsAre("main.yaml:1:24 include: cannot read \"there.yaml\": No such file or directory"));
}

TEST(Include, TheSameTwiceNamesBothPlaces) {
  MemoryFiles files;
  files.files["a.yaml"] = "listeners:\n  web: {}\nworkers: 2\naccess_log: off\n";
  const auto result = read("main.yaml", files, "include: a.yaml\nlisteners:\n  web: {}\nworkers: 1\naccess_log: {}\n");
  EXPECT_THAT(result.errors, ElementsAre("a.yaml:2:3 listeners.web is given twice | first at main.yaml:3:3",
                                         "a.yaml:3:1 workers is given twice | first at main.yaml:4:1",
                                         "a.yaml:4:1 access_log is given twice | first at main.yaml:5:1"));
}

TEST(Include, CyclesAndRepetitionsAreErrors) {
  MemoryFiles files;
  files.files["a.yaml"] = "include: b.yaml\n";
  files.files["b.yaml"] = "include: ./a.yaml\n";
  EXPECT_THAT(read("a.yaml", files, files.files["a.yaml"]).errors,
              ElementsAre("b.yaml:1:10 include: \"a.yaml\" includes itself | the cycle: a.yaml -> b.yaml -> a.yaml"));
  files.files["b.yaml"] = "workers: 1\n";
  EXPECT_THAT(read("main.yaml", files, "include: [b.yaml, b.yaml]").errors,
              ElementsAre("main.yaml:1:19 include: \"b.yaml\" is included twice | first at main.yaml:1:11"));
  EXPECT_THAT(read("main.yaml", files, "include: main.yaml").errors,
              ElementsAre("main.yaml:1:10 include: \"main.yaml\" includes itself | the cycle: main.yaml -> main.yaml"));
}

TEST(Include, IsBoundedInDepthFilesAndBytes) {
  MemoryFiles files;
  for (int i = 1; i < 10; ++i) files.files[fmt::format("{}.yaml", i)] = fmt::format("include: {}.yaml\n", i + 1);
  EXPECT_THAT(read("0.yaml", files, "include: 1.yaml").errors,
              ElementsAre("8.yaml:1:1 includes are nested more than 8 levels deep"));
  files.files.clear();
  for (int i = 0; i < 300; ++i) files.files[fmt::format("d/{:03}.yaml", i)] = "";
  EXPECT_THAT(read("main.yaml", files, "include: d/*.yaml").errors,
              ElementsAre("main.yaml:1:10 include: more than 256 files"));
  files.files.clear();
  for (int i = 0; i < 6; ++i) files.files[fmt::format("d/{}.yaml", i)] = "# " + std::string(3 * mib, 'x') + "\n";
  EXPECT_THAT(read("main.yaml", files, "include: d/*.yaml").errors,
              ElementsAre(HasSubstr("cannot read \"d/5.yaml\": it has more than")));
  // Values are counted over all files together.
  files.files.clear();
  std::string many = "[x";
  for (int i = 0; i < 120'000; ++i) many += ",x";
  files.files["a.yaml"] = "a: " + many + "]\n";
  files.files["b.yaml"] = "b: " + many + "]\n";
  EXPECT_THAT(read("main.yaml", files, "include: [a.yaml, b.yaml]").errors,
              ElementsAre(HasSubstr("values, aliases included")));
}

TEST(Include, RefusesOddRequests) {
  MemoryFiles files;
  const std::pair<const char*, const char*> cases[] = {
      {"include: { a: b }", "m.yaml:1:10 include: a file or a list of files is needed, this is a map"},
      {"include:", "m.yaml:1:1 include: a file or a list of files is needed, this is nothing"},
      {"include: [[a]]", "m.yaml:1:11 include: the name of a file is needed, this is a list"},
      {"include: ''", "m.yaml:1:10 include: the name of a file is needed"},
      {"[a]", "m.yaml:1:1 a configuration is a map of sections, this is a list"},
  };
  for (const auto& [text, error] : cases) EXPECT_THAT(read("m.yaml", files, text).errors, ElementsAre(error)) << text;
}

TEST(Variables, AreReplacedInEveryScalar) {
  MemoryFiles files;
  files.variables = {{"PORT", "8080"}, {"EMPTY", ""}, {"TRICK", "x, y: [z"}};
  const std::pair<const char*, const char*> cases[] = {
      {"${PORT}", "8080"},        {":${PORT}/x", ":8080/x"},  {"${PORT}${PORT}", "80808080"},
      {"${NONE:-9090}", "9090"},  {"${EMPTY:-9090}", "9090"}, {"${PORT:-9090}", "8080"},
      {"${EMPTY}", ""},           {"${NONE:-}", ""},          {"$${PORT}", "${PORT}"},
      {"a$b $ {c}", "a$b $ {c}"}, {"${TRICK}", "x, y: [z"},   {"$$${PORT}", "$${PORT}"},
  };
  for (const auto& [text, value] : cases) {
    const auto result = read("m.yaml", files, fmt::format("k: [ '{}' ]", text));
    EXPECT_THAT(result.errors, ElementsAre()) << text;
    EXPECT_EQ(result.root.find("k")->items[0].text, value) << text;
  }
}

TEST(Variables, AreRefusedWithTheReason) {
  MemoryFiles files;
  const std::pair<const char*, const char*> cases[] = {
      {"${NONE}", "m.yaml:1:4 the environment variable NONE is not set; set it, or give a default: ${NONE:-...}"},
      {"${a-b}",
       "m.yaml:1:4 \"a-b\" is not the name of an environment variable; write $${ for the characters \"${\" themselves"},
      {"${}",
       "m.yaml:1:4 \"\" is not the name of an environment variable; write $${ for the characters \"${\" themselves"},
      {"${NONE", "m.yaml:1:4 \"${\" is never closed; write $${ for the characters themselves"},
  };
  for (const auto& [text, error] : cases) {
    EXPECT_THAT(read("m.yaml", files, fmt::format("k: '{}'", text)).errors, ElementsAre(error));
  }
  files.variables["LARGE"] = std::string(1 * mib, 'x');
  std::string text = "k: [";
  for (int i = 0; i < 20; ++i) text += "'${LARGE}', ";
  EXPECT_THAT(read("m.yaml", files, text + "]").errors[0], HasSubstr("the variables of this file hold too much text"));
}

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "ballast-config-XXXXXX") {
    std::string name = path_.string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

TEST(DiskFiles, ReadsGlobsAndSaysWhatFailed) {
  const Folder folder;
  DiskFiles disk;
  const std::string b = folder.write("b.yaml", "bb");
  const std::string a = folder.write("a.yaml", "aa");
  folder.write("c.txt", "cc");
  EXPECT_EQ(*disk.read(a, 2), "aa");
  EXPECT_EQ(disk.read(a, 1).error().text(), fmt::format("cannot read \"{}\": it has more than 1 bytes", a));
  EXPECT_EQ(disk.read(folder / "none", 9).error().text(),
            fmt::format("cannot read \"{}\": No such file or directory", folder / "none"));
  EXPECT_EQ(disk.read(folder / "", 9).error().text(),
            fmt::format("cannot read \"{}\": it is a directory", folder / ""));
  EXPECT_THAT(*disk.glob(folder / "*.yaml"), ElementsAre(a, b));
  EXPECT_THAT(*disk.glob(folder / "none/*.yaml"), ElementsAre());
  EXPECT_THAT(disk.glob("/*/x.yaml").error().text(), HasSubstr("wildcards may stand only behind the last \"/\""));
  EXPECT_EQ(disk.environment("BALLAST_SURELY_NOT_SET"), std::nullopt);
  EXPECT_NE(disk.environment("PATH"), std::nullopt);
}

}  // namespace
}  // namespace ballast::config
