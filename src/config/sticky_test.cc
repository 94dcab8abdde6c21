// What the configuration says of stickiness, and refuses.
#include <gmock/gmock.h>

#include "config/load.h"
#include "config/memory_files.h"

namespace ballast::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  std::optional<Sticky> sticky;
  std::string errors;
  std::string warnings;
};

Read read(const std::string& group) {
  MemoryFiles files;
  const std::string text =
      "{ listeners: { l: { address: ':80', default: { redirect: { to: / } } } }, target_groups: { g: " + group + " } }";
  const auto loaded = load_text("x.yaml", text, {.files = files});
  if (!loaded) return {.errors = loaded.error().render()};
  return {.sticky = loaded->settings.target_groups[0].sticky, .warnings = loaded->warnings.render()};
}

TEST(StickySettings, InShortAndAtLength) {
  EXPECT_EQ(read("{}").sticky, std::nullopt);
  EXPECT_EQ(read("{ sticky: cookie }").sticky, Sticky{});
  EXPECT_EQ(read("{ sticky: {} }").sticky, Sticky{});
  EXPECT_EQ(read("{ sticky: source }").sticky, (Sticky{.by = {StickyKind::Source, ""}}));
  EXPECT_EQ(read("{ sticky: 'header:X-User' }").sticky, (Sticky{.by = {StickyKind::Header, "X-User"}}));
  EXPECT_EQ(read("{ protocol: h2c, sticky: 'application_cookie:JSESSIONID' }").sticky,
            (Sticky{.by = {StickyKind::ApplicationCookie, "JSESSIONID"}}));
  EXPECT_EQ(
      read("{ sticky: { by: cookie, name: S, max_age: 8h, path: /shop, same_site: none, secure: always } }").sticky,
      (Sticky{.name = "S",
              .max_age = std::chrono::hours(8),
              .path = "/shop",
              .same_site = SameSite::None,
              .secure = SecureCookie::Always}));
}

TEST(StickySettings, WhatCannotBeIsRefused) {
  const struct {
    std::string group;
    std::string wanted;  // empty: it is good
  } rows[] = {
      {"{ sticky: cookies }", "\"cookies\" is not known here; did you mean \"cookie\"?"},
      {"{ sticky: header }", "\"header\" names no header; write header:NAME"},
      {"{ sticky: 'application_cookie:a b' }", "names no cookie; write application_cookie:NAME"},
      {"{ sticky: { name: 'a;b' } }", "\"a;b\" is not the name of a cookie"},
      {"{ sticky: { name: '' } }", "not the name of a cookie"},
      {"{ sticky: { path: shop } }", "is not the path of a cookie; it begins with /"},
      {"{ sticky: { path: '/a;Domain=x' } }", "is not the path of a cookie"},
      {"{ sticky: { max_age: 0s } }", "is less than 1s"},
      {"{ sticky: { by: source, name: S } }", "name is of a cookie, and with `by: source` none is set"},
      {"{ sticky: { by: 'header:X', secure: never } }", "secure is of a cookie, and with `by: header:X` none is set"},
      {"{ sticky: { by: 'application_cookie:S', max_age: 1h } }",
       "lasts as long as the application's; leave max_age out"},
      {"{ sticky: 'application_cookie:BALLAST' }", "the application's cookie cannot be called \"BALLAST\""},
      {"{ sticky: { by: 'application_cookie:BALLAST', name: S } }", ""},
      {"{ sticky: { same_site: none, secure: never } }", "browsers keep no cookie with same_site: none"},
      {"{ sticky: { name: __Secure-S } }", "only where it is secure"},
      {"{ sticky: { name: __Host-S, secure: always, path: /a } }", "only with the path /"},
      {"{ sticky: { name: __Host-S, secure: always } }", ""},
      {"{ protocol: ajp, sticky: cookie }", "stay with the target that their id names; give targets a route"},
      {"{ protocol: tcp, sticky: source }", "a tcp group sees no requests to keep together"},
      {"{ protocol: udp, health_check: off, sticky: source }", "a udp group sees no requests"},
      {"{ sticky: cookie, targets: [ { address: 'a:1', route: r } ] }", "sticky beside targets with a route"},
  };
  for (const auto& row : rows) {
    if (row.wanted.empty()) {
      EXPECT_THAT(read(row.group).errors, IsEmpty()) << row.group;
    } else {
      EXPECT_THAT(read(row.group).errors, HasSubstr(row.wanted)) << row.group;
    }
  }
  EXPECT_THAT(read("{ algorithm: random, sticky: source }").warnings, HasSubstr("algorithm has no effect"));
  EXPECT_THAT(read("{ algorithm: random, sticky: cookie }").warnings, Not(HasSubstr("algorithm has no effect")));
}

TEST(StickySettings, GroupsOfOneHostNeedCookiesOfTheirOwn) {
  const auto warnings = [](const std::string& sticky_b, const std::string& match_b, const std::string& fallback) {
    MemoryFiles files;
    const std::string text =
        "{ listeners: { l: { address: ':80', rules: [ { match: { host: a.test }, forward: a }, { match: " + match_b +
        ", forward: b } ], default: " + fallback +
        " } }, target_groups: { a: { sticky: cookie }, b: { sticky: " + sticky_b + " } } }";
    const auto loaded = load_text("x.yaml", text, {.files = files});
    return loaded ? loaded->warnings.render() : loaded.error().render();
  };
  const std::string alike = "call their cookie \"BALLAST\": each would write over the other's";
  const std::string nobody = "{ redirect: { to: / } }";
  EXPECT_THAT(warnings("cookie", "{ path: /x }", nobody), HasSubstr(alike));
  EXPECT_THAT(warnings("cookie", "{ host: a.test, path: /x }", nobody), HasSubstr(alike));
  EXPECT_THAT(warnings("cookie", "{ host: b.test }", "{ forward: a }"), HasSubstr(alike));
  EXPECT_THAT(warnings("cookie", "{ host: b.test }", nobody), Not(HasSubstr(alike)));
  EXPECT_THAT(warnings("{ name: B }", "{ path: /x }", nobody), Not(HasSubstr(alike)));
  EXPECT_THAT(warnings("{ path: /x }", "{ path: /x }", nobody), Not(HasSubstr(alike)));
  EXPECT_THAT(warnings("source", "{ path: /x }", nobody), Not(HasSubstr(alike)));
}

}  // namespace
}  // namespace ballast::config
