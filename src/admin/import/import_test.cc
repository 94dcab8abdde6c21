#include "admin/import/import.h"

#include <gtest/gtest.h>

#include "config/memory_files.h"

namespace ballast::admin {
namespace {

TEST(ImportText, IsQuotedWhereItMustBe) {
  const struct {
    std::string_view text;
    std::string_view yaml;
  } rows[] = {
      {"tomcat1", "tomcat1"},
      {"a.b_c-d", "a.b_c-d"},
      {"", "\"\""},
      {"yes", "\"yes\""},
      {"NULL", "\"NULL\""},
      {"0123", "\"0123\""},
      {"a: b", "\"a: b\""},
      {"\"\\", "\"\\\"\\\\\""},
      {"a\nb\x7f", "\"a\\x0ab\\x7f\""},
      {"${HOME}$x", "\"$${HOME}$x\""},
      {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
      {"gr\xfc\xdf", "\"gr\\xfc\\xdf\""},
      {"\xe2\x82", "\"\\xe2\\x82\""},
  };
  for (const auto& row : rows) EXPECT_EQ(yaml_text(row.text), row.yaml) << row.text;
}

TEST(ImportText, BecomesAName) {
  EXPECT_EQ(yaml_name("node 1"), "node-1");
  EXPECT_EQ(yaml_name("-.a"), "a");
  EXPECT_EQ(yaml_name("\xff\xff"), "unnamed");
  EXPECT_EQ(yaml_name(""), "unnamed");
  EXPECT_EQ(yaml_name(std::string(100, 'a')).size(), 64u);
}

TEST(ImportFile, SaysWhatItCannotRead) {
  config::MemoryFiles files;
  files.files["/etc/odd.txt"] = "nothing known";
  const auto text = [&](const std::string& path, std::string_view from) {
    const Result<Imported> imported = import_file(path, from, files);
    return imported ? "imported" : imported.error().text();
  };
  EXPECT_NE(text("/etc/gone", "").find("cannot read \"/etc/gone\""), std::string::npos);
  EXPECT_NE(text("/etc/odd.txt", "").find("say it with --from"), std::string::npos);
  EXPECT_NE(text("/etc/odd.txt", "varnish").find("no format \"varnish\" to import from"), std::string::npos);
}

}  // namespace
}  // namespace ballast::admin
