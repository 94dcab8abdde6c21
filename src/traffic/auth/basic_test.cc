#include "traffic/auth/basic.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "traffic/auth/guard.h"

namespace ballast::traffic::auth {
namespace {

TEST(Base64, HasOneReading) {
  const struct {
    Bytes text;
    std::optional<std::string> bytes;
  } cases[] = {
      {"", ""},
      {"Zg", "f"},
      {"Zm8", "fo"},
      {"Zm9v", "foo"},
      {"_-8", "\xff\xef"},
      {"Z", std::nullopt},
      {"Zh", std::nullopt} /* bits left over */,
      {"Zm9", std::nullopt},
      {"Zg==", std::nullopt},
      {"Z g", std::nullopt},
      {"/+8", std::nullopt},
  };
  for (const auto& each : cases) EXPECT_EQ(decode_base64url(each.text), each.bytes) << each.text;
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64("Zg"), "f");
  EXPECT_EQ(decode_base64("Zm8="), "fo");
  EXPECT_EQ(decode_base64("/+8="), "\xff\xef");
  for (const Bytes text : {"Zg=", "=", "====", "Zm9v=", "Zm9v====", "Zg==Zg==", "_-8="}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
  for (int size = 0; size < 70; ++size) {
    std::string bytes;
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(i * 37 + size);
    EXPECT_EQ(decode_base64url(encode_base64url(bytes)), bytes);
  }
}

TEST(Basic, IsParsed) {
  const auto parsed = [](Bytes value) -> std::string {
    const auto found = parse_basic(value);
    return found ? found->user + "|" + found->password : "none";
  };
  EXPECT_EQ(parsed("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "Aladdin|open sesame");
  EXPECT_EQ(parsed("basic  YTpi"), "a|b");
  EXPECT_EQ(parsed("BASIC YTpiOmM="), "a|b:c");
  EXPECT_EQ(parsed("Basic YTo="), "a|");
  EXPECT_EQ(parsed("Basic OmI="), "|b");
  for (const Bytes value :
       {"", "Basic", "Basic ", "Basic YQ==", "Basic Y:T", "Basicx YTpi", "Bearer YTpi", "Basic\tYTpi"}) {
    EXPECT_EQ(parsed(value), "none") << value;
  }
  const std::string whole = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string found = parsed(whole.substr(0, size));
    EXPECT_TRUE(found == "none" || std::string("Aladdin|open sesame").starts_with(found)) << size;
  }
  EXPECT_EQ(parsed("Basic " + std::string(8000, 'A')), "none");
}

TEST(Bearer, IsParsed) {
  EXPECT_EQ(parse_bearer("Bearer a.b.c"), "a.b.c");
  EXPECT_EQ(parse_bearer("bearer   a.b.c"), "a.b.c");
  EXPECT_EQ(parse_bearer("Bearer"), std::nullopt);
  EXPECT_EQ(parse_bearer("Basic YTpi"), std::nullopt);
  EXPECT_EQ(parse_bearer(""), std::nullopt);
}

TEST(Headers, AreOneWhereATargetCannotTellThemApart) {
  EXPECT_TRUE(is_same_header("X-User", "x-user"));
  EXPECT_TRUE(is_same_header("X-User", "X_USER"));
  EXPECT_FALSE(is_same_header("X-User", "X-Users"));
  EXPECT_FALSE(is_same_header("X-User", "XUser"));
}

}  // namespace
}  // namespace ballast::traffic::auth
