#include "traffic/l7/compress.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/http/parse.h"

namespace ballast::traffic {
namespace {

struct Case {
  std::string accept = "gzip, br";
  std::vector<http::FieldLine> lines{{"Content-Type", "text/html; charset=utf-8"}};
  ResponseFacts response{.status = 200, .length = 5000};
  std::string version = "1.1";
};

// "br", "varies" where another client would get it, or "no".
std::string chosen(const Case& one) {
  std::string text = "GET / HTTP/" + one.version + "\r\nHost: h\r\n";
  if (!one.accept.empty()) text += "Accept-Encoding: " + one.accept + "\r\n";
  text += "\r\n";
  http::RequestHead head;
  EXPECT_EQ(http::RequestParser::parse(text, {}, head).progress, http::Progress::Complete);
  const CompressionChoice choice = choose_compression(config::Compression{}, head, one.response, one.lines);
  if (choice.coding != http::Coding::Identity) {
    EXPECT_TRUE(choice.varies);
    return std::string(to_string(choice.coding));
  }
  return choice.varies ? "varies" : "no";
}

std::string with(Bytes name, Bytes value) {
  Case one;
  one.lines.push_back({name, value});
  return chosen(one);
}

TEST(Compression, IsForWhoAcceptsIt) {
  EXPECT_EQ(chosen({}), "br");
  EXPECT_EQ(chosen({.accept = "gzip"}), "gzip");
  EXPECT_EQ(chosen({.accept = "gzip, br, zstd"}), "zstd");
  EXPECT_EQ(chosen({.accept = ""}), "varies");
  EXPECT_EQ(chosen({.accept = "gzip;q=0"}), "varies");
  EXPECT_EQ(chosen({.version = "1.0"}), "varies");
}

TEST(Compression, IsForTheseTypes) {
  const auto of = [](Bytes type) { return chosen({.lines = {{"content-type", type}}}); };
  for (const char* type : {"text/plain", "TEXT/CSS", "application/json", "application/ld+json ; x=y",
                           "application/vnd.api+json", "image/svg+xml", "text/event-stream"}) {
    EXPECT_EQ(of(type), "br") << type;
  }
  for (const char* type : {"image/png", "application/octet-stream", "application/zip", "", "text", "xtext/plain",
                           "multipart/byteranges; boundary=text/plain"}) {
    EXPECT_EQ(of(type), "no") << type;
  }
  EXPECT_EQ(of(std::string(1000, 'x')), "no");
  EXPECT_EQ(chosen({.lines = {}}), "no");
}

TEST(Compression, IsNotForWhatIsCodedOrAPartOrSmall) {
  EXPECT_EQ(with("Content-Encoding", "gzip"), "no");
  EXPECT_EQ(with("content-encoding", "identity"), "no");
  EXPECT_EQ(with("Content-Range", "bytes 0-1/2"), "no");
  EXPECT_EQ(with("Cache-Control", "public, No-Transform"), "no");
  EXPECT_EQ(with("Cache-Control", "public, max-age=1"), "br");
  EXPECT_EQ(with("Repr-Digest", "sha-256=:x:"), "no");
  EXPECT_EQ(chosen({.response = {.status = 200, .length = 1023}}), "no");
  EXPECT_EQ(chosen({.response = {.status = 200, .length = 1024}}), "br");
  EXPECT_EQ(chosen({.response = {.status = 200, .length = {}}}), "br");
  for (const int status : {101, 204, 205, 206, 304}) {
    EXPECT_EQ(chosen({.response = {.status = status, .length = 5000}}), "no") << status;
  }
  EXPECT_EQ(chosen({.response = {.status = 404, .length = 5000}}), "br");
}

}  // namespace
}  // namespace ballast::traffic
