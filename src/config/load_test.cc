#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/memory_files.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

constexpr const char* product_example = R"(
listeners:
  web:
    address: ":8080"
    protocol: http
    rules:
      - match: { host: api.example.com, path: /v1/* }
        forward: api
      - match: { path: /old/* }
        redirect: { status: 301, to: "https://{host}/new{path}" }
      - match: { header: { X-Beta: "1" } }
        forward: { site: 10, api: 90 }
    default: { forward: site }
  gateway: { address: ":9000", protocol: tcp, default: { forward: { sockets: 1, spare: 0 } } }

target_groups:
  site:
    protocol: http
    algorithm: round_robin
    health_check: { path: /healthz, interval: 5s, timeout: 2s, healthy_threshold: 2, unhealthy_threshold: 2, success_codes: "200" }
    targets:
      - 10.0.0.11:8080
      - { address: "10.0.0.12:8080", weight: 2 }
  api: { targets: [ "unix:/run/api.sock" ], health_check: off }
  sockets: { protocol: tcp, targets: [ 10.0.0.1:9000 ] }
  spare: { protocol: tcp }

admin: { socket: /run/ballast/admin.sock, http: "127.0.0.1:9900" }
state_directory: /var/lib/ballast
workers: auto
)";

TEST(Load, TheProductsExampleMeansWhatItSays) {
  MemoryFiles files;
  auto loaded = load_text("ballast.yaml", product_example, {.files = files});
  ASSERT_TRUE(loaded) << loaded.error().render();
  EXPECT_EQ(loaded->warnings.render(), "");
  const Settings& s = loaded->settings;
  ASSERT_EQ(s.listeners.size(), 2U);
  const Listener& web = s.listeners[0];
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.mark.line, 3);
  EXPECT_EQ(web.address, (Address{.host = "", .port = 8080, .unix_path = ""}));
  ASSERT_EQ(web.rules.size(), 3U);
  EXPECT_EQ(web.rules[0].name, "rule-1");
  EXPECT_EQ(web.rules[0].match.host[0].text, "api.example.com");
  EXPECT_EQ(std::get<Redirect>(web.rules[1].action).to, "https://{host}/new{path}");
  EXPECT_EQ(std::get<Forward>(web.rules[2].action).groups[1].weight, 90);
  EXPECT_EQ(std::get<Forward>(*web.default_action).groups[0].group, "site");
  const Listener& gateway = s.listeners[1];
  EXPECT_EQ(gateway.protocol, ListenerProtocol::Tcp);
  EXPECT_EQ(gateway.timeouts.idle, 10min);
  EXPECT_EQ(web.timeouts.idle, 1min);
  const TargetGroup& site = *s.group("site");
  EXPECT_EQ(site.health_check.interval, 5s);
  EXPECT_EQ(site.health_check.protocol, CheckProtocol::Http);
  ASSERT_EQ(site.targets.size(), 2U);
  EXPECT_EQ(site.targets[1].weight, 2);
  EXPECT_FALSE(s.group("api")->health_check.enabled);
  EXPECT_EQ(s.group("api")->targets[0].address.unix_path, "/run/api.sock");
  EXPECT_EQ(s.group("sockets")->health_check.protocol, CheckProtocol::Tcp);
  EXPECT_EQ(s.admin.http->port, 9900);
  EXPECT_EQ(s.workers, 0);
  EXPECT_EQ(s.files, std::vector<std::string>{"ballast.yaml"});
}

}  // namespace
}  // namespace ballast::config
