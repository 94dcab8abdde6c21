// What the configuration says of limits of rate, networks and connections of an address, and what it refuses.
#include "config/protection.h"

#include <gmock/gmock.h>

#include "config/diff.h"
#include "config/load.h"
#include "config/memory_files.h"

namespace ballast::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

MemoryFiles files() {
  MemoryFiles files;
  files.files["/etc/ballast/blocked.txt"] = "192.0.2.0/24\n";
  files.files["/etc/ballast/nobody.txt"] = "# nobody\n";
  files.files["/etc/ballast/names.txt"] = "10.0.0.0/8\nexample.com\n";
  return files;
}

std::string listener(const std::string& rest, const std::string& rules = "") {
  return "{ listeners: { x: { address: ':80', default: { forward: y }, rules: [" + rules + "], " + rest +
         " } }, target_groups: { y: { } } }";
}

Listener loaded(const std::string& text) {
  MemoryFiles disk = files();
  auto loaded = load_text("/etc/ballast/x.yaml", text, {.files = disk});
  EXPECT_TRUE(loaded) << loaded.error().render();
  return loaded ? loaded->settings.listeners.front() : Listener{};
}

std::string errors_of(const std::string& text) {
  MemoryFiles disk = files();
  const auto loaded = load_text("/etc/ballast/x.yaml", text, {.files = disk});
  return loaded ? "" : loaded.error().render();
}

TEST(Protection, FillsInWhatIsNotSaid) {
  const Listener one = loaded(listener("rate_limits: { requests: 100 }"));
  ASSERT_EQ(one.door.rate_limits.size(), 1U);
  const RateLimit wanted{.name = "limit-1", .requests = 100, .burst = 100};
  EXPECT_EQ(one.door.rate_limits.front(), wanted);
  const Listener two = loaded(
      listener("rate_limits: [{ requests: 5, per: 1m, burst: 1 }, { name: other, requests: 1, key: 'cookie:id' }]",
               "{ match: { path: /a }, forward: y, rate_limits: { requests: 2, key: all }, deny: 10.0.0.0/8 }"));
  EXPECT_EQ(two.door.rate_limits[0].burst, 1U);
  EXPECT_EQ(two.door.rate_limits[1].name, "other");
  EXPECT_EQ(two.door.rate_limits[1].key, (RateKey{RateKeyKind::Cookie, "id"}));
  EXPECT_EQ(two.rules[0].door.rate_limits[0].name, "limit-1");
  EXPECT_EQ(two.rules[0].door.deny.networks[0].to_string(), "10.0.0.0/8");
}

TEST(Protection, NetworksStandAloneInListsAndInFiles) {
  const Listener one =
      loaded(listener("allow: [10.0.0.0/8, { file: blocked.txt }, '::1'], deny: { file: nobody.txt }"));
  EXPECT_EQ(one.door.allow.networks.size(), 2U);
  EXPECT_THAT(one.door.allow.files, ElementsAre("/etc/ballast/blocked.txt"));
  EXPECT_THAT(one.door.deny.files, ElementsAre("/etc/ballast/nobody.txt"));
}

TEST(Protection, MistakesAreNamed) {
  const struct {
    std::string text;
    std::string wanted;
  } rows[] = {
      {listener("rate_limits: { per: 1s }"), "requests is missing in this rate_limit"},
      {listener("rate_limits: { requests: 0 }"), "\"0\" is less than 1"},
      {listener("rate_limits: { requests: 1, key: ip }"), "\"ip\" is not known"},
      {listener("rate_limits: { requests: 1, key: header }"), "names no header; write header:NAME"},
      {listener("rate_limits: { requests: 1, status: 500 }"), "allowed: one of 429, 503"},
      {listener("rate_limits: { requests: 1, keys: 10 }"), "\"10\" is less than 1024"},
      {listener("rate_limits: { requests: 1000000, per: 100ms }"), "more than 1000000 requests a second"},
      {listener("rate_limits: { requests: 1, per: 24h, burst: 100 }"), "more than 30 days"},
      {listener("rate_limits: [{ requests: 1 }, { requests: 2, name: limit-1 }]"),
       "two limits have the name \"limit-1\""},
      {listener(
           "",
           "{ match: { path: /a }, forward: y, rate_limits: [{ name: a, requests: 1 }, { name: a, requests: 2 }] }"),
       "two limits have the name \"a\""},
      {listener("deny: []"), "the list is empty; leave deny out instead"},
      {listener("deny: office"), "\"office\" is not a network"},
      {listener("deny: { file: gone.txt }"), "gone.txt"},
      {listener("deny: { file: names.txt }"),
       "\"/etc/ballast/names.txt\": line 2: \"example.com\" is not a network; write 10.0.0.0/8 or fd00::/8"},
      {listener("allow: { file: nobody.txt }"), "it holds no network, and would keep everybody out"},
      {listener("allow: { path: x }"), "unknown key \"path\" in this network_file"},
      {listener("limits: { connections_per_address: 0 }"), "\"0\" is less than 1"},
  };
  for (const auto& row : rows) EXPECT_THAT(errors_of(row.text), HasSubstr(row.wanted)) << row.text;
}

TEST(Protection, OfLayer4OnlyConnectionsAreJudged) {
  const auto of = [](const std::string& protocol, const std::string& rest) {
    return errors_of("{ listeners: { x: { address: ':80', protocol: " + protocol + ", default: { forward: y }, " +
                     rest + " } }, target_groups: { y: { health_check: off, protocol: " + protocol + " } } }");
  };
  EXPECT_EQ(of("tcp", "deny: 10.0.0.0/8, limits: { connections_per_address: 5 }"), "");
  EXPECT_EQ(of("udp", "allow: 10.0.0.0/8"), "");
  EXPECT_THAT(of("tcp", "rate_limits: { requests: 1 }"),
              HasSubstr("a tcp listener sees no requests that it could count"));
  EXPECT_THAT(of("udp", "limits: { connections_per_address: 5 }"), HasSubstr("write udp: { per_client: N }"));
  EXPECT_THAT(of("udp", "rules: [{ match: { source: 10.0.0.0/8 }, forward: y, deny: 10.1.0.0/16 }]"),
              HasSubstr("allow and deny of the listener hold for its connections"));
}

TEST(Protection, DifferencesAreToldLimitByLimit) {
  MemoryFiles disk = files();
  const auto of = [&](const std::string& rest) {
    return load_text("/etc/ballast/x.yaml", listener(rest), {.files = disk})->settings;
  };
  std::vector<std::string> told;
  for (const Difference& each : diff(of("rate_limits: [{ requests: 1 }, { name: b, requests: 2 }], deny: 10.0.0.0/8"),
                                     of("rate_limits: [{ requests: 5 }, { name: c, requests: 2 }]"))) {
    told.push_back(each.path + ": " + each.text);
  }
  EXPECT_THAT(told, ElementsAre("listeners.x.deny: [10.0.0.0/8] -> none", "listeners.x.rate_limits: b removed",
                                "listeners.x.rate_limits.limit-1.requests: 1 -> 5",
                                "listeners.x.rate_limits.limit-1.burst: 1 -> 5", "listeners.x.rate_limits: c added"));
}

}  // namespace
}  // namespace ballast::config
