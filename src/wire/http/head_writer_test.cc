#include "wire/http/head_writer.h"

#include <string>

#include <gtest/gtest.h>

#include "wire/http/parse.h"

namespace ballast::http {
namespace {

TEST(HeadWriter, WritesARequest) {
  Buffer out;
  HeadWriter writer(out);
  writer.request_line("GET", "/path?query");
  writer.field("Host", "example.com");
  writer.field("Content-Length", std::uint64_t{18446744073709551615U});
  writer.field("X-Empty", "");
  writer.raw("A: b\r\nC: d\r\n");
  writer.end();
  EXPECT_EQ(out.view(),
            "GET /path?query HTTP/1.1\r\nHost: example.com\r\nContent-Length: 18446744073709551615\r\nX-Empty: \r\n"
            "A: b\r\nC: d\r\n\r\n");
}

TEST(HeadWriter, WritesAResponse) {
  Buffer out;
  HeadWriter writer(out);
  writer.status_line(404, "Gone fishing");
  writer.end();
  writer.status_line(502, "");
  writer.end();
  writer.status_line(299, "");
  writer.end();
  EXPECT_EQ(out.view(),
            "HTTP/1.1 404 Gone fishing\r\n\r\nHTTP/1.1 502 Bad Gateway\r\n\r\nHTTP/1.1 299 Unknown\r\n\r\n");
}

// Each size has its own way of being copied.
TEST(HeadWriter, WritesValuesOfEverySize) {
  std::string value;
  for (int size = 0; size < 200; ++size) {
    Buffer out;
    HeadWriter(out).field(value, value);
    ASSERT_EQ(out.view(), value + ": " + value + "\r\n") << size;
    value += static_cast<char>('!' + size % 90);
  }
}

TEST(HeadWriter, AppendsToWhatIsThere) {
  Buffer out;
  std::string expected;
  HeadWriter writer(out);
  for (int i = 0; i < 1000; ++i) {  // the buffer grows on the way
    writer.field("Name", static_cast<std::uint64_t>(i));
    expected += "Name: " + std::to_string(i) + "\r\n";
  }
  EXPECT_EQ(out.view(), expected);
}

TEST(StandardReason, IsThatOfTheStatus) {
  EXPECT_EQ(standard_reason(200), "OK");
  EXPECT_EQ(standard_reason(431), "Request Header Fields Too Large");
  EXPECT_EQ(standard_reason(504), "Gateway Timeout");
  EXPECT_EQ(standard_reason(460), "Unknown");
}

}  // namespace
}  // namespace ballast::http
