#include "traffic/route/header_edits.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ballast::traffic {
namespace {

const RequestParts request{.protocol = "https",
                           .host = "a.test",
                           .port = 8443,
                           .path = "/x",
                           .query = "a=1",
                           .client = "10.0.0.7",
                           .request_id = "4bf9"};

std::string edited(const std::vector<config::NamedText>& set, const std::vector<std::string>& removed,
                   std::vector<http::FieldLine> lines, const RequestParts& from = request) {
  const auto edits = HeaderEdits::compile(set, removed);
  if (!edits) return edits.error().text();
  std::vector<http::FieldLine> made;
  std::string texts;
  if (!edits->fill_in(from, made, texts)) return "(too long)";
  edits->apply(made, lines);
  std::string out;
  for (const http::FieldLine& line : lines) out += fmt::format("{}: {}|", line.name, line.value);
  return out;
}

TEST(HeaderEdits, SetsInPlaceAndRemoves) {
  const std::vector<http::FieldLine> lines{{"Host", "a"}, {"X-A", "1"}, {"X-B", "2"}, {"x-a", "3"}, {"X-C", "4"}};
  EXPECT_EQ(edited({{"X-a", "new"}, {"X-New", "5"}}, {"x-C"}, lines), "Host: a|X-a: new|X-B: 2|X-New: 5|");
  EXPECT_EQ(edited({{"host", "b.test"}}, {}, lines), "host: b.test|X-A: 1|X-B: 2|x-a: 3|X-C: 4|");
  EXPECT_EQ(edited({}, {"X-A", "X-B"}, lines), "Host: a|X-C: 4|");
}

TEST(HeaderEdits, FillsIn) {
  EXPECT_EQ(edited({{"A", "{client}"}, {"B", "plain"}, {"C", "{protocol}://{host}:{port}{path}?{query} {request_id}"}},
                   {}, {}),
            "A: 10.0.0.7|B: plain|C: https://a.test:8443/x?a=1 4bf9|");
  EXPECT_EQ(edited({{"A", R"({"group":"x", "to":{ "host": "{host}" }})"}}, {}, {}),
            R"(A: {"group":"x", "to":{ "host": "a.test" }}|)");
  EXPECT_EQ(edited({{"A", " {query}"}, {"B", ""}}, {}, {}, {.protocol = "http", .host = "h", .path = "/", .query = ""}),
            "A: |B: |")
      << "no blanks at the ends, which HTTP/2 forbids";
}

TEST(HeaderEdits, NothingCanEndALine) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string all(1, static_cast<char>(byte));
    const RequestParts hostile{
        .protocol = all, .host = all, .port = 1, .path = all, .query = all, .client = all, .request_id = all};
    const std::string made =
        edited({{"A", "{protocol}{host}{path}{query}{client}{request_id}"}, {"Host", "{host}"}}, {}, {}, hostile);
    EXPECT_TRUE(std::ranges::all_of(made, [](char c) { return c >= 0x20 && c < 0x7f; })) << byte;
  }
  const RequestParts hostile{.protocol = "http", .host = "a/b@c", .path = "/\r\nX: 1", .query = "\0"};
  EXPECT_EQ(edited({{"Host", "{host}.x"}, {"A", "{path}"}}, {}, {}, hostile), "Host: a%2Fb%40c.x|A: /%0D%0AX: 1|");
}

TEST(HeaderEdits, TheyAreBounded) {
  const std::string path = "/" + std::string(20'000, 'a');
  RequestParts large = request;
  large.path = path;
  EXPECT_EQ(edited({{"A", "{path}{path}{path}{path}"}}, {}, {}, large), "(too long)");
  EXPECT_EQ(edited({{"A", "{path}{path}"}, {"B", "{path}{path}"}}, {}, {}, large), "(too long)") << "together";
  EXPECT_EQ(edited({{"A", "{path}{path}{path}"}}, {}, {}, large).size(), 60'007U);
  EXPECT_EQ(edited({{"A", "{path}{path}{path}{path}{path}{path}{path}{path}{path}"}}, {}, {}),
            "A: more than 8 placeholders");
  EXPECT_EQ(
      edited({{"A", "{pth}"}}, {}, {}),
      "A: no placeholder \"{pth}\"; known are {protocol}, {host}, {port}, {path}, {query}, {client}, {request_id}");
}

}  // namespace
}  // namespace ballast::traffic
