#include "traffic/route/conditions.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

// Fields over a text of their own.
struct Headers {
  explicit Headers(const std::vector<std::pair<std::string, std::string>>& lines) {
    for (const auto& [name, value] : lines) text += name + value;
    fields.clear(text.data());
    std::uint32_t at = 0;
    for (const auto& [name, value] : lines) {
      const auto name_size = static_cast<std::uint32_t>(name.size());
      const auto value_size = static_cast<std::uint32_t>(value.size());
      fields.add({.name_at = at,
                  .value_at = at + name_size,
                  .value_size = value_size,
                  .name_size = static_cast<std::uint16_t>(name_size)});
      at += name_size + value_size;
    }
  }
  std::string text;
  http::Fields fields;
};

config::Network network(std::array<std::uint8_t, 16> bytes, int bits) {
  return {.bytes = bytes, .prefix_bits = static_cast<std::uint8_t>(bits)};
}
constexpr std::array<std::uint8_t, 16> v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
}

TEST(Network, Contains) {
  const auto ten = network(v4(10, 0, 0, 0), 96 + 8);
  EXPECT_TRUE(contains(ten, v4(10, 255, 1, 2)));
  EXPECT_FALSE(contains(ten, v4(11, 0, 0, 0)));
  const auto odd = network(v4(192, 168, 64, 0), 96 + 18);
  EXPECT_TRUE(contains(odd, v4(192, 168, 127, 255)));
  EXPECT_FALSE(contains(odd, v4(192, 168, 128, 0)));
  EXPECT_FALSE(contains(odd, v4(192, 168, 63, 255)));
  EXPECT_TRUE(contains(network({}, 0), v4(1, 2, 3, 4)));
  EXPECT_TRUE(contains(network(v4(1, 2, 3, 4), 128), v4(1, 2, 3, 4)));
  EXPECT_FALSE(contains(network(v4(1, 2, 3, 4), 128), v4(1, 2, 3, 5)));
  // A v4 network does not hold the v6 address with the same first bytes.
  EXPECT_FALSE(contains(ten, {10}));
}

TEST(Conditions, Table) {
  const Headers headers({{"X-Beta", "Yes"}, {"Accept", "text/html"}, {"x-beta", "two"}});
  const RequestFacts facts{.host = "WWW.Example.com.",
                           .path = "/v1/Users",
                           .query = "a=1&b=x%20y",
                           .method = "GET",
                           .fields = &headers.fields,
                           .source = v4(10, 1, 2, 3)};
  const auto ten = network(v4(10, 0, 0, 0), 104);
  const auto other = network(v4(192, 168, 0, 0), 112);
  struct Case {
    const char* name;
    config::Match match;
    bool holds;
  };
  const std::vector<Case> cases{
      {"no condition", {}, true},
      {"host", {.host = {{"www.EXAMPLE.com"}}}, true},
      {"host with the final dot", {.host = {{"www.example.com."}}}, true},
      {"host wildcard", {.host = {{"*.example.com"}}}, true},
      {"any of the hosts", {.host = {{"a.com"}, {"*.example.com"}}}, true},
      {"no host", {.host = {{"a.com"}, {"example.com"}}}, false},
      {"host regex, without case", {.host = {{"www\\.example\\.(com|org)", true}}}, true},
      {"path", {.path = {{"/v1/*"}}}, true},
      {"path with case", {.path = {{"/v1/users"}}}, false},
      {"method", {.method = {"POST", "GET"}}, true},
      {"method with case", {.method = {"get"}}, false},
      {"header without case", {.header = {{"X-BETA", {"yes"}}}}, true},
      {"header, its second line", {.header = {{"X-Beta", {"tw?"}}}}, true},
      {"header, wrong value", {.header = {{"X-Beta", {"no"}}}}, false},
      {"header, not there", {.header = {{"X-Bet", {"*"}}}}, false},
      {"both headers", {.header = {{"X-Beta", {"yes"}}, {"accept", {"text/*"}}}}, true},
      {"one header of two", {.header = {{"X-Beta", {"yes"}}, {"accept", {"image/*"}}}}, false},
      {"query", {.query = {{"b", {"x y"}}}}, true},
      {"query, both", {.query = {{"b", {"x y"}}, {"a", {"2"}}}}, false},
      {"source", {.source = {other, ten}}, true},
      {"no source", {.source = {other}}, false},
      {"all", {.host = {{"www.*"}}, .path = {{"/v1*"}}, .method = {"GET"}, .source = {ten}}, true},
      {"all but one", {.host = {{"www.*"}}, .path = {{"/v2*"}}, .method = {"GET"}, .source = {ten}}, false},
  };
  for (const Case& c : cases) {
    const auto conditions = Conditions::compile(c.match);
    ASSERT_TRUE(conditions) << c.name;
    EXPECT_EQ(conditions->hold(facts), c.holds) << c.name;
  }
}

TEST(Conditions, AConnectionWithoutARequestHasOnlyItsSource) {
  const RequestFacts connection{.source = v4(10, 1, 2, 3)};
  EXPECT_TRUE(Conditions::compile({.source = {network(v4(10, 0, 0, 0), 104)}})->hold(connection));
  EXPECT_FALSE(Conditions::compile({.header = {{"x", {"*"}}}})->hold(connection));
  EXPECT_FALSE(Conditions::compile({.method = {"GET"}})->hold(connection));
}

TEST(Conditions, AnErrorNamesTheCondition) {
  const auto refused = Conditions::compile({.header = {{"X-Beta", {"(", true}}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text(), "match header X-Beta \"(\": not a regular expression (RE2 syntax): missing ): (");
}

}  // namespace
}  // namespace ballast::traffic
