// What the configuration says of headers and paths that a rule changes, and refuses.
#include <gmock/gmock.h>

#include "config/load.h"
#include "config/memory_files.h"
#include "config/schema_shaping.h"

namespace ballast::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  std::optional<Rule> rule;
  std::string errors;
};

Read read(const std::string& rule, const std::string& protocol = "http") {
  MemoryFiles files;
  const std::string text = "{ listeners: { l: { address: ':80', protocol: " + protocol +
                           ", rules: [ { match: { path: '*' }, " + rule +
                           " } ], default: { forward: g } } }, target_groups: { g: { sticky: { name: MINE } } } }";
  const auto loaded =
      load_text("x.yaml", text, {.files = files, .regex_check = [](const std::string& expression) {
                                   return expression == "(" ? Result<>(fail(Code::Invalid, "missing )")) : Result<>();
                                 }});
  if (!loaded) return {.rule = {}, .errors = loaded.error().render()};
  return {.rule = loaded->settings.listeners[0].rules[0], .errors = ""};
}

TEST(ShapingSettings, Headers) {
  const Read read_in = read(
      "forward: g, request_headers: { X-A: '1', Host: '{host}:{port}' }, remove_request_headers: X-B, "
      "response_headers: { X-C: '{client} {request_id}' }, remove_headers: [ X-D, X-E ]");
  ASSERT_EQ(read_in.errors, "");
  EXPECT_EQ(read_in.rule->request_headers, (std::vector<NamedText>{{"X-A", "1"}, {"Host", "{host}:{port}"}}));
  EXPECT_EQ(read_in.rule->remove_request_headers, std::vector<std::string>{"X-B"});
  EXPECT_EQ(read_in.rule->response_headers, (std::vector<NamedText>{{"X-C", "{client} {request_id}"}}));
  EXPECT_EQ(read_in.rule->remove_headers, (std::vector<std::string>{"X-D", "X-E"}));
  EXPECT_EQ(read("redirect: { to: / }, response_headers: { X: '{\"a\": 1}' }").errors, "");
}

TEST(ShapingSettings, WhatFramesAMessageIsRefused) {
  for (const char* name : {"Connection", "content-length", "Transfer-Encoding", "Upgrade", "TE", "Trailer",
                           "Keep-Alive", "Proxy-Connection"}) {
    const std::string words = "belongs to the connection and is written by ballast alone";
    EXPECT_THAT(read(fmt::format("forward: g, request_headers: {{ {}: x }}", name)).errors, HasSubstr(words)) << name;
    EXPECT_THAT(read(fmt::format("forward: g, response_headers: {{ {}: x }}", name)).errors, HasSubstr(words)) << name;
    EXPECT_THAT(read(fmt::format("forward: g, remove_request_headers: {}", name)).errors, HasSubstr(words)) << name;
    EXPECT_THAT(read(fmt::format("forward: g, remove_headers: {}", name)).errors, HasSubstr(words)) << name;
  }
  EXPECT_THAT(read("forward: g, request_headers: { Expect: x }").errors, HasSubstr("belongs to the connection"));
}

