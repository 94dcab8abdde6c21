#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "admin/api/handle.h"
#include "admin/cli/explain_page.h"
#include "admin/cli/run.h"
#include "admin/fake_service.h"
#include "admin/test_changes.h"

namespace ballast::admin {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

class NoConfigurations : public ConfigSource {
 public:
  Reading read_file(std::string_view) const override { return {}; }
  Reading read_text(std::string_view, std::string_view) const override { return {}; }
  std::string schema() const override { return "{}"; }
};

// Asks the API's own function, so that the command and the API are tested against one another.
class DirectClient : public ApiClient {
 public:
  DirectClient(FakeService& service, const ConfigSource& configurations, std::string& asked)
      : service_(service), configurations_(configurations), asked_(asked) {}
  Result<ApiAnswer> ask(const ApiQuestion& question) override {
    asked_ = question.target;
    const ApiResponse response = handle({question.method, question.target, question.content_type, question.body},
                                        service_, {configurations_, changes_.get(), "/tmp/s.sock"});
    return ApiAnswer{response.status, response.body};
  }
  void pause(std::chrono::milliseconds) override {}

 private:
  FakeService& service_;
  TestChanges changes_{service_};
  const ConfigSource& configurations_;
  std::string& asked_;
};

model::Explained refused() {
  model::Explained record;
  record.id = "0f3c6f6f3a7b4d5e8f90a1b2c3d4e5f6";
  record.at = test_now - 90s;
  record.listener = "web";
  record.client = "203.0.113.7";
  record.protocol = "http/1.1";
  record.method = "POST";
  record.host = "shop.test";
  record.path = "/pay";
  record.rule = "default";
  record.group = "site";
  record.status = 502;
  record.reason = "connect_refused";
  record.happened = "nobody listens at the target";
  record.advice = "is the server running? on that port?";
  record.bytes_in = 214;
  record.bytes_out = 120;
  record.took = 700us;
  record.answered = 600us;
  record.attempts = {{.target = "10.0.0.11:8080",
                      .began = 100us,
                      .connect = 200us,
                      .reason = "connect_refused",
                      .next = "next_target",
                      .next_words = "the next target was asked"},
                     {.target = "10.0.0.12:8080",
                      .began = 400us,
                      .connect = 100us,
                      .reason = "connect_refused",
                      .next = "no_target_left",
                      .next_words = "not again: no other target was left"}};
  return record;
}

model::Explained slow() {
  model::Explained record = refused();
  record.status = 200;
  record.reason = record.happened = record.advice = "";
  record.slow = true;
  record.method = "GET";
  record.query = "full=1";
  record.took = 6'300ms;
  record.answered = 6'200ms;
  record.attempts = {{.target = "10.0.0.11:8080",
                      .began = 0us,
                      .connect = 200ms,
                      .reason = "connect_timeout",
                      .next = "next_target",
                      .next_words = "the next target was asked"},
                     {.target = "10.0.0.12:8080", .reused = true, .began = 200ms, .head = 6'000ms, .status = 200}};
  return record;
}

model::Explained handshake() {
  model::Explained record;
  record.kind = model::Explained::Kind::Connection;
  record.id = "aaaa6f6f3a7b4d5e8f90a1b2c3d4e5f6";
  record.at = test_now - 5s;
  record.listener = "secure";
  record.client = "203.0.113.9";
  record.protocol = "https";
  record.sni = "shop.test";
  record.reason = "tls_no_certificate";
  record.happened = "the client has shown no certificate, and one is required";
  record.advice = "install one in the client";
  record.detail = "peer did not return a certificate; alert certificate_required (116) was sent";
  record.took = 3ms;
  return record;
}

class ExplainCommand : public testing::Test {
 protected:
  ExplainCommand() {
    terminal_.out = [this](std::string_view text) { out_ += text; };
    terminal_.error = [this](std::string_view text) { error_ += text; };
    terminal_.now = [] { return test_now; };
    service_.kept = {
        .records = {refused()}, .kept = 17, .keep = 1000, .slow_after = 5s, .complete_since = test_now - 2h};
  }
  int run(std::vector<std::string> arguments) {
    out_.clear();
    error_.clear();
    asked_.clear();
    arguments.insert(arguments.begin(), "explain");
    const Surroundings surroundings{
        terminal_, configurations_,
        [this](std::string) { return std::make_unique<DirectClient>(service_, configurations_, asked_); },
        "/run/ballast/admin.sock"};
    return static_cast<int>(run_command(arguments, {.version = "0.1.0", .extra_commands = {}}, surroundings));
  }
  bool said(std::string_view text) const { return (out_ + error_).find(text) != std::string::npos; }

  FakeService service_;
  NoConfigurations configurations_;
  Terminal terminal_;
  std::string out_;
  std::string error_;
  std::string asked_;
};

TEST_F(ExplainCommand, ShowsTheVerdictTheAttemptsAndWhatToDo) {
  EXPECT_EQ(run({"0f3c6f6f3a7b"}), 0);
  EXPECT_EQ(out_,
            R"(Answered 502 after 0.6 ms: nobody listens at the target (connect_refused), in the last of 2 attempts.

POST shop.test/pay
  request   0f3c6f6f3a7b4d5e8f90a1b2c3d4e5f6
  ended     2026-11-21 09:58:30.000Z, 90 s ago
  client    203.0.113.7, http/1.1
  way       listener web, rule default, group site
  bytes     214 B came in, 120 B of a body went out

  #      AT  TARGET          OVER  CONNECT  HEAD  CAME TO
  1  0.1 ms  10.0.0.11:8080  new    0.2 ms     -  connect_refused
  2  0.4 ms  10.0.0.12:8080  new    0.1 ms     -  connect_refused
  1: the next target was asked
  2: not again: no other target was left
  The answer's head went out after 0.6 ms; it took 0.7 ms in all.

What to look at: is the server running? on that port?
)");
}

TEST_F(ExplainCommand, SaysWhereTheTimeOfASlowOneWent) {
  service_.kept.records = {slow()};
  EXPECT_EQ(run({"--slow", "--last"}), 0);
  EXPECT_TRUE(said("Slow: answered 200 after 6.2 s, 6.0 s of it waiting for the answer of 10.0.0.12:8080.\n")) << out_;
  EXPECT_TRUE(said("GET shop.test/pay?full=1")) << out_;
  EXPECT_TRUE(said("reused")) << out_;
  EXPECT_FALSE(said("What to look at")) << out_;
  service_.kept.records[0].attempts[1].head = 5ms;
  service_.kept.records[0].attempts[0].connect = 5'000ms;
  service_.kept.records[0].attempts[1].began = 5'000ms;
  run({"--last"});
  EXPECT_TRUE(said("5.0 s of it connecting to 10.0.0.11:8080.")) << out_;
}

TEST_F(ExplainCommand, ShowsAConnection) {
  service_.kept.records = {handshake()};
  EXPECT_EQ(run({"--last"}), 0);
  EXPECT_TRUE(
      said("A connection brought nothing: the client has shown no certificate, and one is required "
           "(tls_no_certificate).\n\nhttps connection for shop.test\n  id "))
      << out_;
  EXPECT_TRUE(said("  detail    peer did not return a certificate; alert certificate_required (116) was sent\n"))
      << out_;
}

TEST_F(ExplainCommand, VerdictsTellHowItEnded) {
  struct Case {
    int status;
    int of_target;
    std::string_view reason;
    std::string_view begins;
  };
  for (const Case& each : {Case{460, 0, "client_gone", "Not answered: why (client_gone) after 0.6 ms."},
                           Case{200, 200, "body_cut", "Answered 200 after 0.6 ms, and then: why (body_cut)."},
                           Case{504, 0, "target_timeout", "Answered 504 after 0.6 ms: why (target_timeout)."},
                           Case{0, 0, "stopped", "Not answered: why (stopped) after 0.6 ms."}}) {
    model::Explained record = refused();
    record.attempts.resize(1);
    record.attempts[0].status = each.of_target;
    record.status = each.status;
    record.reason = each.reason;
    record.happened = "why";
    service_.kept.records = {record};
    run({"--last"});
    EXPECT_TRUE(out_.starts_with(each.begins)) << out_;
  }
}

TEST_F(ExplainCommand, NamesWhatIsWrongWithAMessage) {
  model::Explained record = refused();
  record.status = 400;
  record.reason = "request_malformed";
  record.happened = "the request breaks HTTP; the `defect` says how";
  record.attempts.clear();
  record.defect = "bare_lf";
  record.defect_class = "ambiguous";
  record.defect_words = "a line ends without CR";
  record.defect_at = 16;
  record.method = record.path = "";
  service_.kept.records = {record};
  run({"--last"});
  EXPECT_TRUE(
      out_.starts_with("Answered 400 after 0.6 ms: the request breaks HTTP: a line ends without CR "
                       "(request_malformed).\n\na request that could not be read\n"))
      << out_;
  EXPECT_TRUE(said("  defect    bare_lf (ambiguous) at byte 16: a line ends without CR\n")) << out_;
}

TEST_F(ExplainCommand, FitsTheTerminal) {
  model::Explained record = refused();
  record.path = "/" + std::string(70, 'p');
  record.detail = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen";
  record.attempts[0].tls = 4ms;
  record.attempts[0].text = record.detail;
  service_.kept.records = {record, slow()};
  for (const int width : {80, 120}) {
    terminal_.width_columns = width;
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"0f3c6f6f3a7b"}, std::vector<std::string>{"--count", "5"}}) {
      run(arguments);
      std::string_view rest = out_;
      while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(line.size() + 1);
        // What is one word may be longer, and is not cut: it is for copying.
        if (line.find("pppp") == std::string_view::npos || arguments[0] == "--count") {
          EXPECT_LE(columns(line), static_cast<std::size_t>(width)) << line;
        }
      }
    }
  }
}

