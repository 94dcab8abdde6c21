#include <deque>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "admin/api/documents.h"
#include "admin/api/handle.h"
#include "admin/cli/figures.h"
#include "admin/cli/run.h"
#include "admin/cli/table.h"
#include "admin/fake_service.h"
#include "admin/test_changes.h"

namespace ballast::admin {
namespace {

using Json = nlohmann::json;

class FakeConfigurations : public ConfigSource {
 public:
  Reading read_file(std::string_view path) const override {
    Reading reading;
    if (path.find("bad") != std::string_view::npos) {
      reading.text = "bad.yaml:3:5: error: unknown key\x1b[2J\n  3 | x\n";
      reading.findings = {{"bad.yaml", 3, 5, "unknown key"}};
    } else {
      reading.settings = config::Settings{};
      reading.settings->files = {std::string(path)};
    }
    return reading;
  }
  Reading read_text(std::string_view name, std::string_view) const override { return read_file(name); }
  std::string schema() const override { return "{\"$schema\": 1}\n"; }
};

// Asks the API's own function, so that commands and API are tested against one another.
class DirectClient : public ApiClient {
 public:
  DirectClient(FakeService& service, const ConfigSource& configurations, bool& reachable, int& pauses)
      : service_(service), configurations_(configurations), reachable_(reachable), pauses_(pauses) {}
  Result<ApiAnswer> ask(const ApiQuestion& question) override {
    if (!reachable_) return fail(Code::Refused, "no ballast behind /tmp/s.sock; start it");
    const ApiResponse response =
        handle({question.method, question.target, question.content_type, question.body, Door::Socket}, service_,
               {configurations_, changes_.get(), "/tmp/s.sock"});
    return ApiAnswer{response.status, response.body};
  }
  void pause(std::chrono::milliseconds) override {
    ++pauses_;
    std::uint64_t& left = service_.now.groups[0].targets[0].traffic.in_flight;
    if (left > 0) --left;
  }

 private:
  FakeService& service_;
  TestChanges changes_{service_};
  const ConfigSource& configurations_;
  bool& reachable_;
  int& pauses_;
};

class Cli : public testing::Test {
 protected:
  Cli() {
    terminal_.out = [this](std::string_view text) { out_ += text; };
    terminal_.error = [this](std::string_view text) { error_ += text; };
    terminal_.now = [this] { return clock_; };
    terminal_.folder = "/home/op";
  }
  int run(std::vector<std::string> arguments) {
    out_.clear();
    error_.clear();
    Program program{.version = "0.1.0", .extra_commands = {}};
    const Surroundings surroundings{terminal_, configurations_,
                                    [this](std::string socket) {
                                      socket_ = std::move(socket);
                                      return std::make_unique<DirectClient>(service_, configurations_, reachable_,
                                                                            pauses_);
                                    },
                                    "/run/ballast/admin.sock"};
    return static_cast<int>(run_command(arguments, program, surroundings));
  }
  bool said(std::string_view text) const { return (out_ + error_).find(text) != std::string::npos; }

