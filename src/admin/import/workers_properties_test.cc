#include "admin/import/workers_properties.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/memory_files.h"

namespace ballast::admin {
namespace {

struct Result {
  std::string yaml;
  std::string notes;  // "LINE NAME: ..." a line
};

Result import_text(const std::string& text) {
  config::MemoryFiles files;
  files.files["/etc/workers.properties"] = text;
  files.variables["TOMCAT_HOST"] = "10.0.0.9";
  const auto imported = import_file("/etc/workers.properties", "", files);
  EXPECT_TRUE(imported.has_value());
  if (!imported) return {};
  Result result{.yaml = imported->yaml, .notes = {}};
  for (const Note& note : imported->notes) result.notes += fmt::format("{} {}\n", note.line, note.text);
  // Whatever came in, what comes out is a configuration.
  if (!result.yaml.empty()) {
    const auto loaded = config::load_text("imported.yaml", result.yaml, {.files = files});
    EXPECT_TRUE(loaded.has_value()) << result.yaml << loaded.error().render();
  }
  return result;
}

std::string groups(const std::string& yaml) {
  const std::string head =
      "# Target groups of mod_jk's workers. Listeners that forward to them are yours to add.\ntarget_groups:\n";
  EXPECT_TRUE(yaml.starts_with(head)) << yaml;
  return yaml.substr(std::min(head.size(), yaml.size()));
}

TEST(WorkersProperties, ABalancerIsAGroup) {
  const Result got = import_text(R"(# The usual file
worker.list=loadbalancer,jkstatus
worker.template.type=ajp13
worker.template.port=8009
worker.template.secret=s3 "x"
worker.template.socket_timeout=30
worker.template.ping_mode=A
worker.template.ping_timeout=2000
worker.template.connection_pool_size=50
worker.template.connection_pool_timeout=600
worker.tomcat1.reference=worker.template
worker.tomcat1.host=10.0.0.11
worker.tomcat1.lbfactor=2
worker.tomcat2.reference=worker.template
worker.tomcat2.host=$(TOMCAT_HOST)
worker.tomcat2.port=8010
worker.tomcat2.route=second
worker.loadbalancer.type=lb
worker.loadbalancer.balance_workers=tomcat1
worker.loadbalancer.balance_workers=tomcat2
worker.loadbalancer.sticky_session=True
worker.loadbalancer.retries=3
worker.loadbalancer.method=B
worker.jkstatus.type=status
)");
  EXPECT_EQ(groups(got.yaml), R"(  loadbalancer:
    protocol: ajp
    algorithm: least_requests
    ajp: { secret: "s3 \"x\"", ping_after: 0s, ping_timeout: 2000ms }
    timeouts: { header: 30s, idle: 30s }
    retries: { attempts: 3 }
    pool: { idle_max: 50, idle_timeout: 600s }
    targets:
      - { address: "10.0.0.11:8009", route: tomcat1, weight: 2 }
      - { address: "10.0.0.9:8010", route: second }
)");
  EXPECT_EQ(got.notes,
            "7 worker.template.ping_mode: a new connection is not asked with CPING; the health check does that in its "
            "own time\n"
            "24 worker.jkstatus.type: a status worker: `ballast status`, and the admin section's http address, show "
            "it\n");
}

TEST(WorkersProperties, AWorkerAloneIsAGroupOfOne) {
  const Result got = import_text(R"(worker.list=node
worker.node.host=app.internal
worker.node.socket_connect_timeout=1500
worker.node.reply_timeout=45000
worker.node.max_packet_size=65536
worker.node.connection_ping_interval=20
)");
  EXPECT_EQ(groups(got.yaml), R"(  node:
    protocol: ajp
    ajp: { packet_size: 64KiB, ping_after: 20s }
    timeouts: { connect: 1500ms, header: 45000ms, idle: 45000ms }
    targets:
      - "app.internal:8009"
)");
  EXPECT_EQ(got.notes, "");
}

TEST(WorkersProperties, SettingsOfABalancer) {
  const auto balancer = [](const std::string& more) {
    return "worker.list=b\nworker.b.type=lb\nworker.b.balance_workers=x y\nworker.x.host=a\nworker.y.host=c\n" + more;
  };
  const struct {
    std::string lines;
    std::string yaml;   // somewhere in it
    std::string notes;  // somewhere in them; empty: none
  } rows[] = {
      {"", "{ address: \"a:8009\", route: x }", ""},
      {"worker.b.sticky_session=0", "session_route: off", ""},
      {"worker.b.session_cookie=SID\nworker.b.session_path=;sid", "session_route: { cookie: SID, parameter: sid }", ""},
      {"worker.x.activation=D", "{ address: \"a:8009\", route: x, weight: 0 }", "6 worker.x.activation: a disabled"},
      {"worker.y.activation=stopped", "targets:\n      - { address: \"a:8009\", route: x }\n",
       "6 worker.y.activation: a stopped"},
      {"worker.x.lbfactor=5000\nworker.y.lbfactor=10", "weight: 999",
       "3 worker.b.balance_workers: lbfactor goes up to 5000"},
      {"worker.x.lbfactor=many", "route: x }", "6 worker.x.lbfactor: \"many\" is no number"},
      {"worker.x.port=70000", "\"a:65535\"", "6 worker.x.port: 70000 is more than can be set"},
      {"worker.x.port=0", "targets:\n      - { address: \"c:8009\"", "6 worker.x.port: a:0 is no address"},
      {"worker.x.host=a b", "targets:\n      - { address: \"c:8009\"", "6 worker.x.host: a b:8009 is no address"},
      {"worker.x.host=::1", "\"[::1]:8009\"", "4 worker.x.host: given again in line 6"},
      {"worker.y.host=a", "targets:\n      - { address: \"a:8009\", route: x }\n",
       "another worker of this balancer has its address"},
      {"worker.y.route=x", "{ address: \"c:8009\" }", "has its route x; it is left without"},
      {"worker.x.secret=1\nworker.y.secret=2", "secret: \"1\"",
       "7 worker.y.secret: a group has one secret; that of x was taken"},
      {"worker.b.method=T", "algorithm: least_requests", "6 worker.b.method: bytes are not counted"},
      {"worker.x.redirect=y", "route: x }", "6 worker.x.redirect: there is no preferred heir"},
      {"worker.b.sticky_session_force=1", "route: x }",
       "6 worker.b.sticky_session_force: a session whose target is lost"},
      {"worker.x.recovery_options=7", "route: x }", "6 worker.x.recovery_options: a request is sent again only"},
      {"worker.x.nonsense=7", "route: x }", "6 worker.x.nonsense: not carried over"},
      {"worker.z.host=z", "route: x }", "6 worker.z.host: the worker is neither in worker.list"},
      {"nonsense", "route: x }", "6 nonsense: not of the form name=value"},
      {"ps=/", "route: x }", ""},
      {"worker.x.retries=5", "route: x }", "6 worker.x.retries: a target is not tried again"},
      {"worker.b.retries=50", "attempts: 10", "6 worker.b.retries: 50 is more than can be set"},
  };
  for (const auto& row : rows) {
    const Result got = import_text(balancer(row.lines));
    EXPECT_NE(got.yaml.find(row.yaml), std::string::npos) << row.lines << "\n" << got.yaml;
    if (row.notes.empty()) EXPECT_EQ(got.notes, "") << row.lines;
    EXPECT_NE(got.notes.find(row.notes), std::string::npos) << row.lines << "\n" << got.notes;
  }
}

TEST(WorkersProperties, OfWhichNothingCanBeMade) {
  for (const char* text :
       {"", "worker.list=", "worker.list=gone", "worker.list=a\nworker.a.type=jni\n",
        "worker.list=b\nworker.b.type=lb\n", "worker.list=b\nworker.b.type=lb\nworker.b.balance_workers=b\n",
        "worker.list=s\nworker.s.type=status\n"}) {
    const Result got = import_text(text);
    EXPECT_EQ(got.yaml, "") << text;
    if (std::string_view(text) != "worker.list=") EXPECT_NE(got.notes, "") << text;
  }
}

TEST(WorkersProperties, VariablesAndReferencesEnd) {
  // A ring of references, and a variable that would double at every line.
  std::string text = "worker.list=a\nworker.a.reference=worker.b\nworker.b.reference=worker.a\nv=xxxxxxxxxxxxxxxx\n";
  for (int i = 0; i < 30; ++i) text += fmt::format("v{}=$(v{})$(v{})\n", i + 1, i, i);
  text += "v0=x\nworker.a.host=$(UNKNOWN)$(v30\n";
  const Result got = import_text(text);
  EXPECT_NE(got.notes.find("is no address to connect to"), std::string::npos) << got.notes;
}

TEST(WorkersProperties, IsWellFormedForAnyBytes) {
  const std::string text =
      "worker.list=a,b\nworker.a.type=lb\nworker.a.balance_workers=t\nworker.t.host=h\nworker.t.secret=\xff\x01${X}\"\n"
      "worker.b.host=h2\nworker.b.secret=#none\n";
  import_text(text);
  for (std::size_t size = 0; size < text.size(); ++size) import_text(text.substr(0, size));
}

}  // namespace
}  // namespace ballast::admin
