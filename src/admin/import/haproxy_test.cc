// haproxy.cfg as people write it, and what becomes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/import/haproxy_read.h"
#include "config/load.h"
#include "config/memory_files.h"

namespace ballast::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string imported(const std::string& text) {
  config::MemoryFiles files;
  const Imported made = read_haproxy({.path = "/etc/haproxy/haproxy.cfg", .text = text, .files = files});
  std::string notes;
  for (const Note& note : made.notes) notes += note.text + "\n";
  EXPECT_FALSE(made.yaml.empty()) << notes;
  const auto loaded = config::load_text("made.yaml", made.yaml, {.files = files});
  EXPECT_TRUE(loaded) << made.yaml << loaded.error().render();
  for (const Note& note : made.notes) EXPECT_THAT(made.yaml, HasSubstr(note.text));
  return made.yaml;
}

TEST(Haproxy, AWebSiteAsTheTutorialsHaveIt) {
  const std::string yaml = imported(R"(global
    log /dev/log local0
    maxconn 2000
defaults
    mode http
    option httplog
    option forwardfor
    timeout connect 5s
    timeout client 50s
    timeout server 50000
    errorfile 503 /etc/haproxy/errors/503.http
frontend www
    bind *:80
    acl is_api path_beg /api /v1
    acl is_admin hdr(host) -i admin.example.com
    acl office src 10.0.0.0/8 192.168.0.0/16
    http-request set-header X-Forwarded-Proto http
    http-request deny if is_admin !office
    redirect scheme https code 301 if !{ ssl_fc } { hdr(host) -i secure.example.com }
    use_backend api if is_api
    use_backend static if { path_end .css .js } or { path_reg ^/img/[0-9]+$ }
    default_backend web
backend web
    balance leastconn
    option httpchk GET /healthz
    http-check expect status 200
    cookie SRV insert indirect nocache
    default-server inter 3s rise 2 fall 4
    server w1 10.0.0.11:8080 check weight 10 cookie w1
    server w2 10.0.0.12:8080 check weight 20 maxconn 50
    server w3 10.0.0.13:8080 check backup
backend api
    balance hdr(X-Tenant)
    hash-type consistent
    timeout connect 1s
    server a1 api1.internal:9000
    server a2 api2.internal:9000 ssl verify none
backend static
    server s1 10.0.0.21:80 check inter 500
backend unused
    server u1 10.0.0.31:80
)");
  EXPECT_THAT(yaml, HasSubstr("  www:\n    address: \":80\"\n    protocol: http\n    timeouts: { idle: 50s }\n"));
  std::vector<std::size_t> places;
  for (const char* text :
       {"host: \"admin.example.com\" }\n        fixed_response: { status: 403",
        "redirect: { status: 301, to: \"https://{host}{path}?{query}\" }",
        "path: [ \"/api*\", \"/v1*\" ] }\n        forward: api",
        "path: [ \"*.css\", \"*.js\" ] }\n        forward: static",
        "path: { regex: \"(?s).*(?:^/img/[0-9]+$).*\" } }\n        forward: static", "default: { forward: web }"}) {
    std::size_t place = yaml.find(text);
    if (place == std::string::npos && std::string(text).starts_with("host: \"admin"))
      place = yaml.find("host: admin.example.com }\n        fixed_response: { status: 403");
    EXPECT_NE(place, std::string::npos) << text << yaml;
    places.push_back(place);
  }
  EXPECT_TRUE(std::ranges::is_sorted(places)) << yaml;
  EXPECT_THAT(yaml, HasSubstr("    algorithm: least_requests\n"));
  EXPECT_THAT(
      yaml,
      HasSubstr(
          "health_check: { protocol: http, path: \"/healthz\", method: GET, success_codes: \"200\", interval: 3s, "
          "timeout: 3s, healthy_threshold: 2, unhealthy_threshold: 4 }"));
  EXPECT_THAT(yaml, HasSubstr("health_check: { protocol: tcp, interval: 500ms"));
  EXPECT_THAT(yaml, HasSubstr("    algorithm: maglev\n    hash_key: \"header:X-Tenant\"\n    health_check: off\n    "
                              "timeouts: { connect: 1s, header: 50s, idle: 50s }\n"));
  EXPECT_THAT(yaml, HasSubstr("{ address: \"10.0.0.12:8080\", weight: 20 }"));
  EXPECT_THAT(yaml, HasSubstr("    target_requests_max: 50\n"));
  EXPECT_THAT(yaml, HasSubstr("    queue: { timeout: 5s }\n"));
  EXPECT_THAT(yaml, Not(HasSubstr("- \"10.0.0.13")));
  EXPECT_THAT(yaml, Not(HasSubstr("- \"api2")));
  for (const char* note :
       {"/etc/haproxy/haproxy.cfg:2: log /dev/log local0: it has no meaning here", ":6: option httplog",
        ":7: option forwardfor: not needed", ":11: errorfile 503 /etc/haproxy/errors/503.http",
        ":17: http-request set-header X-Forwarded-Proto http: not needed",
        ":18: http-request deny if is_admin !office: a part of its condition has no counterpart: more is denied",
        ":27: cookie SRV insert", ":29: server w1 10.0.0.11:8080 check weight 10 cookie w1: cookies",
        "changed: maxconn is of every target", "w3 10.0.0.13:8080 check backup: there are no backup",
        "ssl verify none: TLS toward servers", "backend unused: no frontend uses it"}) {
    EXPECT_THAT(yaml, HasSubstr(note)) << yaml;
  }
}

