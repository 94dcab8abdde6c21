#include "traffic/l7/grpc.h"

#include <gtest/gtest.h>

#include "wire/http/parse.h"

namespace ballast::traffic {
namespace {

using namespace std::chrono_literals;

bool is_grpc_with(const std::string& type) {
  const std::string text = "POST /a.B/C HTTP/1.1\r\nHost: h\r\nContent-Type: " + type + "\r\n\r\n";
  http::RequestHead head;
  EXPECT_EQ(http::RequestParser::parse(text, {}, head).progress, http::Progress::Complete);
  return is_grpc(head);
}

TEST(Grpc, IsToldByTheContentType) {
  for (const char* type :
       {"application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8", "Application/GRPC"})
    EXPECT_TRUE(is_grpc_with(type)) << type;
  for (const char* type : {"application/grpc-web", "application/grpc-web+proto", "application/json", "application/grp",
                           "text/application/grpc"})
    EXPECT_FALSE(is_grpc_with(type)) << type;
}

TEST(Grpc, TimeoutsHaveUnits) {
  const struct {
    Bytes value;
    std::optional<io::Duration> time;
  } cases[] = {
      {"1S", 1s},
      {"250m", 250ms},
      {"2M", 2min},
      {"3H", 3h},
      {"1500u", 1500us},
      {"5000000n", 5ms},
      {"1n", 1ms},
      {"0S", 1ms},
      {"99999999H", 24h * 365},
      {"99999999M", 24h * 365},
      {"99999999S", 24h * 365},
      {"", {}},
      {"S", {}},
      {"5", {}},
      {"5s", {}},
      {"-1S", {}},
      {"1.5S", {}},
      {"999999999S", {}},
      {"1 S", {}},
  };
  for (const auto& each : cases) EXPECT_EQ(grpc_timeout(each.value), each.time) << each.value;
}

TEST(Grpc, RefusalsHaveAStatus) {
  EXPECT_EQ(grpc_status_of(Reason::NoTarget, 503), 14);
  EXPECT_EQ(grpc_status_of(Reason::ConnectRefused, 502), 14);
  EXPECT_EQ(grpc_status_of(Reason::TargetTimeout, 504), 4);
  EXPECT_EQ(grpc_status_of(Reason::AuthRequired, 401), 16);
  EXPECT_EQ(grpc_status_of(Reason::AuthForbidden, 403), 7);
  EXPECT_EQ(grpc_status_of(Reason::FileNotFound, 404), 12);
  EXPECT_EQ(grpc_status_of(Reason::RequestTooLarge, 413), 8);
}

TEST(Grpc, MessagesArePrintable) {
  EXPECT_EQ(grpc_message("The server: 100% gone.\n"), "The server: 100%25 gone.%0A");
  EXPECT_EQ(grpc_message("\xC3\xA4"), "%C3%A4");
}

}  // namespace
}  // namespace ballast::traffic
