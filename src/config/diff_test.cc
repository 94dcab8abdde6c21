#include "config/diff.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/kinds.h"
#include "config/load.h"
#include "config/memory_files.h"

namespace ballast::config {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

Settings settings(const std::string& text) {
  MemoryFiles files;
  auto loaded = load_text("x", text, {.files = files});
  EXPECT_TRUE(loaded) << loaded.error().render();
  return loaded ? std::move(loaded->settings) : Settings{};
}

// "PATH: TEXT", with "!" before what needs a restart.
std::vector<std::string> differences(const std::string& before, const std::string& after) {
  std::vector<std::string> lines;
  for (const Difference& d : diff(settings(before), settings(after))) {
    lines.push_back(fmt::format("{}{}: {}", d.needs_restart ? "!" : "", d.path, d.text));
  }
  return lines;
}

constexpr const char* base = R"(
listeners:
  web:
    address: ":8080"
    rules:
      - { name: api, match: { path: /api/* }, forward: api }
      - { name: old, match: { path: /old/* }, redirect: { to: "/new{path}" } }
    default: { forward: site }
target_groups:
  site: { targets: [10.0.0.11:80, { address: 10.0.0.12:80, weight: 2 }], health_check: { path: /healthz } }
  api: { targets: [10.0.0.21:80] }
admin: { socket: /run/a.sock }
workers: 2
)";

TEST(Diff, OfTheSameIsEmptyHoweverItIsWritten) {
  EXPECT_THAT(differences(base, base), ElementsAre());
  std::string moved = base;
  EXPECT_THAT(differences(base, "# a comment\n\n" + moved + "shutdown_timeout: 30s\naccess_log: {}\n"), ElementsAre());
}

TEST(Diff, TellsEachChange) {
  struct Edit {
    std::string from;
    std::string to;
    std::vector<std::string> differences;
  };
  const Edit edits[] = {
      {"[10.0.0.11:80,", "[10.0.0.11:80, 10.0.0.13:80,", {"target_groups.site.targets: 10.0.0.13:80 added"}},
      {"[10.0.0.21:80]",
       "[10.0.0.22:80]",
       {"target_groups.api.targets: 10.0.0.21:80 removed", "target_groups.api.targets: 10.0.0.22:80 added"}},
      {"weight: 2", "weight: 3", {"target_groups.site.targets.10.0.0.12:80.weight: 2 -> 3"}},
      {"{ path: /healthz }", "off", {"target_groups.site.health_check: { path: /healthz } -> off"}},
      {"path: /healthz",
       "interval: 10s",
       {"target_groups.site.health_check.path: /healthz -> /", "target_groups.site.health_check.interval: 30s -> 10s"}},
      {"\":8080\"", "\":9090\"", {"listeners.web.address: :8080 -> :9090 (the listener is replaced)"}},
      {"/api/*", "/v2/*", {"listeners.web.rules.api.match.path: [/api/*] -> [/v2/*]"}},
      {"redirect: { to: \"/new{path}\" }",
       "forward: site",
       {"listeners.web.rules.old.forward: none -> site",
        "listeners.web.rules.old.redirect: { to: /new{path} } -> none"}},
      {"      - { name: old, match: { path: /old/* }, redirect: { to: \"/new{path}\" } }\n",
       "",
       {"listeners.web.rules: old removed"}},
      {"default: { forward: site }",
       "default: { forward: { site: 9, api: 1 } }",
       {"listeners.web.default.forward: site -> { site: 9, api: 1 }"}},
      {"default: { forward: site }",
       "default: { forward: site }\n    limits: { body: 10MiB }",
       {"listeners.web.limits.body: none -> 10MiB"}},
      {"  api: { targets", "  spare: {}\n  api: { targets", {"target_groups: spare added"}},
      {"/run/a.sock", "/run/b.sock", {"!admin.socket: /run/a.sock -> /run/b.sock"}},
      {"workers: 2",
       "workers: auto\nstate_directory: /x",
       {"!state_directory: /var/lib/ballast -> /x", "!workers: 2 -> auto"}},
  };
  for (const Edit& edit : edits) {
    std::string after = base;
    const std::size_t at = after.find(edit.from);
    ASSERT_NE(at, std::string::npos) << edit.from;
    after.replace(at, edit.from.size(), edit.to);
    EXPECT_THAT(differences(base, after), ElementsAreArray(edit.differences)) << edit.to;
  }
}

TEST(Diff, TellsThatRulesChangedPlaces) {
  const std::string head = "listeners: { l: { address: ':80', default: { redirect: { to: / } }, rules: [";
  const std::string a = "{ name: a, match: { path: /a }, redirect: { to: / } }";
  const std::string b = "{ name: b, match: { path: /b }, redirect: { to: / } }";
  const std::string c = "{ name: c, match: { path: /c }, redirect: { to: / } }";
  EXPECT_THAT(differences(head + a + "," + b + "] } }", head + b + "," + a + "] } }"),
              ElementsAre("listeners.l.rules: order changed"));
  EXPECT_THAT(differences(head + a + "," + b + "] } }", head + c + "," + a + "," + b + "] } }"),
              ElementsAre("listeners.l.rules: c added"));
  EXPECT_THAT(differences(head + a + "," + b + "," + c + "] } }", head + a + "," + c + "] } }"),
              ElementsAre("listeners.l.rules: b removed"));
}

TEST(Diff, HidesWhatIsConfidential) {
  const auto kind = text_or_file({.words = "password"}, Confidence::Confidential);
  std::vector<Difference> found;
  kind->diff("old secret", "new secret", DiffWalk(found).into({.name = "password"}));
  EXPECT_THAT(found, ElementsAre(Difference{.path = "password", .text = "changed (hidden)", .needs_restart = false}));
  EXPECT_EQ(kind->show("secret"), "(hidden)");
}

}  // namespace
}  // namespace ballast::config