TEST(Haproxy, TcpAndListen) {
  const std::string yaml = imported(R"(defaults
  mode tcp
  timeout client 1m
  timeout connect 2s
  maxconn 500
listen mysql
  bind 127.0.0.1:3306,127.0.0.2:3306
  balance source
  server db1 10.0.0.5:3306 check
  server db2 10.0.0.6:3306 check send-proxy
frontend redis
  bind :6379
  stick-table type ip size 1m store conn_cur
  use_backend a if { src 10.0.0.0/8 }
  default_backend a
backend a
  stick-table type ip size 1m
  stick on src
  retries 0
  server r1 10.0.0.7:6379
)");
  EXPECT_THAT(yaml, HasSubstr("  mysql:\n    address: \"127.0.0.1:3306\"\n    protocol: tcp\n"));
  EXPECT_THAT(yaml, HasSubstr("  mysql-2:\n    address: \"127.0.0.2:3306\"\n"));
  EXPECT_THAT(yaml, HasSubstr("limits: { connections: 500 }"));
  EXPECT_THAT(yaml, HasSubstr("    algorithm: source_hash\n    hash_key: source\n"));
  EXPECT_THAT(yaml, HasSubstr("a tcp listener has one target group"));
  EXPECT_THAT(yaml,
              HasSubstr("what it counts is not carried over; see rate_limits and limits.connections_per_address"));
  EXPECT_THAT(yaml, HasSubstr("the PROXY protocol toward servers is not carried over"));
  EXPECT_THAT(yaml, HasSubstr("retries: { attempts: 1 }"));
  EXPECT_THAT(yaml, HasSubstr("stick on src: changed"));
}

TEST(Haproxy, SslIsKnownForEachAddress) {
  const std::string yaml = imported(R"(frontend both
  mode http
  bind :80
  bind :443 ssl crt /etc/ssl/site.pem
  http-request redirect scheme https unless { ssl_fc }
  default_backend web
backend web
  mode http
  server w 10.0.0.1:80
)");
  EXPECT_THAT(yaml, HasSubstr("default: { redirect: { status: 302, to: \"https://{host}{path}?{query}\" } }"));
  EXPECT_THAT(yaml, HasSubstr("  both-2:\n    address: \":443\"\n    protocol: http\n    default: { forward: web }\n"));
  EXPECT_THAT(yaml, HasSubstr(":4: bind :443 ssl crt /etc/ssl/site.pem: the listener speaks without TLS"));
}

