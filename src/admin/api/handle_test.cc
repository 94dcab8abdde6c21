#include "admin/api/handle.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "admin/api/documents.h"
#include "admin/fake_service.h"
#include "admin/test_changes.h"

namespace ballast::admin {
namespace {

using Json = nlohmann::json;

class FakeConfigurations : public ConfigSource {
 public:
  Reading read_file(std::string_view path) const override { return read_text(path, path); }
  Reading read_text(std::string_view name, std::string_view text) const override {
    Reading reading;
    if (text.find("bad") != std::string_view::npos) {
      reading.text = std::string(name) + ":3:5: unknown key";
      reading.findings = {{std::string(name), 3, 5, "unknown key"}};
    } else {
      reading.settings = config::Settings{};
      reading.settings->files = {std::string(name)};
    }
    return reading;
  }
  std::string schema() const override { return "{}"; }
};

class Handle : public testing::Test {
 protected:
  ApiResponse ask(std::string method, std::string target, std::string body = "", std::string content_type = "",
                  Door door = Door::Socket) {
    return handle({std::move(method), std::move(target), std::move(content_type), std::move(body), door}, service_,
                  {configurations_, changes_.get(), "/run/ballast/admin.sock"});
  }
  static std::string text_of(const ApiResponse& response) {
    return Json::parse(response.body).at("error").at("text").get<std::string>();
  }

  FakeService service_;
  TestChanges changes_{service_};
  FakeConfigurations configurations_;
};

TEST_F(Handle, RoutesByMethodPathAndDoor) {
  struct Case {
    const char* method;
    const char* target;
    int socket;
    int tcp;
  };
  const Case cases[] = {
      {"GET", "/metrics", 200, 200},
      {"HEAD", "/metrics", 200, 200},
      {"GET", "/v1/status", 200, 200},
      {"GET", "/v1/status?pretty", 200, 200},
      {"GET", "/v1/events?after=3", 200, 200},
      {"GET", "/v1/events?after=-1", 400, 400},
      {"GET", "/v1/events?after=1x", 400, 400},
      {"GET", "/v1/version", 200, 200},
      {"GET", "/v1/health", 200, 200},
      {"GET", "/v1/config", 200, 403},
      {"GET", "/v1/schema", 200, 403},
      {"POST", "/v1/reload", 200, 403},
      {"POST", "/v1/targets/site/10.0.0.11:8080/drain", 200, 403},
      {"POST", "/v1/targets/site/10.0.0.11:8080/enable", 200, 403},
      {"DELETE", "/v1/targets/site/10.0.0.11:8080/weight", 200, 403},
      {"PUT", "/v1/listeners/web/maintenance", 200, 403},
      {"DELETE", "/v1/listeners/web/maintenance", 200, 403},
      {"PUT", "/v1/listeners/wab/maintenance", 404, 403},
      {"POST", "/v1/listeners/web/maintenance", 405, 403},
      {"POST", "/v1/targets/site/10.0.0.99:8080/drain", 404, 403},
      {"POST", "/v1/targets//x/drain", 404, 403},
      {"POST", "/v1/status", 405, 405},
      {"GET", "/v1/reload", 405, 403},
      {"GET", "/v1/targets/a/b/weight", 405, 403},
      {"GET", "/", 404, 403},
      {"GET", "/v1", 404, 403},
      {"GET", "/v1/status/more", 404, 403},
      {"GET", "/v2/status", 404, 403},
      {"GET", "/v1/%zz", 400, 400},
      {"GET", "/v1/status%00", 400, 400},
      {"GET", "v1/status", 400, 400},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ask(c.method, c.target).status, c.socket) << c.method << " " << c.target;
    EXPECT_EQ(ask(c.method, c.target, "", "", Door::Tcp).status, c.tcp) << c.method << " " << c.target << " over TCP";
  }
}

TEST_F(Handle, NothingChangesOverTcp) {
  for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
    for (const char* target : {"/v1/reload", "/v1/apply", "/v1/plan", "/v1/targets/site/10.0.0.11:8080/drain",
                               "/v1/targets/site/10.0.0.11:8080/weight"}) {
      EXPECT_EQ(ask(method, target, "{\"weight\": 1}", "", Door::Tcp).status, 403) << method << target;
    }
  }
  EXPECT_TRUE(service_.asked.empty());
  EXPECT_FALSE(service_.applied || service_.planned);
  EXPECT_NE(text_of(ask("POST", "/v1/reload", "", "", Door::Tcp)).find("/run/ballast/admin.sock"), std::string::npos);
}

TEST_F(Handle, TellsWhatAPathTakes) {
  const ApiResponse response = ask("POST", "/v1/targets/a/b/weight");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.allow, "PUT, DELETE");
  EXPECT_EQ(ask("PUT", "/metrics").allow, "GET, HEAD");
}

TEST_F(Handle, TargetsAreDecodedOnce) {
  EXPECT_EQ(ask("POST", "/v1/targets/devices/unix:%2Frun%2Fdevice%2Fone.sock/drain").status, 200);
  EXPECT_EQ(ask("POST", "/v1/targets/a%252Fb/x/drain").status, 404);
  EXPECT_EQ(service_.asked[0], "drain devices unix:/run/device/one.sock");
  EXPECT_EQ(service_.asked[1], "drain a%2Fb x");
}