TEST(ShapingSettings, HeadersThatCannotBeAreRefused) {
  const struct {
    std::string rule;
    std::string wanted;
  } rows[] = {
      {"forward: g, request_headers: { 'X A': x }", "\"X A\" is not the name of a header"},
      {"forward: g, request_headers: { ':path': x }", "is not the name of a header"},
      {"forward: g, request_headers: { X: \"a\\r\\nY: b\" }", "has a character that a header cannot carry"},
      {"forward: g, request_headers: { X: \"a\\0b\" }", "has a character that a header cannot carry"},
      {"forward: g, request_headers: { X: '{hots}' }", "unknown placeholder \"{hots}\"; known are {protocol}, {host}"},
      {"forward: g, request_headers: { X: a, x: b }", "\"x\" is set twice; case makes no difference"},
      {"forward: g, request_headers: { X: a }, remove_request_headers: x", "\"X\" is set and removed"},
      {"forward: g, response_headers: { X: a }, remove_headers: x", "\"X\" is set and removed"},
      {"forward: g, response_headers: { Server: a }", "the Server header has a property of its own"},
      {"forward: g, request_headers: { Host: 'a b' }", "is not a host, or a host and a port"},
      {"forward: g, request_headers: { host: 'a/b' }", "is not a host, or a host and a port"},
      {"forward: g, request_headers: { Host: 'x{path}' }", "only {host} and {port} may stand in it"},
      {"forward: g, request_headers: { Host: '' }", "Host is empty"},
      {"forward: g, remove_request_headers: HOST", "no request is without Host"},
      {"forward: g, response_headers: { Set-Cookie: 'MINE=1' }", "the cookie \"MINE\" is the balancer's own"},
      {"forward: g, response_headers: { set-cookie: ' BALLAST_GROUP = 1' }", "\"BALLAST_GROUP\" is the balancer's own"},
      {"redirect: { to: / }, request_headers: { X: a }", "request_headers is for rules that forward"},
      {"redirect: { to: / }, rewrite: { prefix: /a }", "rewrite is for rules that forward"},
  };
  for (const auto& row : rows) EXPECT_THAT(read(row.rule).errors, HasSubstr(row.wanted)) << row.rule;
  EXPECT_EQ(read("forward: g, response_headers: { Set-Cookie: 'YOURS=1' }").errors, "");
}

