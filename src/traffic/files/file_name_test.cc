#include "traffic/files/file_name.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

// "!" refused, "?" not found, else the name, with '/' behind it for a folder.
std::string name_of(Bytes path, const NameRules& rules = {}) {
  const FileName found = file_name_of(path, rules);
  if (found.verdict == FileName::Verdict::Refused) return "!";
  if (found.verdict == FileName::Verdict::NotFound) return "?";
  return found.name + (found.is_folder ? "/" : "");
}

TEST(FileName, OfPaths) {
  struct Case {
    const char* path;
    const char* name;
  };
  const std::vector<Case> cases{
      {"/", "/"},
      {"/a", "a"},
      {"/a/", "a/"},
      {"/a/b.txt", "a/b.txt"},
      {"//a", "a"},
      {"/a//b///", "a/b/"},
      {"///", "/"},
      {"/a%20b", "a b"},
      {"/%61", "a"},
      {"/a+b", "a+b"},
      {"/a;b=c", "a;b=c"},
      {"/a?b", "a?b"},  // the query has been taken off before; what is left is a name
      {"/caf%C3%A9", "caf\xc3\xa9"},
      {"/caf\xc3\xa9", "caf\xc3\xa9"},
      {"/%F0%9F%98%80", "\xf0\x9f\x98\x80"},
      {"/a...b", "a...b"},
      {"/a..", "a.."},
      {"/a.", "a."},
      {"/~user", "~user"},
      {"/%2541", "%41"},  // decoded once
      {"/%252e%252e/x", "%2e%2e/x"},
      {"/.well-known/acme-challenge/x", ".well-known/acme-challenge/x"},
      // Out of the root, in every spelling.
      {"/..", "!"},
      {"/../", "!"},
      {"/../x", "!"},
      {"/a/../x", "!"},
      {"/a/..", "!"},
      {"/%2e%2e/x", "!"},
      {"/%2E./x", "!"},
      {"/.%2e", "!"},
      {"/..%2fx", "!"},
      {"/..%5cx", "!"},
      {"/..\\x", "!"},
      {"/a%2fb", "!"},
      {"/a%2Fb", "!"},
      {"/%2f", "!"},
      {"/.", "!"},
      {"/./a", "!"},
      {"/a/%2e/b", "!"},
      // Overlong '.', '/' and NUL; surrogates; beyond Unicode; cut and stray bytes.
      {"/%c0%ae%c0%ae/x", "!"},
      {"/%c0%af", "!"},
      {"/%e0%80%af", "!"},
      {"/%f0%80%80%af", "!"},
      {"/%c0%80", "!"},
      {"/%ed%a0%80", "!"},
      {"/%f4%90%80%80", "!"},
      {"/%f8%88%80%80%80", "!"},
      {"/%c3", "!"},
      {"/%c3/%a9", "!"},
      {"/%a9", "!"},
      {"/%ff", "!"},
      // What is no name at all.
      {"/a%00b", "!"},
      {"/%00", "!"},
      {"/a%0ab", "!"},
      {"/a%0d%0aSet-Cookie:x", "!"},
      {"/a%7f", "!"},
      {"/a%", "!"},
      {"/a%2", "!"},
      {"/a%zz", "!"},
      {"/%u002e", "!"},
      {"*", "?"},
      {"a", "?"},
      // Hidden.
      {"/.git/config", "!"},
      {"/.env", "!"},
      {"/a/.htpasswd", "!"},
      {"/%2egit/config", "!"},
      {"/...", "!"},
      {"/a/.well-known/x", "!"},
      {"/.well-known/.x", "!"},
      {"/.well-knownx", "!"},
  };
  for (const Case& one : cases) EXPECT_EQ(name_of(one.path), one.name) << one.path;
}

TEST(FileName, HiddenOnesWhereTheyAreServed) {
  const NameRules rules{.hidden = HiddenFiles::Served};
  EXPECT_EQ(name_of("/.git/config", rules), ".git/config");
  EXPECT_EQ(name_of("/...", rules), "...");
  EXPECT_EQ(name_of("/..", rules), "!");
  EXPECT_EQ(name_of("/./a", rules), "!");
}

TEST(FileName, BehindAPrefix) {
  const NameRules rules{.strip_prefix = "/static"};
  EXPECT_EQ(name_of("/static/a", rules), "a");
  EXPECT_EQ(name_of("/static/", rules), "/");
  EXPECT_EQ(name_of("/static", rules), "");
  EXPECT_EQ(name_of("/static//a", rules), "a");
  EXPECT_EQ(name_of("/statically/a", rules), "?");
  EXPECT_EQ(name_of("/other", rules), "?");
  EXPECT_EQ(name_of("/%73tatic/a", rules), "?");
  EXPECT_EQ(name_of("/static/../a", rules), "!");
  EXPECT_EQ(name_of("/static/a", {.strip_prefix = "/static/"}), "a");
  EXPECT_EQ(name_of("/a", {.strip_prefix = "/"}), "a");
}

TEST(FileName, OnlySoLong) {
  const std::string segment(255, 'x');
  EXPECT_EQ(name_of("/" + segment), segment);
  EXPECT_EQ(name_of("/" + segment + "x"), "?");
  std::string encoded;
  for (int i = 0; i < 255; ++i) encoded += "%78";
  EXPECT_EQ(name_of("/" + encoded), segment);
  std::string path;
  for (int i = 0; i < 15; ++i) path += "/" + segment;
  EXPECT_EQ(name_of(path).size(), 15U * 256 - 1);
  EXPECT_EQ(name_of(path + "/" + segment), "?");
}

TEST(FileName, AsAPathAgain) {
  for (const char* name : {"a/b.txt", "a b", "%41", "caf\xc3\xa9", "<script>\"'&", "a?b#c", "a;b:c@d"}) {
    std::string path = "/";
    append_path_of(path, name);
    EXPECT_EQ(path.find_first_of(" <>\"'&?#;:@\\"), std::string::npos) << path;
    EXPECT_EQ(name_of(path), name);
  }
}

}  // namespace
}  // namespace ballast::traffic