  FakeService service_;
  FakeConfigurations configurations_;
  Terminal terminal_;
  model::WallTime clock_ = test_now;
  std::string out_;
  std::string error_;
  std::string socket_;
  bool reachable_ = true;
  int pauses_ = 0;
};

TEST_F(Cli, StatusShowsATable) {
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_EQ(out_, R"(ballast 0.1.0  pid 4711, up 26 h 0 min, 2 workers, 48.0 MiB, 40 of 65536 descriptors
/etc/ballast/ballast.yaml  generation 7, applied 5 min ago

LISTENER  ADDRESS       PROTOCOL  CONNECTIONS  IN FLIGHT  REQUESTS  4XX  5XX     P99  REFUSED
web       0.0.0.0:8080  http                9          3     1,200   38   12  2.5 ms        0
gateway   [::]:9000     tcp                60         60        60    0    0       -        0

site (http, round_robin): 1 of 2 healthy, 4 retries
  TARGET          STATE          SINCE  WEIGHT  IN FLIGHT  REQUESTS  5XX     P99  REASON
  10.0.0.11:8080  healthy    2 h 0 min       1          3     1,200   12  2.5 ms  Target.Passed: GET /healthz gave 200
  10.0.0.12:8080  unhealthy       90 s      2*          0         0    0       -  Target.ResponseCodeMismatch: GET /healthz gave 500, wanted 200

devices (tcp, least_requests): 1 of 1 healthy
  TARGET                     STATE        SINCE  WEIGHT  IN FLIGHT  REQUESTS  5XX  P99  REASON
  unix:/run/device/one.sock  healthy  2 h 0 min       1         60        60    0    -  Target.ChecksDisabled
)");
}

TEST_F(Cli, StatusTellsWhatTrafficSaysOfTargets) {
  model::GroupStatus& site = service_.now.groups[0];
  site.ejected = 1;
  site.targets[0].effective_weight = 0.5;
  site.targets[0].passive_weight = 0.5;
  site.targets[0].passive_words = "answers in 104 ms where its peers take 3.0 ms";
  site.targets[1].reason = model::TargetReason::Ejected;
  site.targets[1].words = "5 failures in a row (the last: connection refused); out for 30s";
  site.targets[1].ejected_until = test_now + std::chrono::seconds(12);
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_TRUE(said("1 of 2 healthy, 1 ejected, 4 retries"));
  EXPECT_TRUE(said("0.5 of 1 "));
  EXPECT_TRUE(said("GET /healthz gave 200; gets less: answers in 104 ms where its peers take 3.0 ms"));
  EXPECT_TRUE(said("Target.Ejected: 5 failures in a row (the last: connection refused); out for 30s; back in 12 s"));
}

TEST_F(Cli, StatusKeepsToTheTerminal) {
  terminal_.width_columns = 160;
  service_.now.groups[0].failing_open = true;
  service_.now.groups[0].targets[1].words = "GET gave \x1b[2J \xC2\x9B\n" + std::string(200, 'x');
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_EQ(out_.find('\x1b'), std::string::npos) << "no colours were asked for, and none may come from a target";
  EXPECT_TRUE(said("FAILING OPEN"));
  EXPECT_TRUE(said("…"));
  for (std::size_t at = out_.find("  TARGET"); at < out_.size();) {
    const std::size_t end = out_.find('\n', at);
    EXPECT_LE(columns(out_.substr(at, end - at)), 160U) << out_.substr(at, end - at);
    at = end + 1;
  }
  terminal_.colours = true;
  EXPECT_EQ(run({"status"}), 0);
  EXPECT_TRUE(said("\x1b[32mhealthy\x1b[0m"));
}

TEST_F(Cli, JsonIsTheApisDocument) {
  EXPECT_EQ(run({"status", "--json"}), 0);
  EXPECT_EQ(out_, status_document(service_.now));
  for (const char* command : {"events", "version", "schema", "reload"}) {
    EXPECT_EQ(run({command, "--json"}), 0) << command;
    EXPECT_TRUE(Json::accept(out_)) << command;
  }
  reachable_ = false;
  EXPECT_EQ(run({"status", "--json"}), 3);
  EXPECT_EQ(Json::parse(out_)["error"]["code"], "refused");
  EXPECT_EQ(error_, "");
}

TEST_F(Cli, SaysWhenNothingAnswers) {
  reachable_ = false;
  for (const auto& line : std::vector<std::vector<std::string>>{
           {"status"}, {"events"}, {"plan", "x"}, {"apply", "x"}, {"reload"}, {"target", "drain", "site", "x"}}) {
    EXPECT_EQ(run(line), 3) << line[0];
    EXPECT_EQ(error_, "no ballast behind /tmp/s.sock; start it\n");
    EXPECT_EQ(out_, "");
  }
  EXPECT_EQ(run({"version"}), 0) << "needs nobody";
  EXPECT_EQ(out_, "ballast 0.1.0\n");
}

TEST_F(Cli, FindsItsSocket) {
  run({"status"});
  EXPECT_EQ(socket_, "/run/ballast/admin.sock");
  run({"status", "--socket", "/tmp/a"});
  EXPECT_EQ(socket_, "/tmp/a");
  run({"status", "--socket=/tmp/b"});
  EXPECT_EQ(socket_, "/tmp/b");
}

TEST_F(Cli, RefusesBadCommandLines) {
  struct Case {
    std::vector<std::string> line;
    std::string_view text;
  };
  const Case cases[] = {
      {{"statsu"}, "no command \"statsu\"; did you mean \"status\"?"},
      {{"help", "evnets"}, "did you mean \"events\"?"},
      {{"status", "--jsn"}, "unknown option --jsn; did you mean \"--json\"?"},
      {{"status", "--json=1"}, "takes no value"},
      {{"status", "--socket"}, "needs a value: --socket PATH"},
      {{"status", "extra"}, "usage: ballast status"},
      {{"check"}, "usage: ballast check FILE"},
      {{"check", "a", "b"}, "usage: ballast check FILE"},
      {{"target", "drian", "site", "x"}, "did you mean \"drain\"?"},
      {{"target", "drain", "site"}, "usage: ballast target drain GROUP ADDRESS"},
      {{"target", "drain", "/x"}, "usage: ballast target drain GROUP ADDRESS"},
      {{"target", "drain", "site", "x", "5"}, "usage: ballast target drain GROUP ADDRESS"},
      {{"target", "drain", "site", "x", "--timeout", "soon"}, "--timeout"},
      {{"target", "enable", "site", "x", "--wait"}, "for drain"},
      {{"target", "weight", "site", "x", "1000"}, "0 to 999"},
      {{"events", "--after", "-1"}, "not the id of an event"},
      {{"completion", "fish"}, "bash only"},
      {{}, "usage: ballast COMMAND"},
      {{"a\x1b[2Jb"}, "no command"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(run(c.line), 2) << c.text;
    EXPECT_TRUE(said(c.text)) << error_ << out_;
    EXPECT_FALSE(said("\x1b"));
    EXPECT_EQ(out_, "");
  }
  EXPECT_TRUE(service_.asked.empty());
}

TEST_F(Cli, EveryCommandHasHelpWithAnExample) {
  EXPECT_EQ(run({"help"}), 0);
  const std::string page = out_;
  for (const char* name : {"status", "events", "check", "import", "plan", "apply", "reload", "target", "schema",
                           "version", "completion", "help"}) {
    EXPECT_NE(page.find(name), std::string::npos) << name;
    EXPECT_EQ(run({name, "--help"}), 0);
    EXPECT_TRUE(said("example:\n  ballast " + std::string(name))) << name;
    EXPECT_EQ(run({"help", name}), 0);
  }
}

TEST_F(Cli, ChecksWithoutAskingAnybody) {
  reachable_ = false;
  EXPECT_EQ(run({"check", "good.yaml"}), 0);
  EXPECT_EQ(out_, "good.yaml: valid; 0 listeners, 0 target groups\n");
  EXPECT_EQ(run({"check", "bad.yaml"}), 2);
  EXPECT_EQ(error_, "bad.yaml:3:5: error: unknown key?[2J\n  3 | x\n");
  EXPECT_EQ(run({"check", "bad.yaml", "--json"}), 2);
  EXPECT_EQ(Json::parse(out_)["diagnostics"][0]["column"], 5);
}

TEST_F(Cli, PlansAndApplies) {
  EXPECT_EQ(run({"plan", "new.yaml"}), 0);
  EXPECT_EQ(out_, "nothing would change\n");
  service_.changes = {{"target_groups.site.targets", "10.0.0.13:80 added", false}, {"workers", "2 -> 4", true}};
  EXPECT_EQ(run({"plan", "new.yaml"}), 0);
  EXPECT_EQ(out_,
            "2 would change:\n  target_groups.site.targets: 10.0.0.13:80 added\n"
            "  workers: 2 -> 4 (takes effect at the next start)\n");
  EXPECT_EQ(service_.planned->files[0], "/home/op/new.yaml");
  EXPECT_FALSE(service_.applied);
  EXPECT_EQ(run({"apply", "/etc/new.yaml"}), 0);
  EXPECT_TRUE(said("generation 8 runs; 2 changed:\n"));
  EXPECT_EQ(service_.applied->files[0], "/etc/new.yaml");
  EXPECT_EQ(run({"apply", "bad.yaml"}), 2);
  EXPECT_TRUE(said("bad.yaml:3:5"));
  service_.refusal = Error(Code::InUse, "cannot bind 0.0.0.0:80");
  EXPECT_EQ(run({"apply", "new.yaml"}), 1);
  EXPECT_EQ(error_, "cannot bind 0.0.0.0:80\n");
  EXPECT_EQ(run({"reload"}), 1);
}

TEST_F(Cli, TargetsByEitherSpelling) {
  EXPECT_EQ(run({"target", "drain", "site", "10.0.0.11:8080"}), 0);
  EXPECT_EQ(run({"target", "enable", "site/10.0.0.11:8080"}), 0);
  EXPECT_EQ(run({"target", "weight", "site/10.0.0.11:8080", "5"}), 0);
  EXPECT_EQ(run({"target", "weight", "site", "10.0.0.11:8080"}), 0);
  EXPECT_EQ(run({"target", "drain", "devices/unix:/run/device/one.sock"}), 0);
  EXPECT_EQ(run({"target", "weight", "devices", "unix:/run/device/one.sock", "0"}), 0);
  EXPECT_EQ(service_.asked, (std::vector<std::string>{"drain site 10.0.0.11:8080", "enable site 10.0.0.11:8080",
                                                      "weight=5 site 10.0.0.11:8080", "weight=file site 10.0.0.11:8080",
                                                      "drain devices unix:/run/device/one.sock",
                                                      "weight=0 devices unix:/run/device/one.sock"}));
  EXPECT_EQ(run({"target", "drain", "site", "10.9.9.9:1"}), 1);
  EXPECT_EQ(error_, "group \"site\" has no target \"10.9.9.9:1\"\n");
}

TEST_F(Cli, DrainWaitsForTheLastRequest) {
  EXPECT_EQ(run({"target", "drain", "site/10.0.0.11:8080", "--wait"}), 0);
  EXPECT_EQ(pauses_, 3);
  EXPECT_EQ(out_, "site/10.0.0.11:8080: drained; nothing is in flight\n");
  service_.now.groups[0].targets[0].traffic.in_flight = 2;
  EXPECT_EQ(run({"target", "drain", "site/10.0.0.11:8080", "--wait", "--timeout", "0"}), 1);
  EXPECT_TRUE(said("2 still in flight"));
}

TEST_F(Cli, EventsAreLines) {
  service_.happened = {{1, test_now, "target.state", "site/10.0.0.11:8080", "healthy -> unhealthy: \x1b timed out"},
                       {2, test_now, "config.applied", "generation 8", "by reload"}};
  EXPECT_EQ(run({"events"}), 0);
  EXPECT_EQ(out_,
            "2026-11-21 10:00:00Z  target.state  site/10.0.0.11:8080  healthy -> unhealthy: ? timed out\n"
            "2026-11-21 10:00:00Z  config.applied  generation 8  by reload\n");
  EXPECT_EQ(run({"events", "--after", "1"}), 0);
  EXPECT_FALSE(said("target.state"));
}

TEST_F(Cli, CompletionKnowsEveryCommand) {
  EXPECT_EQ(run({"completion", "bash"}), 0);
  EXPECT_TRUE(said("compgen -W \"status events explain check import plan"));
  EXPECT_TRUE(said("    events) words=\"--follow --after --socket --json --help\" ;;"));
}

TEST(Figures, ReadWell) {
  EXPECT_EQ(show_count(0), "0");
  EXPECT_EQ(show_count(999), "999");
  EXPECT_EQ(show_count(1234567), "1,234,567");
  EXPECT_EQ(show_count(98'765'432), "98.8 M");
  EXPECT_EQ(show_bytes(1023), "1023 B");
  EXPECT_EQ(show_bytes(1536), "1.5 KiB");
  EXPECT_EQ(show_span(std::chrono::milliseconds(-5)), "0 ms");
  EXPECT_EQ(show_span(std::chrono::hours(50)), "2 d 2 h");
  EXPECT_EQ(read_rfc3339(rfc3339(test_now)), test_now);
  const std::string time = "2026-11-21T10:00:00.000Z";
  for (std::size_t i = 0; i < time.size(); ++i) {
    EXPECT_FALSE(read_rfc3339(time.substr(0, i)));
    std::string broken = time;
    broken[i] = 'x';
    EXPECT_FALSE(read_rfc3339(broken)) << broken;
  }
}

TEST(Table, CutsBetweenCharacters) {
  EXPECT_EQ(cut("grün", 4), "grün");
  EXPECT_EQ(cut("grün!", 4), "grü…");
  EXPECT_EQ(cut("abc", 0), "");
  EXPECT_EQ(cut("abc", 1), "…");
}

}  // namespace
}  // namespace ballast::admin