TEST(ShapingSettings, Rewrites) {
  EXPECT_EQ(read("forward: g, rewrite: { strip_prefix: /api, prefix: /v2 }").rule->rewrite,
            (Rewrite{.strip_prefix = "/api", .prefix = "/v2"}));
  EXPECT_EQ(read("forward: g, rewrite: { regex: '^/old/(.*)$', to: '/new/\\1' }").rule->rewrite,
            (Rewrite{.regex = "^/old/(.*)$", .to = "/new/\\1"}));
  const struct {
    std::string rewrite;
    std::string wanted;
  } rows[] = {
      {"{}", "this rewrite says nothing"},
      {"{ regex: a }", "to is missing in this rewrite"},
      {"{ to: /a }", "regex is missing in this rewrite"},
      {"{ prefix: /a, regex: b, to: /c }", "rewritten by prefix or by regex: not by both"},
      {"{ prefix: a }", "\"a\" must begin with /"},
      {"{ prefix: / }", "must begin with /, have something behind it"},
      {"{ strip_prefix: /a/ }", "no / at its end"},
      {"{ prefix: '/a?b' }", "has a character that a path cannot have"},
      {"{ prefix: '/a/../b' }", "leads elsewhere with its dots"},
      {"{ prefix: '/..' }", "leads elsewhere with its dots"},
      {"{ regex: '(', to: /a }", "regex: \"(\" is not an RE2 expression: missing )"},
      {"{ regex: 'a', to: 'b' }", "\"b\" must begin with /"},
      {"{ regex: 'a', to: '/b c' }", "has a character that a path cannot have"},
      {"{ regex: 'a', to: '/./c' }", "leads elsewhere"},
      {"{ regex: 'a', to: '/\\x' }", "has a \\ without the number of a part behind it"},
      {"{ regex: 'a', to: '/\\' }", "has a \\ without the number"},
      {"{ regex: '(a)(?:b)', to: '/\\2' }", "\\2 stands for nothing: the expression has 1 part in parentheses"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(read("forward: g, rewrite: " + row.rewrite).errors, HasSubstr(row.wanted)) << row.rewrite;
  }
  EXPECT_EQ(read("forward: g, rewrite: { regex: '(a)', to: '/?up=../\\1' }").errors, "");
}

TEST(ShapingSettings, Canaries) {
  const auto stay_by = [](const std::string& by) {
    const Read read_in = read("forward: { groups: { g: 5 }, stay_by: " + by + " }");
    return read_in.rule ? std::get<Forward>(read_in.rule->action).stay_by : std::nullopt;
  };
  EXPECT_EQ(stay_by("cookie"), (StayBy{StayKind::OwnCookie, ""}));
  EXPECT_EQ(stay_by("source"), (StayBy{StayKind::Source, ""}));
  EXPECT_EQ(stay_by("'header:X-User'"), (StayBy{StayKind::Header, "X-User"}));
  EXPECT_EQ(stay_by("'cookie:session'"), (StayBy{StayKind::Cookie, "session"}));
  EXPECT_EQ(std::get<Forward>(read("forward: { g: 3 }").rule->action).groups[0].weight, 3);
  const struct {
    std::string forward;
    std::string wanted;
  } rows[] = {
      {"{ groups: { g: 0 }, stay_by: cookie }", "all weights are 0"},
      {"{ groups: { g: 1 }, stay_by: cookies }", "\"cookies\" is not known here"},
      {"{ groups: { g: 1 }, stay_by: header }", "\"header\" names no header; write header:NAME"},
      {"{ groups: { g: 1 }, stay_by: 'cookie:a b' }", "names no cookie"},
      {"{ groups: { g: 1 }, stay_by: 'cookie:BALLAST_GROUP' }", "is the balancer's own; write stay_by: cookie"},
      {"{ groups: { g: 1 }, stay: cookie }", "unknown key \"stay\""},
      {"{ groups: { h: 1 } }", "\"h\""},
      {"{ groups: 5 }", "\"groups\""},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(read("forward: " + row.forward).errors, HasSubstr(row.wanted)) << row.forward;
  }
}

TEST(ShapingSettings, Faults) {
  using namespace std::chrono_literals;
  EXPECT_EQ(read("forward: g, fault: { delay: 300ms, percent: 5 }").rule->faults,
            (std::vector<Fault>{{.delay = 300ms, .percent = {500}}}));
  EXPECT_EQ(
      read("redirect: { to: / }, fault: [ { status: 503, percent: 0.5% }, { delay: 1s, status: 429 } ]").rule->faults,
      (std::vector<Fault>{{.status = 503, .percent = {50}}, {.delay = 1s, .status = 429, .percent = {10'000}}}));
  const struct {
    std::string fault;
    std::string wanted;
  } rows[] = {
      {"{ percent: 5 }", "this fault does nothing; it needs a delay or a status"},
      {"{ status: 200 }", "is less than 400"},
      {"{ delay: 1h }", "is more than 5m"},
      {"{ status: 503, percent: 0 }", "\"0\" is less than 0.01"},
      {"{ status: 503, percent: 100.01 }", "\"100.01\" is more than 100"},
      {"{ status: 503, percent: 0.001 }", "\"0.001\" is no percentage"},
      {"{ status: 503, percent: '1.' }", "is no percentage"},
      {"{ status: 503, percent: -1 }", "is no percentage"},
  };
  for (const auto& row : rows) EXPECT_THAT(read("forward: g, fault: " + row.fault).errors, HasSubstr(row.wanted));
}

TEST(ShapingSettings, Mirrors) {
  EXPECT_EQ(read("forward: g, mirror: { group: g, percent: 10, body: 1KiB }").rule->mirror,
            (Mirror{.group = "g", .percent = {1'000}, .body_bytes_max = 1024}));
  EXPECT_THAT(read("forward: g, mirror: { group: gg }").errors, HasSubstr("\"gg\""));
  EXPECT_THAT(read("forward: g, mirror: {}").errors, HasSubstr("group is missing in this mirror"));
  EXPECT_THAT(read("forward: g, mirror: { group: g, body: 2MiB }").errors, HasSubstr("is more than 1MiB"));
  EXPECT_THAT(read("redirect: { to: / }, mirror: { group: g }").errors, HasSubstr("mirror is for rules that forward"));
}

TEST(ShapingSettings, OfHttpAlone) {
  EXPECT_THAT(read("forward: g, rewrite: { prefix: /a }", "tcp").errors,
              HasSubstr("a tcp listener sees no requests that it could change"));
  EXPECT_THAT(read("forward: g, remove_headers: X", "tcp").errors, HasSubstr("a tcp listener sees no requests"));
}

TEST(ShapingSettings, CountsWhatIsCaptured) {
  EXPECT_EQ(capture_count("/a"), 0);
  EXPECT_EQ(capture_count("/(a)(?:b)(?i)(?P<n>c)((d))"), 4);
  EXPECT_EQ(capture_count("\\(a\\)[(](b)[^](](c)[[:alpha:](]"), 2);
  EXPECT_EQ(capture_count("\\Q(a)\\E(b)\\Q("), 1);
}

}  // namespace
}  // namespace ballast::config
