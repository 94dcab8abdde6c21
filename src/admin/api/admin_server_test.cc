#include "admin/api/admin_server.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "admin/api/file_config_source.h"
#include "admin/cli/socket_client.h"
#include "admin/fake_service.h"
#include "admin/test_changes.h"
#include "io/machine.h"
#include "io/run_in_loop.h"
#include "wire/http/fetch.h"

namespace ballast::admin {

using http::fetch;
using http::FetchResponse;
namespace {

namespace fs = std::filesystem;
using io::Task;
using Json = nlohmann::json;

io::Deadline soon(io::Loop& loop) {
  return loop.after(std::chrono::seconds(10));
}

class AdminServerTest : public testing::Test {
 protected:
  AdminServerTest() {
    folder_ = fs::temp_directory_path() / ("ballast-admin-" + std::to_string(io::process_id()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
    settings_.socket = folder_ / "admin.sock";
    settings_.http = config::Address{.host = "127.0.0.1", .port = 0, .unix_path = {}};
  }
  ~AdminServerTest() override { fs::remove_all(folder_); }

  Result<std::unique_ptr<AdminServer>> open() {
    return AdminServer::open(*loop_, service_, changes_.get(), configurations_, settings_, sockets_);
  }

  fs::path folder_;
  std::unique_ptr<io::Loop> loop_ = io::make_loop();
  FakeService service_;
  TestChanges changes_{service_};
  FileConfigSource configurations_{{}};
  io::OwnSockets sockets_;
  config::Admin settings_;
};

io::SocketAddress tcp_address(const AdminServer& server) {
  const std::string text = server.http_address();
  const auto port = static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
  return *io::SocketAddress::numeric("127.0.0.1", port);
}

Task<void> both_doors(io::Loop& loop, AdminServer& server, FakeService& service, std::string socket) {
  const io::SocketAddress local = *io::SocketAddress::unix_path(socket);
  const io::SocketAddress tcp = tcp_address(server);
  Result<FetchResponse> r = co_await fetch(loop, local, {.target = "/v1/status"}, soon(loop));
  CO_ASSERT(r);
  EXPECT_EQ(Json::parse(r->body)["generation"], 7);
  r = co_await fetch(loop, tcp, {.target = "/metrics"}, soon(loop));
  CO_ASSERT(r);
  EXPECT_NE(r->body.find("ballast_config_generation 7"), std::string::npos);
  r = co_await fetch(loop, tcp, {.method = "POST", .target = "/v1/reload"}, soon(loop));
  CO_ASSERT(r);
  EXPECT_EQ(r->status, 403);
  EXPECT_TRUE(service.asked.empty());
  r = co_await fetch(loop, local, {.method = "POST", .target = "/v1/targets/site/10.0.0.11:8080/drain"}, soon(loop));
  CO_ASSERT(r);
  EXPECT_EQ(r->status, 200);
  EXPECT_EQ(service.asked.size(), 1U);
  r = co_await fetch(loop, local, {.method = "POST", .target = "/v1/apply", .body = std::string(5 * mib, 'x')},
                     soon(loop));
  CO_ASSERT(r);
  EXPECT_EQ(r->status, 413);
  EXPECT_EQ(Json::parse(r->body)["error"]["code"], "too_large");
  co_await server.close(soon(loop));
}

TEST_F(AdminServerTest, ServesBothDoors) {
  auto server = open();
  ASSERT_TRUE(server) << server.error().text();
  const fs::perms perms = fs::status(settings_.socket).permissions();
  EXPECT_EQ(static_cast<int>(perms), 0660);
  EXPECT_FALSE(fs::exists(settings_.socket + ".new"));
  io::run_in(*loop_, both_doors(*loop_, **server, service_, settings_.socket));
  EXPECT_FALSE(fs::exists(settings_.socket)) << "removed at the end";
}

Task<void> close_only(io::Loop& loop, AdminServer& server) {
  co_await server.close(soon(loop));
}

TEST_F(AdminServerTest, NeverTakesALiveSocket) {
  settings_.http.reset();
  auto first = open();
  ASSERT_TRUE(first) << first.error().text();
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::InUse);
  EXPECT_EQ(second.error().text(),
            "another ballast is running on " + settings_.socket + "; stop it, or give this one its own admin.socket");
  io::run_in(*loop_, close_only(*loop_, **first));
}

TEST_F(AdminServerTest, ReplacesADeadOnesSocketOnly) {
  settings_.http.reset();
  {
    const auto dead = io::ListeningSocket::bind(*io::SocketAddress::unix_path(settings_.socket));
  }
  ASSERT_TRUE(fs::is_socket(settings_.socket)) << "as after a crash";
  auto server = open();
  ASSERT_TRUE(server) << server.error().text();
  io::run_in(*loop_, close_only(*loop_, **server));

  std::ofstream(settings_.socket) << "a file of somebody's";
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("not a socket"), std::string::npos);
  EXPECT_EQ(fs::file_size(settings_.socket), 20U) << "left alone";