TEST_F(ExplainCommand, ATableOfMany) {
  service_.kept.records = {refused(), slow(), handshake()};
  EXPECT_EQ(run({"--count", "3"}), 0);
  EXPECT_EQ(out_, R"(AT        ID            STATUS  REASON                TOOK  WHAT
09:58:30  0f3c6f6f3a7b     502  connect_refused     0.6 ms  POST /pay (shop.test)
09:58:30  0f3c6f6f3a7b     200  slow                 6.2 s  GET /pay?full=1 (shop.test)
09:59:55  aaaa6f6f3a7b       -  tls_no_certificate  3.0 ms  https connection for shop.test
17 records are kept; all there were in the last 2 h 0 min.
)");
  service_.kept.records[0].at = test_now - 30h;
  run({"--count", "3"});
  EXPECT_TRUE(said("\n11-20 04:00  0f3c6f6f3a7b")) << out_;
}

TEST_F(ExplainCommand, AsksForWhatIsMeant) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{}, "/v1/explain?last=20"},
      {{"--last"}, "/v1/explain?last=1"},
      {{"--last", "502"}, "/v1/explain?last=1&status=502"},
      {{"--last=502"}, "/v1/explain?last=1&status=502"},
      {{"--last", "7"}, "/v1/explain?last=7"},
      {{"--last", "502", "--count", "300"}, "/v1/explain?last=300&status=502"},
      {{"--reason", "connect_refused", "--listener", "web", "--slow"},
       "/v1/explain?last=20&reason=connect_refused&listener=web&slow=1"},
      {{"a/b"}, "/v1/explain/a%2Fb?last=5"},
  };
  for (const auto& [arguments, asked] : cases) {
    EXPECT_EQ(run(arguments), 0) << asked << error_;
    EXPECT_EQ(asked_, asked);
  }
  EXPECT_EQ(service_.explained_for->id, "a/b");
  run({"--last", "502", "--count", "300"});
  EXPECT_EQ(service_.explained_for->status, 502);
  EXPECT_EQ(service_.explained_for->count, 300U);
}

