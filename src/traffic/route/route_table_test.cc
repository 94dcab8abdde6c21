#include "traffic/route/route_table.h"

#include <map>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

std::optional<std::uint32_t> any_group(std::string_view) {
  return 0;
}

config::Listener listener(std::vector<config::Rule> rules) {
  config::Listener made;
  made.name = "web";
  made.rules = std::move(rules);
  made.default_action = config::Forward{.groups = {{.group = "site"}}};
  return made;
}

config::Rule rule(std::string name, config::Match match) {
  return {.name = std::move(name),
          .match = std::move(match),
          .action = config::Forward{.groups = {{.group = "site"}}},
          .mark = {}};
}

TEST(RouteTable, FirstMatchWinsThenTheDefault) {
  const auto table = RouteTable::compile(listener({
                                             rule("api", {.host = {{"api.example.com"}}, .path = {{"/v1/*"}}}),
                                             rule("any-v1", {.path = {{"/v1/*"}}}),
                                             rule("sub", {.host = {{"*.example.com"}}}),
                                             rule("late", {.host = {{"api.example.com"}}}),
                                         }),
                                         any_group);
  ASSERT_TRUE(table);
  struct Case {
    const char* host;
    const char* path;
    const char* route;
  };
  const std::vector<Case> cases{
      {"api.example.com", "/v1/x", "api"},
      {"API.example.COM", "/v1/x", "api"},
      {"b.example.com", "/v1/x", "any-v1"},
      {"api.example.com", "/v2", "sub"},
      {"a.b.example.com", "/", "sub"},
      {"example.com", "/", "default"},
      {"", "/", "default"},
      {"api.example.com.", "/v2", "sub"},
  };
  for (const Case& c : cases) {
    const Route* route = table->match({.host = c.host, .path = c.path});
    ASSERT_NE(route, nullptr);
    EXPECT_EQ(route->name, c.route) << c.host << c.path;
    EXPECT_EQ(&table->routes()[route->index], route);
  }
  EXPECT_EQ(RouteTable().match({}), nullptr);
}

TEST(RouteTable, AgreesWithTryingAllInOrder) {
  std::mt19937 random(11);
  const std::vector<std::string> patterns{"a.com",   "b.com", "x.a.com",   "*.a.com", "*.com", "*a.com",
                                          "*",       "x.*",   "?.a.com",   "*.x.*",   ".",     "A.com",
                                          "*.a.com", "com",   "*.y.a.com", "a.com.",  "*."};
  const std::vector<std::string> hosts{"a.com",
                                       "A.COM",
                                       "b.com",
                                       "x.a.com",
                                       "y.a.com",
                                       "x.y.a.com",
                                       "xa.com",
                                       "com",
                                       ".a.com",
                                       "x.y.z.com",
                                       "c.com.",
                                       "",
                                       ".",
                                       "..",
                                       "a..com",
                                       std::string(300, 'y') + ".y.a.com",
                                       std::string(5000, '.') + "a.com"};
  const std::vector<std::string> paths{"/", "/v1", "/v1/x"};
  int non_default = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<config::Rule> rules;
    std::vector<Conditions> naive;
    for (std::size_t i = 0, size = random() % 12; i < size; ++i) {
      config::Match match;
      for (std::size_t n = random() % 4; n > 0; --n) match.host.push_back({patterns[random() % patterns.size()]});
      if (random() % 10 == 0) match.host.push_back({"[a-x]\\..*", true});
      if (random() % 2 == 0 || match.host.empty()) match.path.push_back({paths[random() % paths.size()]});
      naive.push_back(*Conditions::compile(match));
      rules.push_back(rule(fmt::format("rule-{}", i), std::move(match)));
    }
    const auto table = RouteTable::compile(listener(std::move(rules)), any_group);
    ASSERT_TRUE(table);
    for (const std::string& host : hosts) {
      for (const std::string& path : paths) {
        const RequestFacts facts{.host = host, .path = path};
        std::uint32_t expected = 0;
        while (expected < naive.size() && !naive[expected].hold(facts)) ++expected;
        ASSERT_EQ(table->match(facts)->index, expected) << "round " << round << " " << host << path;
        non_default += expected < naive.size() ? 1 : 0;
      }
    }
  }
  EXPECT_GT(non_default, 5000);
}

