// nginx.conf as people write it, and what becomes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/import/nginx_read.h"
#include "config/load.h"
#include "config/memory_files.h"

namespace ballast::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

// The imported file, having seen that it is taken; what is noted stands in the comment at its top.
std::string imported(const std::string& text, config::MemoryFiles files = {}) {
  const Imported made = read_nginx({.path = "/etc/nginx/nginx.conf", .text = text, .files = files});
  std::string notes;
  for (const Note& note : made.notes) notes += note.text + "\n";
  EXPECT_FALSE(made.yaml.empty()) << notes;
  const auto loaded = config::load_text("made.yaml", made.yaml, {.files = files});
  EXPECT_TRUE(loaded) << made.yaml << loaded.error().render();
  for (const Note& note : made.notes) EXPECT_THAT(made.yaml, HasSubstr(note.text));
  return made.yaml;
}

TEST(Nginx, AReverseProxyAsTheTutorialsHaveIt) {
  const std::string yaml = imported(R"(
user www-data;
worker_processes 4;
events { worker_connections 1024; }
http {
    sendfile on;
    access_log /var/log/nginx/access.log;
    gzip on;
    upstream app {
        least_conn;
        server 10.0.0.11:8080 weight=3 max_fails=2 fail_timeout=10s;
        server 10.0.0.12:8080;
        server 10.0.0.13:8080 backup;
        server unix:/run/app.sock;
        keepalive 32;
    }
    server {
        listen 80 default_server;
        listen [::]:80 default_server;
        server_name example.com www.example.com;
        client_max_body_size 20m;
        location / {
            proxy_pass http://app;
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_connect_timeout 2s;
            proxy_read_timeout 1m30s;
        }
        location = /health { return 200 "ok"; }
        add_header X-Frame-Options DENY;
    }
})");
  EXPECT_THAT(yaml, HasSubstr("workers: 4\n"));
  EXPECT_THAT(yaml, HasSubstr("access_log: { path: \"/var/log/nginx/access.log\", format: combined }\n"));
  EXPECT_THAT(yaml, HasSubstr("    address: \":80\"\n"));
  EXPECT_THAT(yaml, HasSubstr("    limits: { body: 20MiB }\n"));
  EXPECT_THAT(yaml,
              HasSubstr("      - match: { path: \"/health\" }\n        fixed_response: { status: 200, content_type: "
                        "\"text/plain\", body: ok }\n"));
  EXPECT_THAT(yaml, HasSubstr("    default: { forward: app }\n"));
  EXPECT_THAT(yaml, HasSubstr("      - { address: \"10.0.0.11:8080\", weight: 3 }\n      - \"10.0.0.12:8080\"\n      - "
                              "\"unix:/run/app.sock\"\n"));
  EXPECT_THAT(yaml, Not(HasSubstr("      - \"10.0.0.13")));
  EXPECT_THAT(yaml, HasSubstr("    algorithm: least_requests\n"));
  EXPECT_THAT(yaml, HasSubstr("    timeouts: { connect: 2s, header: 90s, idle: 90s }\n"));
  EXPECT_THAT(yaml, HasSubstr("    pool: { idle_max: 32 }\n"));
  EXPECT_THAT(yaml, Not(HasSubstr("pass_host")));
  // Nothing is dropped in silence: each with its place.
  for (const char* note : {"/etc/nginx/nginx.conf:2: user www-data", ":4: events", ":6: sendfile on", ":8: gzip on",
                           "max_fails=2: targets are", "server 10.0.0.13:8080 backup: there are no backup servers",
                           ":25: proxy_set_header X-Real-IP",
                           ":26: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for: not needed",
                           ":31: add_header X-Frame-Options"}) {
    EXPECT_THAT(yaml, HasSubstr(note));
  }
}

