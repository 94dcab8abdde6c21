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
  EXPECT_EQ(grpc_status_of(Reason::NoTarget, 503), grpc::Status::Unavailable);
  EXPECT_EQ(grpc_status_of(Reason::ConnectRefused, 502), grpc::Status::Unavailable);
  EXPECT_EQ(grpc_status_of(Reason::TargetTimeout, 504), grpc::Status::DeadlineExceeded);
  EXPECT_EQ(grpc_status_of(Reason::AuthRequired, 401), grpc::Status::Unauthenticated);
  EXPECT_EQ(grpc_status_of(Reason::AuthForbidden, 403), grpc::Status::PermissionDenied);
  EXPECT_EQ(grpc_status_of(Reason::FileNotFound, 404), grpc::Status::Unimplemented);
  EXPECT_EQ(grpc_status_of(Reason::RequestTooLarge, 413), grpc::Status::ResourceExhausted);
  EXPECT_EQ(grpc_status_of(Reason::RateLimited, 429), grpc::Status::ResourceExhausted);
  EXPECT_EQ(grpc_status_of(Reason::RateLimited, 503), grpc::Status::ResourceExhausted);
  EXPECT_EQ(grpc_status_of(Reason::AddressDenied, 403), grpc::Status::PermissionDenied);
}

TEST(Grpc, MessagesArePrintable) {
  EXPECT_EQ(grpc_message("The server: 100% gone.\n"), "The server: 100%25 gone.%0A");
  EXPECT_EQ(grpc_message("\xC3\xA4"), "%C3%A4");
}

http::ResponseHead response(const std::string& text) {
  http::ResponseHead head;
  EXPECT_EQ(http::ResponseParser::parse(text, {}, {}, head).progress, http::Progress::Complete);
  return head;
}

TEST(Grpc, AHeadMayTellTheStatus) {
  const std::string only = "HTTP/1.1 200 OK\r\ngrpc-status: 14\r\n\r\n";
  EXPECT_EQ(status_of_head(response(only)), grpc::Status::Unavailable);
  const std::string later = "HTTP/1.1 200 OK\r\n\r\n";
  EXPECT_EQ(status_of_head(response(later)), std::nullopt);
  const std::string other = "HTTP/1.1 503 No\r\n\r\n";
  EXPECT_EQ(status_of_head(response(other)), grpc::Status::Unavailable);
  EXPECT_EQ(status_of_call(Reason::None, 200), grpc::Status::Unknown);
  EXPECT_EQ(status_of_call(Reason::ClientGone, 0), grpc::Status::Cancelled);
}

TEST(Grpc, ATargetMayPutOffOrForbidRetries) {
  const struct {
    std::string line;
    std::optional<io::Duration> pause;
  } cases[] = {
      {"", 0ms},
      {"grpc-retry-pushback-ms: 250\r\n", 250ms},
      {"grpc-retry-pushback-ms: 0\r\n", 0ms},
      {"grpc-retry-pushback-ms: -1\r\n", {}},
      {"grpc-retry-pushback-ms: soon\r\n", {}},
      {"grpc-retry-pushback-ms:\r\n", {}},
      {"grpc-retry-pushback-ms: 9999999999\r\n", {}},
  };
  for (const auto& each : cases) {
    const std::string text = "HTTP/1.1 200 OK\r\n" + each.line + "\r\n";
    EXPECT_EQ(retry_pushback(response(text)), each.pause) << each.line;
  }
}

}  // namespace
}  // namespace ballast::traffic