  settings_.socket = folder_ / "missing" / "admin.sock";
  const auto nowhere = open();
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code(), Code::NotFound);
  EXPECT_NE(nowhere.error().text().find(settings_.socket), std::string::npos);
}

Task<void> happen_later(io::Loop& loop, FakeService& service) {
  co_await io::Sleep(loop.after(std::chrono::milliseconds(50)));
  service.happened.push_back({9, test_now, "config.applied", "", ""});
}

Task<void> fetch_into(io::Loop& loop, io::SocketAddress to, std::string target, Result<FetchResponse>& result) {
  result = co_await fetch(loop, to, {.target = std::move(target)}, soon(loop));
}

Task<void> long_poll(io::Loop& loop, AdminServer& server, FakeService& service) {
  io::Scope scope(loop);
  const io::SocketAddress to = tcp_address(server);
  scope.spawn(happen_later(loop, service));
  const io::Instant before = loop.fresh_now();
  Result<FetchResponse> r = co_await fetch(loop, to, {.target = "/v1/events?after=0&wait=20"}, soon(loop));
  CO_ASSERT(r);
  EXPECT_EQ(Json::parse(r->body)["events"][0]["id"], 9);
  EXPECT_LT(loop.fresh_now() - before, std::chrono::seconds(5));
  r = co_await fetch(loop, to, {.target = "/v1/events?after=9&wait=1"}, soon(loop));
  CO_ASSERT(r);
  EXPECT_EQ(Json::parse(r->body)["events"].size(), 0U);
  EXPECT_GE(loop.fresh_now() - before, std::chrono::seconds(1));
  // One that waits does not hold up the end.
  Result<FetchResponse> waiting = fail(Code::Cancelled);
  scope.spawn(fetch_into(loop, to, "/v1/events?after=9&wait=20", waiting));
  co_await io::Sleep(loop.after(std::chrono::milliseconds(20)));
  const io::Instant closing = loop.fresh_now();
  co_await server.close(soon(loop));
  EXPECT_LT(loop.fresh_now() - closing, std::chrono::seconds(5));
  const bool ended = co_await scope.closed(soon(loop));
  EXPECT_TRUE(ended);
  EXPECT_TRUE(waiting) << waiting.error().text();
}

TEST_F(AdminServerTest, HoldsEventsUntilOneHappens) {
  auto server = open();
  ASSERT_TRUE(server) << server.error().text();
  io::run_in(*loop_, long_poll(*loop_, **server, service_));
}

TEST_F(AdminServerTest, TheBlockingClientSaysWhatIsWrong) {
  SocketClient missing(settings_.socket);
  auto answer = missing.ask({.target = "/v1/status"});
  ASSERT_FALSE(answer);
  EXPECT_TRUE(
      answer.error().text().starts_with("cannot reach ballast over " + settings_.socket + ": there is no such socket."))
      << answer.error().text();
  {
    const auto dead = io::ListeningSocket::bind(*io::SocketAddress::unix_path(settings_.socket));
  }
  answer = missing.ask({.target = "/v1/status"});
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().text().find("ballast has ended"), std::string::npos) << answer.error().text();
  EXPECT_FALSE(SocketClient(std::string(500, 'x')).ask({.target = "/"}));
}

TEST_F(AdminServerTest, TheBlockingClientAsks) {
  auto server = open();
  ASSERT_TRUE(server) << server.error().text();
  Result<ApiAnswer> answer = fail(Code::Cancelled);
  std::jthread person([&] {
    answer = SocketClient(settings_.socket).ask({.target = "/v1/version"});
    loop_->stop();
  });
  loop_->run();
  person.join();
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(Json::parse(answer->body)["version"], "0.1.0");
  io::Scope scope(*loop_);
  scope.spawn(close_only(*loop_, **server));
  EXPECT_TRUE(scope.empty()) << "nothing was under way";
}

}  // namespace
}  // namespace ballast::admin