TEST(RouteTable, ForwardsByWeight) {
  config::Listener weighted = listener({});
  weighted.default_action = config::Forward{
      .groups = {{.group = "v2", .weight = 10}, {.group = "off", .weight = 0}, {.group = "v1", .weight = 90}}};
  const auto table = RouteTable::compile(weighted, [](std::string_view name) {
    return std::optional<std::uint32_t>(name == "v1" ? 7 : name == "v2" ? 3 : 5);
  });
  ASSERT_TRUE(table);
  const auto& forward = std::get<ForwardTo>(table->match({})->action);
  std::map<std::uint32_t, int> counts;
  const std::uint64_t step = ~std::uint64_t{0} / 1000;
  for (std::uint64_t i = 0; i < 1000; ++i) ++counts[forward.pick(i * step + step / 2)->group_index];
  EXPECT_THAT(counts, ::testing::ElementsAre(::testing::Pair(3, 100), ::testing::Pair(7, 900)));
  EXPECT_EQ(forward.pick(0)->group, "v2");
  EXPECT_EQ(forward.pick(~std::uint64_t{0})->group, "v1");
}

TEST(RouteTable, AllWeightsZeroPickNothing) {
  config::Listener off = listener({});
  off.default_action = config::Forward{.groups = {{.group = "a", .weight = 0}}};
  const auto table = RouteTable::compile(off, any_group);
  EXPECT_EQ(std::get<ForwardTo>(table->match({})->action).pick(12345), nullptr);
}

TEST(RouteTable, OtherActions) {
  config::Listener with = listener({rule("moved", {.path = {{"/old"}}}), rule("fixed", {.path = {{"/fixed"}}})});
  with.rules[0].action = config::Redirect{.status = 308, .to = "https://{host}/"};
  with.rules[1].action = config::FixedResponse{.status = 418, .content_type = "text/html", .body = "tea"};
  const auto table = RouteTable::compile(with, any_group);
  ASSERT_TRUE(table);
  EXPECT_EQ(std::get<RedirectTo>(table->match({.path = "/old"})->action).status(), 308);
  const auto& fixed = std::get<FixedAnswer>(table->match({.path = "/fixed"})->action);
  EXPECT_EQ(fixed.status, 418);
  EXPECT_EQ(fixed.content_type, "text/html");
  EXPECT_EQ(fixed.body, "tea");
}

TEST(RouteTable, ErrorsNameTheRule) {
  const auto error_of = [](const config::Listener& wrong) {
    const auto table = RouteTable::compile(
        wrong, [](std::string_view name) { return name == "site" ? std::optional(0u) : std::nullopt; });
    return table ? "compiled" : table.error().text();
  };
  EXPECT_EQ(error_of(listener({rule("r", {.path = {{"(", true}}})})),
            "listener \"web\", rule \"r\": match path \"(\": not a regular expression (RE2 syntax): missing ): (");
  config::Listener wrong = listener({});
  wrong.default_action = config::Forward{.groups = {{.group = "sight"}}};
  EXPECT_EQ(error_of(wrong), "listener \"web\", rule \"default\": forward: no target group \"sight\"");
  wrong.default_action = config::Forward{};
  EXPECT_EQ(error_of(wrong), "listener \"web\", rule \"default\": forward: no target group is named");
  wrong.default_action = config::FixedResponse{.content_type = "a\r\nX: 1"};
  EXPECT_EQ(error_of(wrong), "listener \"web\", rule \"default\": fixed response: content_type holds a control byte");
  wrong.default_action = config::FixedResponse{.status = 100};
  EXPECT_EQ(error_of(wrong), "listener \"web\", rule \"default\": fixed response: status 100 is not 200 to 599");
  wrong.default_action.reset();
  EXPECT_EQ(error_of(wrong), "listener \"web\" has no default action; add `default: { forward: GROUP }`");
}

}  // namespace
}  // namespace ballast::traffic