TEST(Nginx, LocationsComeInTheOrderOfItsChoice) {
  const std::string yaml = imported(R"(
http { server { listen 8080; server_name _;
  location / { proxy_pass http://10.0.0.1:1; }
  location /a { return 201; }
  location ~ \.php$ { return 202; }
  location ~* ^/IMG/ { return 203; }
  location ^~ /static/ { return 210; }
  location /a/longer { return 205; }
  location = /a { return 206; }
  location ~ (?!x)y { return 207; }
} })");
  std::vector<std::size_t> places;
  for (const int status : {206, 210, 202, 203, 205, 201}) {
    places.push_back(yaml.find(fmt::format("fixed_response: {{ status: {} }}", status)));
    EXPECT_NE(places.back(), std::string::npos) << status;
  }
  EXPECT_TRUE(std::ranges::is_sorted(places)) << yaml;
  EXPECT_THAT(yaml, HasSubstr(R"(path: { regex: "(?s).*(?:\\.php$).*" })"));
  EXPECT_THAT(yaml, HasSubstr(R"(path: { regex: "(?is).*(?:^/IMG/).*" })"));
  EXPECT_THAT(yaml, HasSubstr(R"(path: "/static/*")"));
  EXPECT_THAT(yaml, HasSubstr(":10: location ~ (?!x)y: the expression has no counterpart in RE2"));
  EXPECT_THAT(yaml, Not(HasSubstr("status: 207")));
}

TEST(Nginx, ServersByNameInTheOrderOfItsChoice) {
  const std::string yaml = imported(R"(
http {
  server { listen 80; server_name ~^v\d+\.test$; return 201; }
  server { listen 80; server_name www.test.*; return 202; }
  server { listen 80; server_name *.test.org; return 203; }
  server { listen 80; server_name *.long.test.org .both.net; return 204; }
  server { listen 80 default_server; server_name own.test.org; return 205; }
  server { listen 80; server_name a.test.org b.test.org; return 206; }
  server { listen 127.0.0.1:81; return 444; }
})");
  std::vector<std::size_t> places;
  for (const char* text :
       {"host: \"own.test.org\"", "[ a.test.org, b.test.org ]", "\"*.long.test.org\"", "\"*.test.org\"",
        "\"www.test.*\"", "v\\\\d+", "default: { fixed_response: { status: 205 } }"}) {
    const std::string wanted = text;
    places.push_back(yaml.find(wanted));
    if (places.back() == std::string::npos && wanted.starts_with("host: \"own"))
      places.back() = yaml.find("host: own.test.org");
    EXPECT_NE(places.back(), std::string::npos) << text << yaml;
  }
  EXPECT_TRUE(std::ranges::is_sorted(places)) << yaml;
  EXPECT_THAT(yaml, HasSubstr("\"*.both.net\""));
  EXPECT_THAT(yaml, HasSubstr("    address: \"127.0.0.1:81\"\n"));
}

TEST(Nginx, RedirectsAndRewrites) {
  const std::string yaml = imported(R"(
server {
  listen 80;
  server_name example.com www.example.com;
  if ($host = www.example.com) { return 301 https://$host$request_uri; }
  rewrite ^/old/(.*)$ /new permanent;
  rewrite ^/in/(.*)$ /out/$1 last;
  rewrite ^(.*)$ https://example.com$1 redirect;
  location /dead { return 410; }
}
server {
  listen 81;
  return 301 https://$server_name$request_uri;
}
)");
  EXPECT_THAT(
      yaml,
      HasSubstr(
          "match: { host: www.example.com }\n        redirect: { status: 301, to: \"https://{host}{path}?{query}\" }"));
  EXPECT_THAT(yaml, HasSubstr("redirect: { status: 301, to: \"/new?{query}\" }"));
  EXPECT_THAT(yaml, HasSubstr("rewrite ^/in/(.*)$ /out/$1 last: paths cannot be rewritten"));
  EXPECT_THAT(yaml, HasSubstr("default: { redirect: { status: 302, to: \"https://example.com{path}?{query}\" } }"));
  EXPECT_THAT(yaml, HasSubstr("default: { redirect: { status: 301, to: \"https://{host}{path}?{query}\" } }"));
}

TEST(Nginx, WhatGuardsIsCarriedOverOrClosed) {
  config::MemoryFiles files;
  files.files["/etc/nginx/users"] = "ann:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";
  files.files["/etc/nginx/old"] = "ann:$apr1$salt$hash\n";
  const std::string yaml = imported(R"(
server {
  listen 80;
  auth_basic "Staff";
  auth_basic_user_file users;
  location / { proxy_pass http://10.0.0.1:80; }
  location /open { auth_basic off; proxy_pass http://10.0.0.1:80; }
  location /old { auth_basic_user_file old; proxy_pass http://10.0.0.1:80; }
  location /sso { auth_basic off; auth_request /verify; proxy_pass http://10.0.0.1:80; }
  location = /verify { internal; proxy_pass http://10.0.0.9:9000/check; }
  location /office { auth_basic off; allow 10.0.0.0/8; deny all; proxy_pass http://10.0.0.1:80; }
  location /typo { auth_basic off; deny 10.0.0.1/99; proxy_pass http://10.0.0.1:80; }
  location /away { auth_basic off; deny 192.168.1.1; proxy_pass http://10.0.0.1:80; }
}
)",
                                    files);
  EXPECT_THAT(yaml, HasSubstr("    auth: { basic: { file: \"/etc/nginx/users\", realm: Staff } }\n"));
  EXPECT_THAT(yaml, HasSubstr("path: \"/open*\" }\n        auth: off\n        forward:"));
  EXPECT_THAT(yaml, HasSubstr("path: \"/old*\" }\n        auth: off\n        fixed_response: { status: 403"));
  EXPECT_THAT(yaml, HasSubstr("what it guarded answers 403"));
  EXPECT_THAT(
      yaml, HasSubstr("path: \"/sso*\" }\n        auth: { forward: { group: \"10.0.0.9-9000\", path: \"/check\" } }"));
  EXPECT_THAT(yaml, HasSubstr("path: \"/office*\", source: \"10.0.0.0/8\" }\n        auth: off\n        forward:"));
  EXPECT_THAT(yaml, HasSubstr("path: \"/office*\" }\n        auth: off\n        fixed_response: { status: 403"));
  EXPECT_THAT(
      yaml,
      HasSubstr(
          "path: \"/away*\", source: \"192.168.1.1\" }\n        auth: off\n        fixed_response: { status: 403"));
  EXPECT_THAT(yaml, HasSubstr("path: \"/typo*\" }\n        auth: off\n        fixed_response: { status: 403"));
  EXPECT_THAT(yaml, HasSubstr("path: \"/verify\" }\n        auth: off\n        fixed_response: { status: 404"));
}

TEST(Nginx, LimitsAreNamedWithWhatThereIsInstead) {
  const std::string yaml = imported(R"(
http {
  limit_req_zone $binary_remote_addr zone=one:10m rate=1r/s;
  server { listen 80; limit_conn addr 1; location / { limit_req zone=one burst=5; proxy_pass http://10.0.0.1:80; } }
})");
  EXPECT_THAT(yaml, HasSubstr(":3: limit_req_zone $binary_remote_addr zone=one:10m rate=1r/s: limits of rate are not "
                              "carried over; see rate_limits"));
  EXPECT_THAT(yaml, HasSubstr(":4: limit_conn addr 1: limits of connections are not carried over; see "
                              "limits.connections_per_address"));
  EXPECT_THAT(yaml, HasSubstr(":4: limit_req zone=one burst=5: limits of rate are not carried over; see rate_limits"));
}

TEST(Nginx, IncludesStreamsAndWhatCannotBe) {
  config::MemoryFiles files;
  files.files["/etc/nginx/conf.d/a.conf"] = "server { listen 8081; location / { proxy_pass http://app/; } }";
  files.files["/etc/nginx/conf.d/b.conf"] =
      "upstream app { hash $cookie_user consistent; server app.internal; }\nserver { listen 8443 ssl http2; "
      "ssl_certificate a.pem; "
      "location / { root /var/www; try_files $uri $uri/ =404; } location ~ \\.php$ { fastcgi_pass unix:/run/php.sock; "
      "} "
      "location /api/ { proxy_pass http://app/v1/; } location /tls { proxy_pass https://app; } }";
  const std::string yaml = imported(R"(
http { include mime.types; include /etc/nginx/conf.d/*.conf; }
stream {
  upstream db { hash $remote_addr; server 10.0.0.5:3306; server 10.0.0.6:3306 down; }
  server { listen 3306; proxy_pass db; proxy_timeout 10m; proxy_connect_timeout 1s; }
  server { listen 53 udp; proxy_pass 10.0.0.53:53; }
}
)",
                                    files);
  EXPECT_THAT(yaml, HasSubstr("include: cannot read \"/etc/nginx/mime.types\""));
  EXPECT_THAT(yaml, HasSubstr("    algorithm: maglev\n    hash_key: \"cookie:user\"\n"));
  EXPECT_THAT(yaml, HasSubstr("      - \"app.internal:80\"\n"));
  EXPECT_THAT(
      yaml,
      HasSubstr("/etc/nginx/conf.d/b.conf:2: proxy_pass http://app/v1/: changed: paths are passed on as they are"));
  EXPECT_THAT(yaml, HasSubstr("such requests answer 501"));
  EXPECT_THAT(yaml, HasSubstr("fastcgi_pass unix:/run/php.sock: only HTTP servers"));
  EXPECT_THAT(yaml, HasSubstr("speaks plain HTTP; give it its certificates"));
  EXPECT_THAT(yaml, HasSubstr("TLS toward the servers is not carried over"));
  EXPECT_THAT(yaml, HasSubstr("  tcp-3306:\n    address: \":3306\"\n    protocol: tcp\n    timeouts: { idle: 600s }\n  "
                              "  default: { forward: db }\n"));
  EXPECT_THAT(yaml, HasSubstr("listen 53 udp: only TCP is balanced"));
}

TEST(Nginx, FilesOfARootThatIsThere) {
  config::MemoryFiles files;
  files.files["/var/www/index.html"] = "Hello.";
  const std::string yaml = imported(R"(
server {
  listen 80;
  root /var/www;
  index start.html index.html;
  location /app/ { try_files $uri $uri/ /index.html; }
  location /pictures/ { alias /var/www; autoindex on; }
  location /php { try_files $uri /index.php?$args; }
  location /gone { root /var/none; }
}
)",
                                    files);
  EXPECT_THAT(yaml, HasSubstr("default: { files: { root: \"/var/www\", index: [ start.html, index.html ] } }"));
  EXPECT_THAT(
      yaml,
      HasSubstr("path: \"/app/*\" }\n        files: { root: \"/var/www\", index: [ start.html, index.html ], fallback: "
                "\"/index.html\" }"));
  EXPECT_THAT(yaml, HasSubstr("files: { root: \"/var/www\", strip_prefix: \"/pictures\", index: [ start.html, "
                              "index.html ], listing: on }"));
  EXPECT_THAT(yaml,
              HasSubstr("try_files $uri /index.php?$args: a part of it has no counterpart; such requests answer 501"));
  EXPECT_THAT(yaml, HasSubstr("/var/none"));
}

TEST(Nginx, WhatIsNoConfigurationGivesNone) {
  const struct {
    std::string text;
    std::string note;
  } cases[] = {
      {"server {", "this is no nginx configuration: a directive is missing, or a brace is too many"},
      {"}", "this is no nginx configuration: a directive is missing, or a brace is too many"},
      {"server { listen 80 }", "this is no nginx configuration: listen has no end"},
      {"a \"b", "this is no nginx configuration: a has no end"},
      {std::string(40, '{'), "this is no nginx configuration: a directive is missing, or a brace is too many"},
      {[] {
         std::string deep;
         for (int i = 0; i < 40; ++i) deep += "a {";
         return deep;
       }(),
       "this is no nginx configuration: blocks or includes stand too deep in one another"},
  };
  config::MemoryFiles files;
  for (const auto& each : cases) {
    const Imported made = read_nginx({.path = "n", .text = each.text, .files = files});
    EXPECT_TRUE(made.yaml.empty());
    ASSERT_FALSE(made.notes.empty()) << each.text;
    EXPECT_EQ(made.notes.front().text, each.note) << each.text;
  }
  files.files["loop"] = "include loop;";
  const Imported made = read_nginx({.path = "n", .text = "include loop;", .files = files});
  EXPECT_TRUE(made.yaml.empty());
}

TEST(Nginx, CutAnywhereItIsTakenOrNothing) {
  const std::string text =
      R"(http { upstream app { server 10.0.0.1:80 weight=2; keepalive 8; } server { listen 80; server_name a.b *.c ~^d$;
 client_max_body_size 1m; if ($host = a.b) { return 301 https://$host$request_uri; } location ~* ^/x(a|b)?$ { return 200 "a\"b ${host}"; }
 location ^~ /y { proxy_pass http://app; allow 10.0.0.0/8; deny all; } rewrite ^/q /r permanent; location / { root /var/www; } } }
stream { server { listen 99; proxy_pass 10.0.0.1:1; } } # end)";
  for (std::size_t end = 0; end <= text.size(); ++end) {
    config::MemoryFiles files;
    const Imported made = read_nginx({.path = "n", .text = text.substr(0, end), .files = files});
    for (const Note& note : made.notes) EXPECT_THAT(note.text, Not(HasSubstr("what came of it is not taken"))) << end;
    const Imported rest = read_nginx({.path = "n", .text = text.substr(end), .files = files});
    for (const Note& note : rest.notes) EXPECT_THAT(note.text, Not(HasSubstr("what came of it is not taken"))) << end;
  }
}

}  // namespace
}  // namespace ballast::admin
