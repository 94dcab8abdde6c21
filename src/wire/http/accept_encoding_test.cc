#include "wire/http/accept_encoding.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/http/parse.h"

namespace ballast::http {
namespace {

std::string chosen(const std::vector<std::string>& values) {
  std::string text = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (const std::string& value : values) text += "Accept-Encoding: " + value + "\r\n";
  text += "\r\n";
  static RequestHead head;
  EXPECT_EQ(RequestParser::parse(text, {}, head).progress, Progress::Complete);
  constexpr std::array offered{Coding::Zstd, Coding::Brotli, Coding::Gzip};
  return std::string(to_string(choose_coding(head.fields, offered)));
}

TEST(AcceptEncoding, Chooses) {
  struct Case {
    const char* value;
    const char* coding;
  };
  const std::vector<Case> cases{
      {"gzip, deflate, br, zstd", "zstd"},
      {"gzip, deflate, br", "br"},
      {"gzip", "gzip"},
      {"GZip", "gzip"},
      {"x-gzip", "gzip"},
      {"deflate", "identity"},
      {"", "identity"},
      {"identity", "identity"},
      {"*", "zstd"},
      {"*;q=0", "identity"},
      {"gzip;q=1, *;q=0", "gzip"},
      {"zstd;q=0, *", "br"},
      {"gzip;q=1.0, br;q=0.9", "gzip"},
      {"gzip;q=0.8, br;q=0.9, zstd;q=0.1", "br"},
      {"gzip ; q=0.001", "gzip"},
      {"gzip;Q=0.5", "gzip"},
      {"gzip;q=0", "identity"},
      {"gzip;q=0.000", "identity"},
      {"gzip;q=1.001", "identity"},
      {"gzip;q=2", "identity"},
      {"gzip;q=-1", "identity"},
      {"gzip;q=0.5555", "identity"},
      {"gzip;q=", "identity"},
      {"gzip;level=9", "identity"},
      {"gzip;q=.5", "identity"},
      {"identity;q=1, gzip;q=0.5", "identity"},
      {"identity;q=0.5, gzip;q=1", "gzip"},
      {"identity;q=0.5, gzip;q=0.5", "gzip"},
      {"gzip;q=0, gzip;q=1", "identity"},
      {"gzip, gzip;q=0", "gzip"},
      {"notgzip, gzipped", "identity"},
  };
  for (const Case& one : cases) EXPECT_EQ(chosen({one.value}), one.coding) << one.value;
  EXPECT_EQ(chosen({}), "identity");
  EXPECT_EQ(chosen({"deflate", "gzip"}), "gzip");
}

}  // namespace
}  // namespace ballast::http