TEST(Haproxy, ConditionsBecomeRulesOrNotes) {
  const struct {
    std::string lines;
    std::string wanted;
  } cases[] = {
      {"use_backend b if { path -i /X.y }", R"(path: { regex: "(?is)/X\\.y" } })"},
      {"use_backend b if { hdr_end(host) .test }", "host: \"*.test\""},
      {"use_backend b if { hdr(X-Beta) -m found }", "header: { X-Beta: \"*\" }"},
      {"use_backend b if METH_POST { path /p }", "path: \"/p\", method: POST"},
      {"use_backend b if { url_param(v) 2 }", "query: { v: \"2\" }"},
      {"acl x path /1\n acl x hdr(host) h\n use_backend b if x METH_GET", "match: { host: h, method: GET }"},
      {"acl x path /1\n acl y path /2\n use_backend b if x y",
       "use_backend b if x y: its condition has no counterpart"},
      {"use_backend b if !{ path /1 }", "its condition has no counterpart"},
      {"use_backend b if { nbsrv(b) gt 1 }", "its condition has no counterpart"},
      {"use_backend b if { path -f /etc/list }", "its condition has no counterpart"},
      {"use_backend %[req.hdr(host)]", "there is no such backend"},
      {"http-request deny deny_status 429 if { sc_http_req_rate(0) gt 100 }",
       "default: { fixed_response: { status: 429"},
      {"http-request deny if { path_sub .. }", "path: \"*..*\" }\n        fixed_response: { status: 403"},
      {"http-request auth realm x unless ok", "default: { fixed_response: { status: 403"},
      {"http-request return status 200 content-type text/plain string \"a b\" if { path /r }",
       R"(path: "/r" }
        fixed_response: { status: 200, content_type: "text/plain", body: "a b" })"},
      {"redirect location /new code 308 if { path /old }", "redirect: { status: 308, to: \"/new\" }"},
      {"redirect prefix https://other.test code 301",
       "default: { redirect: { status: 301, to: \"https://other.test{path}?{query}\" } }"},
      {"monitor-uri /alive", "path: \"/alive\" }\n        fixed_response: { status: 200 }"},
      {"bind :81 accept-proxy", "accept-proxy: the PROXY protocol of clients"},
      {"capture request header Host len 10", "capture request header Host len 10: it has no counterpart"},
  };
  for (const auto& each : cases) {
    const std::string yaml = imported("frontend f\n mode http\n bind :80\n " + each.lines +
                                      "\n default_backend b\nbackend b\n mode http\n server s 10.0.0.1:80\n");
    EXPECT_THAT(yaml, HasSubstr(each.wanted));
  }
}

TEST(Haproxy, CutAnywhereItIsTakenOrNothing) {
  const std::string text =
      "global\n daemon\ndefaults d1\n mode http\n timeout client 5s\nfrontend f from d1\n bind *:80,:81 ssl crt \"a "
      "b\"\n acl a path_reg "
      "^/x(a|b)$\n acl b src 10.0.0.0/8 fd00::/8\n http-request deny if a !b or { hdr(X) 1 }\n use_backend w if a || "
      "b\n redirect prefix "
      "http://o.test if { path /q }\n default_backend w\nbackend w\n option httpchk GET /h\n http-check expect status "
      "200-204\n balance "
      "uri\n server s 10.0.0.1:80 check inter 2s weight 5\n server t [fd00::1]:80\nlisten l\n mode tcp\n bind "
      "10.0.0.9:9\n server u /run/u\n";
  for (std::size_t end = 0; end <= text.size(); ++end) {
    config::MemoryFiles files;
    for (const std::string& part : {text.substr(0, end), text.substr(end)}) {
      const Imported made = read_haproxy({.path = "h", .text = part, .files = files});
      for (const Note& note : made.notes)
        EXPECT_THAT(note.text, Not(HasSubstr("what came of it is not taken"))) << part;
    }
  }
}

}  // namespace
}  // namespace ballast::admin