TEST_F(ExplainCommand, RefusesWhatCannotBe) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--last", "99999"}, "100 to 599 is a status, 1 to 99 how many"},
      {{"--last", "x"}, "100 to 599 is a status"},
      {{"--last=5", "6"}, "one number"},
      {{"--count", "0"}, "from 1 to 1000"},
      {{"502"}, "ballast explain --last 502"},
      {{"abc", "--slow"}, "an ID names one request"},
  };
  for (const auto& [arguments, text] : cases) {
    EXPECT_EQ(run(arguments), 2) << text;
    EXPECT_TRUE(said(text)) << error_;
    EXPECT_EQ(asked_, "");
  }
}

TEST_F(ExplainCommand, SaysHowFarBackItReaches) {
  service_.kept.records.clear();
  EXPECT_EQ(run({"--last", "502"}), 0);
  EXPECT_EQ(out_, "Nothing of that is kept. 17 records are kept; all there were in the last 2 h 0 min.\n");
  EXPECT_EQ(run({"0f3c6f6f3a7b"}), 1);
  EXPECT_TRUE(
      said("nothing is kept of 0f3c6f6f3a7b. Kept are errors and requests slower than 5 s: all since "
           "2026-11-21T08:00:00.000Z, of older ones a part; 17 records in all."))
      << error_;
  service_.kept.workers_missing = 1;
  run({"0f3c6f6f3a7b"});
  EXPECT_TRUE(said("1 of the workers did not answer in time")) << error_;
  service_.kept = {.keep = 0};
  run({"0f3c6f6f3a7b"});
  EXPECT_TRUE(said("`explain.keep` is 0")) << error_;
  EXPECT_EQ(run({}), 0);
  EXPECT_TRUE(said("`explain.keep` is 0")) << out_;
}

