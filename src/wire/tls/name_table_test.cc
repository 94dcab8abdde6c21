#include "wire/tls/name_table.h"

#include <gmock/gmock.h>

namespace ballast::tls {
namespace {

using testing::ElementsAre;

NameTable::Bundle bundle_for(const NameTable& table, Bytes name) {
  const auto found = table.find(name);
  return found.has_value() ? table.bundles()[*found] : NameTable::Bundle{};
}

TEST(NameTable, FindsExactNamesBeforeWildcards) {
  const NameTable table({{.names = {"example.com", "www.example.com"}, .key_kind = "EC"},
                         {.names = {"*.example.com"}, .key_kind = "EC"},
                         {.names = {"example.com"}, .key_kind = "RSA"},
                         {.names = {"example.com"}, .key_kind = "EC"}});
  const NameTable::Bundle none;
  const struct {
    Bytes name;
    NameTable::Bundle wanted;
  } rows[] = {
      {"example.com", {0, 2}},
      {"EXAMPLE.com.", {0, 2}},
      {"www.example.com", {0}},
      {"WWW.example.COM", {0}},
      {"api.example.com", {1}},
      {"a.b.example.com", none},
      {"example.org", none},
      {"", none},
      {".", none},
      {".example.com", none},
      {"com", none},
      {"xexample.com", none},
      {"*.example.com", {1}},
  };
  for (const auto& row : rows) EXPECT_EQ(bundle_for(table, row.name), row.wanted) << row.name;
  EXPECT_EQ(bundle_for(table, std::string(300, 'a') + ".example.com"), none);
  EXPECT_EQ(bundle_for(table, std::string(241, 'a') + ".example.com"), NameTable::Bundle{1});
  EXPECT_THAT(table.bundles()[table.default_bundle()], ElementsAre(0, 2));
}

TEST(NameTable, TheFirstWithoutNamesIsTheDefault) {
  const NameTable table({{.names = {}, .key_kind = "EC"}, {.names = {"a"}, .key_kind = "EC"}});
  EXPECT_THAT(table.bundles()[table.default_bundle()], ElementsAre(0));
  EXPECT_EQ(bundle_for(table, "a"), NameTable::Bundle{1});
}

}  // namespace
}  // namespace ballast::tls
