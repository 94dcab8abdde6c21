#include "wire/grpc/health.h"

#include <string>

#include <gtest/gtest.h>

#include "wire/grpc/status.h"

namespace ballast::grpc {
namespace {

using namespace std::string_literals;

TEST(GrpcHealth, ARequestNamesItsService) {
  Buffer out;
  write_health_request(out, "");
  EXPECT_EQ(out.view(), "\0\0\0\0\0"s);
  out.clear();
  write_health_request(out, "shop.Cart");
  EXPECT_EQ(out.view(), "\0\0\0\0\x0b\x0a\x09shop.Cart"s);
  out.clear();
  const std::string longest(300, 's');
  write_health_request(out, longest);
  EXPECT_EQ(out.view(), "\0\0\0\x01\x2f\x0a\xac\x02"s + longest);
}

TEST(GrpcHealth, TellsWhetherItServes) {
  const struct {
    std::string message;
    std::optional<Serving> serving;
  } cases[] = {
      {"\0\0\0\0\0"s, Serving::Unknown},
      {"\0\0\0\0\2\x08\1"s, Serving::Serving},
      {"\0\0\0\0\2\x08\2"s, Serving::NotServing},
      {"\0\0\0\0\2\x08\3"s, Serving::ServiceUnknown},
      {"\0\0\0\0\2\x08\x09"s, Serving::Unknown},
      // Fields that it does not know of, of each kind, and the last of two counts.
      {"\0\0\0\0\x19\x08\2\x12\2ab\x18\xff\1\x21\1\2\3\4\5\6\7\x08\x2d\1\2\3\4\x08\1"s, Serving::Serving},
      {"\1\0\0\0\2\x08\1"s, std::nullopt},  // compressed
      {"\0\0\0\0\3\x08\1"s, std::nullopt},
      {"\0\0\0\0\2\x08\1\0"s, std::nullopt},
      {"\0\0\0\0\2\x0b\1"s, std::nullopt},  // a group
      {"\0\0\0\0\2\x00\1"s, std::nullopt},  // field 0
      {"\0\0\0\0\3\x12\x05\1"s, std::nullopt},
      {"\0\0\0\0\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s, std::nullopt},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(parse_health_response(each.message), each.serving) << testing::PrintToString(each.message);
    if (!each.serving.has_value()) continue;
    for (std::size_t cut = 0; cut < each.message.size(); ++cut) {
      EXPECT_EQ(parse_health_response(Bytes(each.message).substr(0, cut)), std::nullopt);
    }
  }
}

TEST(GrpcStatus, NumbersHaveNames) {
  EXPECT_EQ(to_string(status_of("0")), "OK");
  EXPECT_EQ(to_string(status_of("14")), "UNAVAILABLE");
  EXPECT_EQ(to_string(status_of("16")), "UNAUTHENTICATED");
  for (const char* odd : {"", "17", "-1", "1x", "99999999999", " 1"}) EXPECT_EQ(status_of(odd), Status::Unknown) << odd;
}

TEST(GrpcStatus, IsFoundAmongTrailers) {
  EXPECT_EQ(status_in_trailers("x: 1\r\ngrpc-status: 8\r\ngrpc-message: no\r\n"), Status::ResourceExhausted);
  EXPECT_EQ(status_in_trailers("Grpc-Status:\t5 "), Status::NotFound);
  EXPECT_EQ(status_in_trailers("grpc-statuses: 8\r\n"), std::nullopt);
  EXPECT_EQ(status_in_trailers(""), std::nullopt);
}

}  // namespace
}  // namespace ballast::grpc