TEST_F(ExplainCommand, JsonIsTheDocument) {
  EXPECT_EQ(run({"--last", "--json"}), 0);
  const Json document = Json::parse(out_);
  EXPECT_EQ(document["kept"], 17);
  EXPECT_EQ(document["complete_since"], "2026-11-21T08:00:00.000Z");
  const Json& record = document["records"][0];
  EXPECT_EQ(record["status"], 502);
  EXPECT_EQ(record["answered_seconds"], 0.0006);
  EXPECT_EQ(record["defect_at"], nullptr);
  EXPECT_EQ(record["attempts"][0]["target"], "10.0.0.11:8080");
  EXPECT_EQ(record["attempts"][0]["tls_seconds"], nullptr);
  EXPECT_EQ(record["attempts"][1]["next"], "no_target_left");
}

// A target, a client and a path may hold anything.
TEST_F(ExplainCommand, NothingMovesTheCursor) {
  service_.kept.records[0].path = "/\x1b[2J";
  service_.kept.records[0].attempts[0].text = "\x1b[2J\n";
  service_.kept.records[0].id = "\x1b]0;x";
  run({"--last"});
  EXPECT_EQ(out_.find('\x1b'), std::string::npos);
  run({"--count", "2"});
  EXPECT_EQ(out_.find('\x1b'), std::string::npos);
}

TEST(ExplainApi, IsForTheSocketAlone) {
  FakeService service;
  TestChanges changes(service);
  NoConfigurations configurations;
  for (const char* target : {"/v1/explain", "/v1/explain/abc"}) {
    EXPECT_EQ(
        handle({.method = "GET", .target = target, .door = Door::Tcp}, service, {configurations, changes.get(), "/s"})
            .status,
        403);
    EXPECT_EQ(handle({.method = "POST", .target = target}, service, {configurations, changes.get(), "/s"}).status, 405);
  }
}

TEST(ExplainApi, RefusesParametersThatCannotBe) {
  FakeService service;
  TestChanges changes(service);
  NoConfigurations configurations;
  for (const char* query : {"last=0", "last=1001", "last=x", "status=99", "status=600", "slow=yes", "state=502"}) {
    const ApiResponse response = handle({.method = "GET", .target = std::string("/v1/explain?") + query}, service,
                                        {configurations, changes.get(), "/s"});
    EXPECT_EQ(response.status, 400) << query;
  }
  service.refusal = Error(Code::Invalid, "there is no reason \"x\"");
  EXPECT_EQ(handle({.method = "GET", .target = "/v1/explain?reason=x"}, service, {configurations, changes.get(), "/s"})
                .status,
            422);
}

TEST(Wrap, BreaksBetweenWords) {
  EXPECT_EQ(wrap("one two three", 0, 2), "one two three");
  EXPECT_EQ(wrap("one two three", 9, 2), "one two\n  three");
  EXPECT_EQ(wrap("one two three", 10, 2), "one two\n  three");
  EXPECT_EQ(wrap("longerthanthat two", 8, 2), "longerthanthat\n  two");
  EXPECT_EQ(wrap("", 8, 2), "");
}

}  // namespace
}  // namespace ballast::admin
