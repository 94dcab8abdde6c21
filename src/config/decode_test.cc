// What load() says about each kind of mistake: the exact text, table by table.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/memory_files.h"

namespace ballast::config {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

Result<> check_regex(const std::string& text) {
  if (text.find('(') != std::string::npos) return fail(Code::Invalid, "missing )");
  return {};
}

// "LINE:COLUMN text | note" of each, warnings marked as such.
std::vector<std::string> findings(const std::string& text, MemoryFiles files = {}) {
  const auto loaded = load_text("x", text, {.files = files, .regex_check = check_regex});
  const Diagnostics& diagnostics = loaded ? loaded->warnings : loaded.error();
  std::vector<std::string> lines;
  for (const Diagnostic& d : diagnostics.sorted()) {
    std::string line = fmt::format("{}:{} {}{}", d.mark.line, d.mark.column,
                                   d.severity == Severity::Warning ? "warning: " : "", d.text);
    for (const std::string& note : d.notes) line += " | " + note;
    lines.push_back(std::move(line));
  }
  return lines;
}

struct Mistake {
  std::string text;
  std::vector<std::string> findings;
};

void expect_all(const std::vector<Mistake>& mistakes, const std::string& before, const std::string& after) {
  for (const Mistake& m : mistakes)
    EXPECT_THAT(findings(before + m.text + after), ElementsAreArray(m.findings)) << m.text;
}

TEST(Mistakes, OfTheWholeFile) {
  expect_all(
      {
          {"", {"0:0 warning: there are no listeners: nothing will be served"}},
          {"[a]", {"1:1 a configuration is a map of sections, this is a list"}},
          {"listners: {}",
           {"1:1 unknown key \"listners\" in this configuration; did you mean \"listeners\"? | allowed: include, "
            "listeners, "
            "target_groups, acme, access_log, explain, admin, state_directory, workers, kernel_tls, shutdown_timeout, "
            "handover_timeout"}},
          {"zzz: {}",
           {"1:1 unknown key \"zzz\" in this configuration | allowed: include, listeners, target_groups, acme, "
            "access_log, explain, "
            "admin, "
            "state_directory, workers, kernel_tls, shutdown_timeout, handover_timeout"}},
          {"workers: 0", {"1:10 workers: \"0\" is less than 1 | allowed: auto, or a whole number, 1 to 256"}},
          {"workers: 1.5",
           {"1:10 workers: \"1.5\" is not a whole number | allowed: auto, or a whole number, 1 to 256"}},
          {"workers:", {"1:1 workers: has no value | allowed: auto, or a whole number, 1 to 256"}},
          {"workers: [1]", {"1:10 workers: a list cannot stand here | allowed: auto, or a whole number, 1 to 256"}},
          {"kernel_tls: aut",
           {"1:13 kernel_tls: \"aut\" is not known here; did you mean \"auto\"? | allowed: one of auto, off"}},
          {"kernel_tls: [auto]", {"1:13 kernel_tls: a list cannot stand here | allowed: one of auto, off"}},
          {"shutdown_timeout: 2h", {"1:19 shutdown_timeout: \"2h\" is more than 1h | allowed: duration, 0s to 1h"}},
          {"state_directory: ''", {"1:18 state_directory: the path is empty | allowed: path of a directory"}},
          {"admin: x", {"1:8 admin: a value cannot stand here | allowed: a map of socket, http"}},
          {"access_log: { format: jsn }",
           {"1:23 format: \"jsn\" is not known here; did you mean \"json\"? | allowed: one of json, combined"}},
          {"target_groups: { 'a b': {} }",
           {"1:18 target_groups: \"a b\" is not a name | allowed: at most 64 letters, digits, \"_\", \".\" and \"-\", "
            "starting "
            "with a letter or digit"}},
      },
      "", "");
}

TEST(Mistakes, OfFiles) {
  MemoryFiles disk;
  disk.files["here/index.html"] = "x";
  const auto of = [&](const std::string& files) {
    return findings("{ listeners: { l: { address: ':80', default: { files: \n" + files + "\n} } } }", disk);
  };
  EXPECT_THAT(of("{ root: here }"), ElementsAre());
  EXPECT_THAT(of("{}"), ElementsAre("2:1 root is missing in this files"));
  EXPECT_THAT(of("{ root: '' }"), ElementsAre("2:9 root: the path is empty | allowed: path of a folder"));
  EXPECT_THAT(of("{ root: gone }"), ElementsAre("2:9 root: cannot use the folder \"gone\": No such file or directory"));
  EXPECT_THAT(of("{ root: here, strip_prefix: static }"),
              ElementsAre("2:29 strip_prefix: \"static\" must start with /, without ? and # | allowed: beginning of a "
                          "path, such as /static"));
  for (const char* key : {"fallback", "not_found"}) {
    EXPECT_THAT(of(fmt::format("{{ root: here, {}: ../x }}", key)),
                ElementsAre(testing::HasSubstr(
                    fmt::format("{}: \"../x\" must name a file below the root, without \".\" and \"..\"", key))));
  }
  EXPECT_THAT(of("{ root: here, index: a/b }"),
              ElementsAre("2:22 index: \"a/b\" is not the name of a file in a folder | allowed: name of a file"));
  EXPECT_THAT(of("{ root: here, index: .. }"), ElementsAre(testing::HasSubstr("must name a file below the root")));
  EXPECT_THAT(of("{ root: here, types: { .x: y } }"),
              ElementsAre(testing::HasSubstr("types: \".x\" is not the ending of a name; write it without its dot")));
  EXPECT_THAT(of("{ root: here, types: { x: \"a\\r\\nb\" } }"),
              ElementsAre(testing::HasSubstr("has a character that a header cannot carry")));
  EXPECT_THAT(of("{ root: here, cache_control: \"a\\nb\" }"),
              ElementsAre(testing::HasSubstr("has a character that a header cannot carry")));
  EXPECT_THAT(of("{ root: here, precompressed: [br, br] }"),
              ElementsAre("2:15 precompressed: a coding stands here twice"));
  EXPECT_THAT(of("{ root: here, precompressed: deflate }"),
              ElementsAre("2:30 precompressed: \"deflate\" is not known here | allowed: one of br, gzip, zstd"));
  EXPECT_THAT(of("{ root: here, charset: 'a b' }"), ElementsAre(testing::HasSubstr("\"a b\" is not a charset")));
  EXPECT_THAT(of("{ root: here, listing: maybe }"), ElementsAre(testing::HasSubstr("one of on, off")));
  EXPECT_THAT(
      findings("{ listeners: { l: { address: ':80', protocol: tcp, default: { files: { root: here } } } } }", disk),
      ElementsAre("1:16 the tcp listener \"l\" can only forward: it sees no requests to answer"));
}

TEST(Mistakes, OfExplain) {
  const auto of = [&](const std::string& section) {
    return findings("{ listeners: { l: { address: ':80', default: { fixed_response: {} } } }, explain: " + section +
                    " }");
  };
  EXPECT_THAT(of("{ keep: 0, slow_after: 0s }"), ElementsAre());
  EXPECT_THAT(of("{ keep: 20000, slow_after: 1h, reason_header: X-Ballast-Reason }"), ElementsAre());
  EXPECT_THAT(of("{ keep: 20001 }"), ElementsAre(testing::HasSubstr("\"20001\" is more than 20000")));
  EXPECT_THAT(of("{ slow_after: 2h }"), ElementsAre(testing::HasSubstr("is more than 1h")));
  EXPECT_THAT(of("{ reason_header: 'a b' }"), ElementsAre(testing::HasSubstr("is not the name of a header")));
  for (const char* name : {"Content-Length", "connection", "Set-Cookie", "Transfer-Encoding"}) {
    EXPECT_THAT(of(fmt::format("{{ reason_header: {} }}", name)),
                ElementsAre(testing::HasSubstr("has a meaning of its own in a response")))
        << name;
  }
}

TEST(Mistakes, OfResponses) {
  const auto of = [&](const std::string& more) {
    return findings("{ listeners: { l: { address: ':80', default: { fixed_response: {} }, \n" + more + "\n} } }");
  };
  EXPECT_THAT(of("compression: [br, gzip]"), ElementsAre());
  EXPECT_THAT(of("compression: zstd"), ElementsAre());
  EXPECT_THAT(of("compression: {}"), ElementsAre());
  EXPECT_THAT(of("compression: { types: 'text/*', gzip_level: 1 }"), ElementsAre());
  EXPECT_THAT(of("compression: deflate"),
              ElementsAre(testing::HasSubstr("\"deflate\" is not known here | allowed: one of zstd, br, gzip")));
  EXPECT_THAT(of("compression: []"), ElementsAre(testing::HasSubstr("the list is empty")));
  EXPECT_THAT(of("compression: { codings: [br, br] }"),
              ElementsAre(testing::HasSubstr("codings: a coding stands here twice")));
  EXPECT_THAT(of("compression: { types: [text] }"), ElementsAre(testing::HasSubstr("\"text\" is not a media type")));
  EXPECT_THAT(of("compression: { gzip_level: 0 }"), ElementsAre(testing::HasSubstr("\"0\" is less than 1")));
  EXPECT_THAT(of("response_headers: { X-Frame-Options: DENY }"), ElementsAre());
  EXPECT_THAT(of("remove_headers: [X-Powered-By, Via]"), ElementsAre());
  for (const char* name : {"Connection", "content-length", "Transfer-Encoding", "Content-Encoding"}) {
    EXPECT_THAT(of(fmt::format("response_headers: {{ {}: x }}", name)),
                ElementsAre(testing::HasSubstr("belongs to the connection and is written by ballast alone")));
    EXPECT_THAT(of(fmt::format("remove_headers: {}", name)),
                ElementsAre(testing::HasSubstr("belongs to the connection and is written by ballast alone")));
  }
  EXPECT_THAT(of("response_headers: { Server: x }"), ElementsAre(testing::HasSubstr("server_header")));
  EXPECT_THAT(of("response_headers: { 'a b': x }"), ElementsAre(testing::HasSubstr("is not the name of a header")));
  EXPECT_THAT(of("response_headers: { A: \"x\\r\\nB: y\" }"),
              ElementsAre(testing::HasSubstr("has a character that a header cannot carry")));
}

TEST(Mistakes, OfAListener) {
  expect_all(
      {
          {"{}", {"1:14 address is missing in this listener", "1:14 default is missing in this listener"}},
          {"{ address: '80', default: { forward: g } }",
           {"1:28 address: \"80\" has no port; write host:port | allowed: address: :port, host:port, [v6]:port or "
            "unix:/path"}},
          {"{ address: ':80', default: {} }",
           {"1:44 this default has no action; exactly one of forward, redirect, fixed_response, files"}},
          {"{ address: ':80', default: { forward: g, redirect: { to: / } } }",
           {"1:58 redirect cannot stand beside forward: exactly one of forward, redirect, fixed_response, files"}},
          {"{ address: ':80', default: { forward: h } }", {"1:55 unknown target group \"h\" | known: g, t"}},
          {"{ address: ':80', default: { forward: t } }",
           {"1:55 the http listener \"l\" cannot forward to the tcp target group \"t\" | the group stands at x:2:25"}},
          {"{ address: ':80', protocol: tcp, default: { forward: g } }",
           {"1:70 the tcp listener \"l\" cannot forward to the http target group \"g\" | the group stands at x:2:18"}},
          {"{ address: ':80', protocol: tcp, default: { redirect: { to: / } } }",
           {"1:14 the tcp listener \"l\" can only forward: it sees no requests to answer"}},
          {"{ address: ':80', protocol: tcp, default: { forward: t }, rules: [ { match: { path: / }, forward: t } ] }",
           {"1:75 a tcp listener sees no requests and has no rules; use its default"}},
          {"{ address: ':80', protocol: tls, default: { forward: t }, rules: [ { match: { path: / }, forward: t } ] }",
           {"1:84 rule \"rule-1\": a tls listener sees only sni and source of a client"}},
          {"{ address: ':80', protocol: tls, default: { forward: g } }",
           {"1:70 the tls listener \"l\" cannot forward to the http target group \"g\" | the group stands at x:2:18"}},
          {"{ address: ':80', protocol: tls }", {"1:14 default is missing in this listener"}},
          {"{ address: ':80', protocol: tls, rules: [ { match: { sni: a.test }, forward: t } ] }", {}},
          {"{ address: ':80', protocol: tls, certificates: { cert: a, key: b }, rules: [ { match: { sni: a.test }, "
           "forward: t } ] }",
           {}},
          {"{ address: ':80', protocol: tls, tls: { profile: modern }, default: { forward: t } }",
           {"1:50 tls is missing certificates: a tls listener without any passes TLS on to its targets unread"}},
          {"{ address: ':80', default: { forward: g }, rules: [ { match: { sni: a.test }, forward: g } ] }",
           {"1:69 rule \"rule-1\": sni is known only of a tls listener; match the host"}},
          {"{ address: ':80', default: { forward: g }, proxy_protocol: {} }",
           {"1:60 from is missing: the networks of the balancers whose PROXY header is believed; write { from: "
            "[10.0.0.0/8] }"}},
          {"{ address: ':80', default: { forward: g }, proxy_protocol: { from: 10.0.0.1, others: ignored } }",
           {"1:102 others: \"ignored\" is not known here | allowed: one of refused, plain"}},
          {"{ address: ':80', default: { forward: { g: 0 } } }",
           {"1:55 forward: all weights are 0; at least one must be more"}},
          {"{ address: ':80', default: { forward: { g: 1000 } } }",
           {"1:60 forward: \"1000\" is more than 999 | allowed: whole number, 0 to 999"}},
          {"{ address: ':80', default: { forward: {} } }", {"1:55 forward: 1 to 20 target groups are needed"}},
          {"{ address: ':80', default: { forward: g }, forwarded: yes }",
           {"1:71 forwarded: \"yes\" is neither true nor false | allowed: true or false"}},
          {"{ address: ':80', default: { forward: g }, x_forwarded: apend }",
           {"1:73 x_forwarded: \"apend\" is not known here; did you mean \"append\"? | allowed: one of append, "
            "replace, off"}},
          {"{ address: ':80', default: { forward: g }, limits: { body: 1KiBB } }",
           {"1:76 body: \"1KiBB\" has the unknown unit \"KiBB\"; units are B, KiB, MiB, GiB, TiB (1024) and KB, MB, "
            "GB, TB "
            "(1000) | allowed: size, 0 to 1TiB"}},
          {"{ address: ':80', default: { forward: g }, server_header: \"a\\nb\" }",
           {"1:75 server_header: \"a?b\" has a character that a header cannot carry | allowed: text"}},
          {"{ address: ':80', default: { forward: g }, trusted_proxies: [10.0.0.1/8] }",
           {"1:78 trusted_proxies: \"10.0.0.1/8\" has bits set beyond its prefix; write 10.0.0.0/8 | allowed: network, "
            "such as "
            "10.0.0.0/8"}},
      },
      "listeners: { l: ", " }\ntarget_groups: { g: {}, t: { protocol: tcp } }");
}

TEST(Mistakes, OfTwoListeners) {
  EXPECT_THAT(findings("listeners:\n"
                       "  a: { address: ':80', default: { redirect: { to: / } } }\n"
                       "  b: { address: ':80', default: { redirect: { to: / } } }\n"
                       "  c: { address: 'a:0', default: { redirect: { to: / } } }\n"
                       "  d: { address: 'a:0', default: { redirect: { to: / } } }\n"
                       "  e: { address: 'unix:/s', default: { redirect: { to: / } } }\n"
                       "  f: { address: 'unix:/s', default: { redirect: { to: / } } }\n"
                       "  g: { address: '[::1]:9900', default: { redirect: { to: / } } }\n"
                       "admin: { http: '[0::1]:9900' }\n"),
              ElementsAre("3:17 listener \"b\" and listener \"a\" have the same address :80 | first at x:2:17",
                          "7:17 listener \"f\" and listener \"e\" have the same address unix:/s | first at x:6:17",
                          "9:16 admin.http and listener \"g\" have the same address [::1]:9900 | first at x:8:17"));
}

TEST(Mistakes, OfARule) {
  expect_all(
      {
          {"{ forward: g }", {"2:3 match is missing in this rule"}},
          {"{ match: { path: / } }",
           {"2:3 this rule has no action; exactly one of forward, redirect, fixed_response, files"}},
          {"{ match: {}, forward: g }",
           {"2:12 this match has no condition; what every request gets belongs in the listener's default"}},
          {"{ match: { path: [] }, forward: g }",
           {
               "2:20 path: the list is empty; leave path out instead",
           }},
          {"{ match: { path: '' }, forward: g }",
           {"2:20 path: an empty pattern matches nothing | allowed: text with * and ?"}},
          {"{ match: { path: { regex: '(' } }, forward: g }",
           {"2:29 regex: \"(\" is not an RE2 expression: missing )"}},
          {"{ match: { path: { regx: 'a' } }, forward: g }",
           {"2:20 regex is missing in this regex",
            "2:22 unknown key \"regx\" in this regex; did you mean \"regex\"? | allowed: regex"}},
          {"{ match: { hots: a }, forward: g }",
           {"2:14 unknown key \"hots\" in this match; did you mean \"host\"? | allowed: host, path, method, header, "
            "query, "
            "source, sni"}},
          {"{ match: { method: 'G T' }, forward: g }",
           {"2:22 method: \"G T\" is not a method | allowed: method, such as GET"}},
          {"{ match: { header: { 'X Y': a } }, forward: g }",
           {"2:24 header: \"X Y\" is not the name of a header | allowed: header name"}},
          {"{ match: { header: [a] }, forward: g }",
           {"2:22 header: a list cannot stand here | allowed: map of header names to patterns"}},
          {"{ match: { path: / }, redirect: { to: 'https://{hst}/' } }",
           {"2:41 to: unknown placeholder \"{hst}\"; did you mean \"host\"? | allowed: URL or path, with {host}, "
            "{port}, {path}, "
            "{query} and {protocol}"}},
          {"{ match: { path: / }, redirect: { to: '/}{' } }",
           {"2:41 to: \"/}{\" has a brace without its partner | allowed: URL or path, with {host}, {port}, {path}, "
            "{query} and "
            "{protocol}"}},
          {"{ match: { path: / }, redirect: { to: 'example.com' } }",
           {"2:41 to: \"example.com\" must start with /, http://, https:// or {protocol}:// | allowed: URL or path, "
            "with "
            "{host}, {port}, {path}, {query} and {protocol}"}},
          {"{ match: { path: / }, redirect: { status: 304, to: / } }",
           {"2:45 status: \"304\" is not known here | allowed: one of 301, 302, 303, 307, 308"}},
          {"{ match: { path: / }, fixed_response: { status: 204, body: x } }",
           {"2:56 a response with status 204 has no body"}},
          {"{ match: { path: / }, fixed_response: { body: { file: none } } }",
           {"2:57 body: cannot read \"none\": No such file or directory"}},
          {"{ name: a b, match: { path: / }, forward: g }",
           {"2:11 name: \"a b\" is not a name | allowed: name: at most 64 letters, digits, \"_\", \".\" and \"-\""}},
          {"{ match: { path: / }, forward: g },\n  { name: rule-1, match: { path: / }, forward: g }",
           {"3:3 two rules of this listener have the name \"rule-1\" | first at x:2:3"}},
      },
      "listeners: { l: { address: ':80', default: { forward: g }, rules: [\n  ", "\n] } }\ntarget_groups: { g: {} }");
}

TEST(Mistakes, OfAuthentication) {
  MemoryFiles files;
  files.files["users"] = "ann:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";
  files.files["old"] = "ann:$apr1$salt$hash\n";
  files.files["keys"] = "{}";
  const std::vector<Mistake> mistakes{
      {"off", {}},
      {"{ basic: { file: users } }", {}},
      {"{ basic: { file: users, header: '' } }", {}},
      {"on", {"1:87 auth: \"on\" cannot stand here | allowed: auth section, or off"}},
      {"{}", {"1:87 this auth has no way; exactly one of basic, jwt, forward"}},
      {"{ basic: { file: users }, forward: { group: g } }",
       {"1:113 forward cannot stand beside basic: exactly one of basic, jwt, forward"}},
      {"{ basic: {} }", {"1:96 file is missing in this basic"}},
      {"{ basic: { file: none } }", {"1:104 file: cannot read \"none\": No such file or directory"}},
      {"{ basic: { file: old } }",
       {"1:104 file: \"old\": line 1, user \"ann\": the password is kept as Apache's MD5, only bcrypt is taken; set it "
        "anew: htpasswd -B FILE USER"}},
      {"{ basic: { file: users, realm: 'a\"b' } }",
       {"1:118 realm: \"a\"b\" has a character that a realm cannot have | allowed: text"}},
      {"{ jwt: { keys: { file: keys }, algorithms: none, audience: a } }",
       {"1:130 algorithms: \"none\" is not known here | allowed: one of RS256, RS384, RS512, PS256, ES256, ES384, "
        "HS256"}},
      {"{ jwt: { keys: { file: keys }, algorithms: RS256 } }",
       {"1:94 warning: neither issuer nor audience is given: any token that one of the keys has signed is let in, "
        "also one made for another service"}},
      {"{ jwt: { keys: {}, algorithms: RS256, audience: a } }",
       {"1:102 this keys has no source; exactly one of file, url"}},
      {"{ jwt: { keys: { url: 'https://a/b', ca: x.crt }, algorithms: RS256, audience: a } }", {}},
      {"{ jwt: { keys: { url: 'ftps://a/b' }, algorithms: RS256, audience: a } }",
       {"1:109 url: \"ftps://a/b\" does not begin with http:// or https:// | allowed: http or https URL"}},
      {"{ jwt: { keys: { url: 'http://a/b', ca: x.crt }, algorithms: RS256, audience: a } }",
       {"1:123 ca is for an https url: what comes otherwise is not verified"}},
      {"{ jwt: { keys: { file: keys, refresh: 1m }, algorithms: RS256, audience: a } }",
       {"1:116 refresh is for a url; a file is read again when it has changed"}},
      {"{ forward: { group: gg } }", {"1:107 unknown target group \"gg\"; did you mean \"g\"? | known: g, t"}},
      {"{ forward: { group: t } }",
       {"1:107 the target group \"t\" speaks tcp; only http and https groups can be asked about requests | the group "
        "stands at x:2:25"}},
      {"{ forward: { group: g, request_headers: [Connection] } }",
       {"1:110 request_headers: \"Connection\" belongs to one connection or one message and cannot be "
        "copied"}},
  };
  for (const Mistake& m : mistakes) {
    EXPECT_THAT(findings("listeners: { l: { address: ':80', default: { fixed_response: { status: 200 } }, auth: " +
                             m.text + " } }\ntarget_groups: { g: {}, t: { protocol: tcp } }",
                         files),
                ElementsAreArray(m.findings))
        << m.text;
  }
  EXPECT_THAT(
      findings("listeners: { l: { address: ':80', protocol: tcp, default: { forward: t }, auth: { basic: { file: "
               "users } } } }\ntarget_groups: { t: { protocol: tcp } }",
               files),
      ElementsAre("1:75 a tcp listener sees no requests whose sender it could ask"));
}

TEST(Mistakes, OfATargetGroup) {
  expect_all(
      {
          {"{ targets: [a] }", {"2:13 the target \"a\" has no port; write host:port"}},
          {"{ targets: [':80'] }",
           {"2:13 targets: \":80\" names no host to connect to | allowed: address: host:port, [v6]:port or "
            "unix:/path"}},
          {"{ targets: ['a:0'] }",
           {"2:13 targets: \"a:0\": nothing listens on port 0 | allowed: address: host:port, [v6]:port or unix:/path"}},
          {"{ targets: [{ weight: 1 }] }", {"2:13 address is missing in this target"}},
          {"{ targets: [{ address: 'a:1', weight: 1000 }] }",
           {"2:39 weight: \"1000\" is more than 999 | allowed: whole number, 0 to 999"}},
          {"{ targets: ['a:1', { address: 'a:1' }] }",
           {"2:20 the target a:1 is in this group twice | first at x:2:13"}},
          {"{ targets: a:1 }",
           {"2:12 targets: a value cannot stand here | allowed: list of address: host:port, [v6]:port or unix:/path, "
            "or "
            "target section"}},
          {"{ health_check: of }",
           {"2:17 health_check: \"of\" cannot stand here | allowed: health_check section, or off"}},
          {"{ health_check: { interval: 50ms, timeout: 50ms } }",
           {"2:29 interval: \"50ms\" is less than 100ms | allowed: duration, 100ms to 5m"}},
          {"{ health_check: { interval: 2s, timeout: 2s } }",
           {"2:33 warning: the timeout of 2s is not shorter than the interval of 2s: a slow target is noticed late"}},
          {"{ health_check: { interval: 2s } }",
           {"2:19 warning: the timeout of 5s is not shorter than the interval of 2s: a slow target is noticed late"}},
          {"{ health_check: { healthy_threshold: 11 } }",
           {"2:38 healthy_threshold: \"11\" is more than 10 | allowed: whole number, 1 to 10"}},
          {"{ health_check: { path: x } }",
           {"2:25 path: \"x\" does not start with / | allowed: path, starting with /"}},
          {"{ health_check: { success_codes: 2xx } }",
           {"2:34 success_codes: \"2xx\": \"2xx\" is not a status from 100 to 599 | allowed: statuses: \"200\", "
            "\"200,202\" or "
            "\"200-299\""}},
          {"{ algorithm: round_robbin }",
           {"2:14 algorithm: \"round_robbin\" is not known here; did you mean \"round_robin\"? | allowed: one of "
            "round_robin, "
            "least_requests, two_choices, least_time, source_hash, maglev, random"}},
          {"{ algorithm: maglev, hash_key: 'headr:X' }",
           {"2:32 hash_key: \"headr\" is not known here; did you mean \"header\"? | allowed: source, path, header:NAME "
            "or "
            "cookie:NAME"}},
          {"{ algorithm: maglev, hash_key: header }",
           {"2:32 hash_key: \"header\" names no header; write header:NAME | allowed: source, path, header:NAME or "
            "cookie:NAME"}},
          {"{ hash_key: path }", {"2:3 warning: hash_key has no effect: only source_hash and maglev hash"}},
          {"{ protocol: tcp, algorithm: maglev, hash_key: path }",
           {"2:37 a tcp group sees no requests; its hash_key can only be source"}},
          {"{ protocol: http, ajp: { secret: x } }",
           {"2:19 warning: ajp has no effect: only a group with `protocol: ajp` speaks it"}},
          {"{ protocol: h2, proxy_protocol: v2 }",
           {"2:17 proxy_protocol is not for a group with the protocol h2, whose connections carry the requests of many "
            "clients; write protocol: https"}},
          {"{ protocol: h2c, source_address: client }",
           {"2:18 source_address is not for a group with the protocol h2c, whose connections carry the requests of "
            "many "
            "clients; write protocol: http"}},
          {"{ protocol: ajp, proxy_protocol: v1, source_address: client }", {}},
          {"{ protocol: https, targets: ['127.0.0.1'] }",
           {"2:30 the target \"127.0.0.1\" has no port; write host:port"}},
          {"{ protocol: ajp, ajp: { packet_size: 4KiB } }",
           {"2:38 packet_size: \"4KiB\" is less than 8KiB | allowed: size, 8KiB to 64KiB"}},
          {"{ protocol: ajp, ajp: { secret: \"a\\tb\" } }",
           {"2:33 secret: a secret is printable ASCII | allowed: text, at most 1 KiB"}},
          {"{ protocol: ajp, targets: [{ address: 'a:1', route: x }, { address: 'b:1', route: x }] }",
           {"2:58 the route \"x\" is in this group twice | first at x:2:28"}},
          {"{ protocol: tcp, targets: [{ address: 'a:1', route: x }] }",
           {"2:18 a tcp group sees no sessions; its targets cannot have a route"}},
          {"{ targets: [{ address: 'a:1', route: 'x;y' }] }",
           {"2:38 route: \"x;y\" is not the name of a route | allowed: name of a route: letters, digits, \"_\", \".\", "
            "\"-\""}},
          {"{ session_route: { cookie: S }, targets: ['a:1'] }",
           {"2:3 warning: session_route has no effect: no target has a route"}},
          {"{ session_route: { cookie: 'a b' } }",
           {"2:3 warning: session_route has no effect: no target has a route",
            "2:28 cookie: \"a b\" is not the name of a cookie or path parameter | allowed: name of a cookie"}},
          {"{ minimum_healthy: 2, targets: ['a:1'] }",
           {"2:3 warning: minimum_healthy is 2, and there are 1 targets: health is never looked at"}},
          {"{ deregistration_delay: 3601s }",
           {"2:25 deregistration_delay: \"3601s\" is more than 1h | allowed: duration, 0s to 1h"}},
          {"{ slow_start: 901s }", {"2:15 slow_start: \"901s\" is more than 15m | allowed: duration, 0s to 15m"}},
          {"{ retries: { attempts: 0 } }", {"2:24 attempts: \"0\" is less than 1 | allowed: whole number, 1 to 10"}},
          {"{ retries: { statuses: '200,503' } }",
           {"2:14 only answers that are errors are tried again | allowed: 400 to 599"}},
          {"{ retries: { grpc_statuses: [not_found] } }",
           {"2:30 grpc_statuses: \"not_found\" is not known here | allowed: one of cancelled, unknown, "
            "deadline_exceeded, resource_exhausted, aborted, internal, unavailable"}},
          {"{ health_check: { protocol: tcp, service: a.B } }",
           {"2:34 only a check with protocol: grpc asks for a service"}},
          {"{ protocol: https, health_check: { protocol: grpc } }",
           {"2:36 a grpc check speaks HTTP/2, which a group with the protocol https does not; write protocol: "
            "h2"}},
          {"{ retries: { budget: 20 } }",
           {"2:22 budget: \"20\" has no unit; write 20% | allowed: percentage, 0% to 100%"}},
      },
      "{ listeners: { l: { address: ':80', default: { redirect: { to: / } } } }, target_groups: { g:\n", " } }");
}

TEST(Mistakes, TooManyOfAThing) {
  std::string many = "'/'";
  for (int i = 0; i < 100; ++i) many += ", '/'";
  EXPECT_THAT(
      findings("listeners: { l: { address: ':80', default: { redirect: { to: / } }, rules: [\n{ match: { path: [" +
               many + "] }, redirect: { to: / } }] } }"),
      ElementsAre("2:18 path: 101 entries are too many; at most 100"));
  std::string groups;
  for (int i = 0; i <= 10'000; ++i) groups += fmt::format("g{}: {{}}, ", i);
  EXPECT_THAT(findings("target_groups: { " + groups + "}"),
              testing::Contains("1:16 target_groups: 10001 entries are too many; at most 10000"));
}

TEST(Mistakes, AreAllToldAtOnce) {
  EXPECT_EQ(findings("workers: 0\nlistners: {}\nadmin: { socket: '' }\nstate_directory: ${NONE}\n").size(), 4U);
}

TEST(Mistakes, ReadAsOneText) {
  MemoryFiles files;
  const auto loaded = load_text("site.yaml",
                                "listeners:\n  web:\n    address: \":8080\"\n    default: { forward: siet }\n"
                                "target_groups:\n  site:\n    health_check: { intervall: 5s }\n",
                                {.files = files});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().render(),
            "site.yaml:4:25: error: unknown target group \"siet\"; did you mean \"site\"?\n"
            "   4 |     default: { forward: siet }\n"
            "     |                         ^~~~\n"
            "     = known: site\n"
            "site.yaml:7:21: error: unknown key \"intervall\" in this health_check; did you mean \"interval\"?\n"
            "   7 |     health_check: { intervall: 5s }\n"
            "     |                     ^~~~~~~~~\n"
            "     = allowed: protocol, udp, port, path, host, method, interval, timeout, healthy_threshold, "
            "unhealthy_threshold, "
            "success_codes, jsonrpc, user, service, command\n"
            "2 errors\n");
}

TEST(Load, AFileThatIsNotThere) {
  MemoryFiles files;
  EXPECT_EQ(load("none.yaml", {.files = files}).error().render(),
            "none.yaml: error: cannot read \"none.yaml\": No such file or directory\n1 error\n");
}

TEST(Load, TextFromAFileStandsRelativeToItsConfiguration) {
  MemoryFiles files;
  files.files["etc/pages/sorry.html"] = "Sorry.\r\n";
  files.files["etc/conf.d/l.yaml"] =
      "listeners: { l: { address: ':80', default: { fixed_response: { body: { file: ../pages/sorry.html } } } } }";
  const auto loaded = load_text("etc/main.yaml", "include: conf.d/l.yaml", {.files = files});
  ASSERT_TRUE(loaded) << loaded.error().render();
  EXPECT_EQ(std::get<FixedResponse>(*loaded->settings.listeners[0].default_action).body, "Sorry.");
  EXPECT_THAT(loaded->settings.files, ElementsAre("etc/main.yaml", "etc/conf.d/l.yaml"));
  files.files["etc/pages/sorry.html"] = std::string(64 * 1024 + 1, 'x');
  const auto large = load_text("etc/main.yaml", "include: conf.d/l.yaml", {.files = files});
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().sorted()[0].text, "body: cannot read \"etc/pages/sorry.html\": it has more than 65536 bytes");
}

TEST(Load, TakesEveryCutOfAFile) {
  const std::string text =
      "include: &i [a*.yaml]\nlisteners: { l: { address: ':80', rules: [ { match: { path: ['/a', { regex: 'b' }] }, "
      "forward: "
      "{ g: 1 } } ],\n  default: { redirect: { to: '{protocol}://${HOST:-h}/' } } } }\ntarget_groups:\n  g:\n    "
      "targets:\n"
      "      - 10.0.0.1:80\n      - { address: 'unix:/x', weight: 2 }\n    health_check: off\n";
  for (std::size_t end = 0; end <= text.size(); ++end) {
    MemoryFiles files;
    const auto loaded = load_text("x", text.substr(0, end), {.files = files});
    if (!loaded) EXPECT_FALSE(loaded.error().render().empty());
  }
}

}  // namespace
}  // namespace ballast::config