TEST_F(Handle, WeightIsBounded) {
  const std::string target = "/v1/targets/site/10.0.0.11:8080/weight";
  EXPECT_EQ(ask("PUT", target, "{\"weight\": 999}").status, 200);
  EXPECT_EQ(ask("PUT", target, "{\"weight\": 0}").status, 200);
  for (const char* body :
       {"", "5", "{}", "{\"weight\": 1000}", "{\"weight\": -1}", "{\"weight\": 1.5}", "{\"weight\": \"5\"}",
        "{\"weight\": 5, \"x\": 1}", "{\"weight\": 18446744073709551617}", "{\"weight\":", "[5]", "null"}) {
    EXPECT_EQ(ask("PUT", target, body).status, 400) << body;
  }
  EXPECT_EQ(service_.asked,
            (std::vector<std::string>{"weight=999 site 10.0.0.11:8080", "weight=0 site 10.0.0.11:8080"}));
}

TEST_F(Handle, AppliesTextAndFiles) {
  service_.changes = {{"target_groups.site.targets", "10.0.0.13:80 added", false}};
  ApiResponse response = ask("POST", "/v1/plan?file=%2Fetc%2Fb.yaml", "listeners: {}", "application/yaml");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(Json::parse(response.body)["changes"][0]["text"], "10.0.0.13:80 added");
  EXPECT_EQ(service_.planned->files[0], "/etc/b.yaml");
  EXPECT_FALSE(service_.applied);

  response = ask("POST", "/v1/apply", "{\"path\": \"/etc/c.yaml\"}", "application/json; charset=utf-8");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(Json::parse(response.body)["generation"], 8);
  EXPECT_EQ(service_.applied->files[0], "/etc/c.yaml");
}

TEST_F(Handle, RefusesWhatCannotBe) {
  EXPECT_EQ(ask("POST", "/v1/apply").status, 400);
  EXPECT_EQ(ask("POST", "/v1/apply", "{\"path\": \"rel.yaml\"}", "application/json").status, 400);
  EXPECT_EQ(ask("POST", "/v1/apply", "{\"path\": 5}", "application/json").status, 400);
  EXPECT_EQ(ask("POST", "/v1/apply", "[", "application/json").status, 400);
  EXPECT_EQ(ask("POST", "/v1/apply", std::string(api_body_bytes_max + 1, ' ')).status, 413);
  const ApiResponse response = ask("POST", "/v1/apply?file=x.yaml", "bad");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(text_of(response), "x.yaml:3:5: unknown key");
  EXPECT_EQ(Json::parse(response.body)["diagnostics"][0]["line"], 3);
  EXPECT_FALSE(service_.applied);

  service_.refusal = Error(Code::InUse, "listener \"web\": cannot bind 0.0.0.0:80: address in use");
  EXPECT_EQ(ask("POST", "/v1/apply", "good").status, 409);
  EXPECT_EQ(ask("POST", "/v1/reload").status, 409);
}

TEST_F(Handle, HealthFollowsStopping) {
  EXPECT_EQ(ask("GET", "/v1/health").status, 200);
  service_.now.stopping = true;
  EXPECT_EQ(ask("GET", "/v1/health").status, 503);
}

TEST_F(Handle, DocumentsAreValidWhateverTheTextIs) {
  service_.now.groups[0].targets[1].words = "GET / gave \"\xFF\xFE\n";
  service_.happened = {{5, test_now, "target.state", "site/x", "\xC3"}};
  EXPECT_TRUE(Json::accept(ask("GET", "/v1/status").body));
  EXPECT_TRUE(Json::accept(ask("GET", "/v1/events").body));
  EXPECT_EQ(Json::parse(ask("GET", "/v1/events?after=5").body)["events"].size(), 0U);
}

TEST(Documents, WritesTimes) {
  EXPECT_EQ(rfc3339(test_now), "2026-11-21T10:00:00.000Z");
  EXPECT_EQ(rfc3339(test_now + std::chrono::milliseconds(61'007)), "2026-11-21T10:01:01.007Z");
  EXPECT_EQ(rfc3339(model::WallTime{} - std::chrono::milliseconds(1)), "1969-12-31T23:59:59.999Z");
}

TEST(Documents, StatusHasWhatTheTablesShow) {
  model::Status status = sample_status();
  status.groups[0].targets[0].checked = {};
  const Json json = Json::parse(status_document(status));
  EXPECT_EQ(json["listeners"][0]["traffic"]["responses"]["5xx"], 12);
  EXPECT_EQ(json["kernel_tls"],
            (Json{{"state", "unavailable"}, {"reason", "no module"}, {"connections", 3}, {"refused", 1}}));
  EXPECT_EQ(json["groups"][0]["targets"][1]["reason"], "Target.ResponseCodeMismatch");
  EXPECT_EQ(json["groups"][0]["targets"][1]["since"], "2026-11-21T09:58:30.000Z");
  EXPECT_TRUE(json["groups"][0]["targets"][0]["checked"].is_null());
  const double p50 = json["listeners"][0]["traffic"]["duration"]["p50_seconds"];
  EXPECT_GT(p50, 0.001);
  EXPECT_LE(p50, 0.0025);
}

TEST(Target, TakesApart) {
  const Target target = take_apart("/v1/a%2fb//c?x=1&y&x=2&z=%26");
  EXPECT_EQ(target.segments, (std::vector<std::string>{"v1", "a/b", "", "c"}));
  EXPECT_EQ(target.parameter("x"), "1");
  EXPECT_EQ(target.parameter("y"), "");
  EXPECT_EQ(target.parameter("z"), "&");
  const std::string all = "/v1/%2F%c3?%41=%42&x";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) take_apart(std::string_view(all).substr(0, cut));
  EXPECT_EQ(take_apart("/" + percent_encode("a /?%&\xC3:b")).segments[0], "a /?%&\xC3:b");
}

}  // namespace
}  // namespace ballast::admin
