#include "config/tree.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::config {
namespace {

using testing::HasSubstr;

// The tree in one line: lists as [a, b], maps as {k: v}, nothing as ~.
std::string flat(const Node& node) {
  std::string text;
  switch (node.kind) {
    case Node::Kind::Null:
      return "~";
    case Node::Kind::Scalar:
      return node.text;
    case Node::Kind::List:
      for (const Node& item : node.items) text += (text.empty() ? "" : ", ") + flat(item);
      return "[" + text + "]";
    case Node::Kind::Map:
      for (const Entry& entry : node.entries) text += (text.empty() ? "" : ", ") + entry.key + ": " + flat(entry.value);
      return "{" + text + "}";
  }
  return text;
}

struct Parsed {
  Node root;
  std::string errors;
};

Parsed parse(const std::string& text, const TreeLimits& limits = {}) {
  Diagnostics diagnostics;
  const int file = diagnostics.add_file("t.yaml", text);
  Parsed parsed;
  parsed.root = parse_yaml(text, file, limits, diagnostics);
  for (const Diagnostic& d : diagnostics.sorted()) parsed.errors += diagnostics.place(d.mark) + " " + d.text + "\n";
  return parsed;
}

TEST(Tree, HoldsWhatTheTextSays) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "~"},
      {"# only a comment\n", "~"},
      {"a: 1", "{a: 1}"},
      {"a:\nb: ''\nc: ~", "{a: ~, b: , c: ~}"},
      {"a: [x, 'y z', \"t\\tn\"]", "{a: [x, y z, t\tn]}"},
      {"a: {b: {c: d}}\ne:\n  - f\n  - g: h", "{a: {b: {c: d}}, e: [f, {g: h}]}"},
      {"a: &x {k: v}\nb: *x", "{a: {k: v}, b: {k: v}}"},
      {"a: &x v\nb: [*x, *x]", "{a: v, b: [v, v]}"},
      {"a: |\n  two\n  lines\n", "{a: two\nlines\n}"},
      {"\xEF\xBB\xBF"
       "a: 1\r\nb: 2\r\n",
       "{a: 1, b: 2}"},
  };
  for (const auto& [text, tree] : cases) {
    const Parsed parsed = parse(text);
    EXPECT_EQ(parsed.errors, "") << text;
    EXPECT_EQ(flat(parsed.root), tree) << text;
  }
}

TEST(Tree, KnowsWhereEverythingStands) {
  const Node root = parse("a:\n  b: [x,\n    y]\n").root;
  const Entry& b = root.find("a")->entries[0];
  EXPECT_EQ(b.key_mark.line, 2);
  EXPECT_EQ(b.key_mark.column, 3);
  EXPECT_EQ(b.value.mark.column, 6);
  EXPECT_EQ(b.value.items[1].mark.line, 3);
  EXPECT_EQ(b.value.items[1].mark.column, 5);
  EXPECT_EQ(root.mark_of("a").line, 1);
}

TEST(Tree, RefusesWithPlaceAndReason) {
  const std::pair<std::string, const char*> cases[] = {
      {"a: 1\nb: 2\na: 3\n", "t.yaml:3:1 the key \"a\" is given twice\n"},
      {"a: {b: 1, b: 2}", "t.yaml:1:11 the key \"b\" is given twice\n"},
      {"a: 1\n---\nb: 2\n", "t.yaml:2:1 a second document begins here; a configuration file is one document\n"},
      {"a: &x [*x]", "t.yaml:1:8 this alias stands inside the value that it names\n"},
      {"a: *y", "t.yaml:1:4 not YAML: the referenced anchor is not defined\n"},
      {"? [x]\n: y\nb: 1", "t.yaml:1:3 a list cannot be a key; a key is a name\n"},
      {"~: y", "t.yaml:1:1 nothing cannot be a key; a key is a name\n"},
      {"a: !!binary eHg=", "t.yaml:1:4 the tag \"tag:yaml.org,2002:binary\" is not used here; remove it\n"},
      {"a: [1", "t.yaml:1:1 not YAML: end of sequence flow not found\n"},
      {"a: b: c", "t.yaml:1:5 not YAML: illegal map value\n"},
      {std::string("a: \0", 4), "t.yaml:1:4 not UTF-8 text\n"},
      {"a: 1\nb: \xFF\n", "t.yaml:2:4 not UTF-8 text\n"},
      {"a: \xC0\x80", "t.yaml:1:4 not UTF-8 text\n"},
      {"a: \xED\xA0\x80", "t.yaml:1:4 not UTF-8 text\n"},
      {"a: \xF4\x90\x80\x80", "t.yaml:1:4 not UTF-8 text\n"},
      {"a: \xE2\x82", "t.yaml:1:4 not UTF-8 text\n"},
  };
  for (const auto& [text, errors] : cases) EXPECT_EQ(parse(text).errors, errors) << text;
}

TEST(Tree, NotesSayWhereTheUnfinishedBegins) {
  Diagnostics diagnostics;
  const std::string text = "x: 1\na: [1\n";
  parse_yaml(text, diagnostics.add_file("t.yaml", text), {}, diagnostics);
  EXPECT_THAT(diagnostics.sorted().at(0).notes, testing::ElementsAre("inside a list that begins at t.yaml:2:4"));
  Diagnostics tabs;
  const std::string tab = "a:\n\t- b\n";
  parse_yaml(tab, tabs.add_file("t.yaml", tab), {}, tabs);
  EXPECT_THAT(tabs.sorted().at(0).notes, testing::Contains("this line is indented with a tab; YAML takes only spaces"));
}

TEST(Tree, IsBounded) {
  EXPECT_EQ(parse("a: 1", {.bytes_max = 3}).errors, "t.yaml the file has more than 3 bytes; split it with include\n");
  EXPECT_EQ(parse("[[[x]]]", {.depth_max = 3}).errors, "");
  EXPECT_EQ(parse("[[[[x]]]]", {.depth_max = 3}).errors, "t.yaml:1:4 nested more than 3 levels deep\n");
  EXPECT_EQ(parse("[1, 2, 3]", {.nodes_max = 4}).errors, "");
  EXPECT_EQ(parse("[1, 2, 3, 4]", {.nodes_max = 4}).errors, "t.yaml:1:11 more than 4 values, aliases included\n");
  EXPECT_EQ(parse("[abc, de]", {.scalar_bytes_max = 4}).errors,
            "t.yaml:1:7 more than 4 bytes of text, aliases included\n");
  // Deeper than yaml-cpp itself goes.
  EXPECT_THAT(parse(std::string(5'000, '[')).errors, HasSubstr("nested more than 32 levels deep"));
}

TEST(Tree, AliasesOfAliasesStayWithinTheBounds) {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    laughs += fmt::format("a{}: &a{} [", i, i);
    for (int k = 0; k < 10; ++k) laughs += fmt::format("{}*a{}", k == 0 ? "" : ", ", i - 1);
    laughs += "]\n";
  }
  EXPECT_THAT(parse(laughs).errors, HasSubstr("more than 200000 values, aliases included"));
  // Two levels an alias: depth counts what comes out, not what was written.
  EXPECT_THAT(parse("a: &a [[x]]\nb: [[*a]]", {.depth_max = 4}).errors, HasSubstr("nested more than 4 levels"));
  EXPECT_EQ(parse("a: &a [[x]]\nb: [[*a]]", {.depth_max = 5}).errors, "");
  const std::string large(1'000'000, 'x');
  EXPECT_THAT(
      parse("a: &a " + large + "\nb: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n").errors,
      HasSubstr("bytes of text"));
}

}  // namespace
}  // namespace ballast::config
