#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "wire/http/list.h"
#include "wire/http/message.h"

namespace ballast::http {
namespace {

const std::pair<const char*, HeaderId> names[] = {
    {"Connection", HeaderId::Connection},
    {"Content-Length", HeaderId::ContentLength},
    {"Content-Type", HeaderId::ContentType},
    {"Cookie", HeaderId::Cookie},
    {"Date", HeaderId::Date},
    {"Expect", HeaderId::Expect},
    {"Forwarded", HeaderId::Forwarded},
    {"Host", HeaderId::Host},
    {"HTTP2-Settings", HeaderId::Http2Settings},
    {"Keep-Alive", HeaderId::KeepAlive},
    {"Proxy-Connection", HeaderId::ProxyConnection},
    {"Referer", HeaderId::Referer},
    {"Server", HeaderId::Server},
    {"TE", HeaderId::Te},
    {"Traceparent", HeaderId::Traceparent},
    {"Trailer", HeaderId::Trailer},
    {"Transfer-Encoding", HeaderId::TransferEncoding},
    {"Upgrade", HeaderId::Upgrade},
    {"User-Agent", HeaderId::UserAgent},
    {"X-Forwarded-For", HeaderId::XForwardedFor},
    {"X-Forwarded-Host", HeaderId::XForwardedHost},
    {"X-Forwarded-Port", HeaderId::XForwardedPort},
    {"X-Forwarded-Proto", HeaderId::XForwardedProto},
    {"X-Request-Id", HeaderId::XRequestId},
};

TEST(HeaderId, KnowsEachNameInAnyCase) {
  EXPECT_EQ(std::size(names), static_cast<std::size_t>(HeaderId::XRequestId));
  for (const auto& [name, id] : names) {
    std::string text = name;
    EXPECT_EQ(header_id(text), id) << text;
    for (char& byte : text) byte = to_lower(byte);
    EXPECT_EQ(header_id(text), id) << text;
    for (char& byte : text) byte = byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 32) : byte;
    EXPECT_EQ(header_id(text), id) << text;
  }
}

TEST(HeaderId, KnowsNoOther) {
  for (const char* name :
       {"", "X", "Hosts", "Accept", "Hoste", "Http", "Content-Lengtj", "aaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    EXPECT_EQ(header_id(name), HeaderId::Other) << name;
  }
  // One byte changed to any other is another name, but for its case.
  for (const auto& [name, id] : names) {
    std::string text = name;
    for (char& byte : text) {
      const char was = byte;
      for (int value = 0; value < 256; ++value) {
        byte = static_cast<char>(value);
        const bool same = to_lower(byte) == to_lower(was);
        ASSERT_EQ(header_id(text) == id, same) << text;
        if (!same) ASSERT_EQ(header_id(text), HeaderId::Other) << text;
      }
      byte = was;
    }
  }
}

TEST(Defect, HasANameWordsAndAStatus) {
  std::vector<std::string_view> seen;
  for (int value = 0; value < defect_count; ++value) {
    const auto defect = static_cast<Defect>(value);
    EXPECT_NE(to_string(defect), "unknown") << value;
    EXPECT_NE(explain(defect), "unknown defect") << value;
    seen.push_back(to_string(defect));
  }
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
  EXPECT_EQ(status_of(Defect::BareLf), 400);
  EXPECT_EQ(status_of(Defect::LineTooLong), 414);
  EXPECT_EQ(status_of(Defect::HeaderTooLarge), 431);
  EXPECT_EQ(status_of(Defect::HeadTooLarge), 431);
  EXPECT_EQ(status_of(Defect::TooManyHeaders), 431);
  EXPECT_EQ(status_of(Defect::UnknownCoding), 501);
  EXPECT_EQ(status_of(Defect::BadVersion), 505);
}

}  // namespace
}  // namespace ballast::http
