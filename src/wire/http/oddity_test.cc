#include "wire/http/oddity.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "wire/http/parse.h"

namespace ballast::http {
namespace {

// "unexpected_body 30", "" where there is none; "?" where it does not parse.
std::string shown(const Outcome& outcome, const Flaw& oddity) {
  if (outcome.progress == Progress::Failed) {
    return std::string(to_string(outcome.defect)) + "! " + std::to_string(outcome.offset);
  }
  if (outcome.progress != Progress::Complete) return "?";
  if (oddity.defect == Defect::None) return "";
  return std::string(to_string(oddity.defect)) + " " + std::to_string(oddity.offset);
}

std::string request(const std::string& text, Strictness strictness) {
  RequestHead head;
  const Outcome outcome = RequestParser::parse(text, {.strictness = strictness}, head);
  return shown(outcome, head.oddity);
}

std::string response(const std::string& text, Strictness strictness) {
  ResponseHead head;
  const Outcome outcome = ResponseParser::parse(text, {.strictness = strictness}, {}, head);
  return shown(outcome, head.oddity);
}

struct Case {
  std::string text;
  std::string found;  // by the monitor; the strictest refuses for the same
  bool in_every_mode = false;
};

TEST(Oddity, OfRequests) {
  const std::vector<Case> cases{
      {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "", true},
      {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "", true},
      {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", "unexpected_body 25", true},
      {"DELETE / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "unexpected_body 28", true},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 05\r\n\r\n", "padded_number 42", true},
      {"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "", true},
      {"GET http://h/ HTTP/1.1\r\nHost: i\r\n\r\n", "host_mismatch 30", true},
      {"get / HTTP/1.1\r\nHost: h\r\n\r\n", "unusual_method 0"},
      {"GET /a\"b HTTP/1.1\r\nHost: h\r\n\r\n", "unusual_target 6"},
      {"GET /% HTTP/1.1\r\nHost: h\r\n\r\n", "unusual_target 5"},
      {"GET /%0A HTTP/1.1\r\nHost: h\r\n\r\n", "unusual_target 5"},
      {"GET /%41%c3%A9?a=[b]&c='d' HTTP/1.1\r\nHost: h\r\n\r\n", ""},
      {"GET / HTTP/1.1\r\nHost: h\r\nA_b: c\r\n\r\n", "unusual_header_name 26"},
      {"GET / HTTP/1.1\r\nHost: h\r\nA: \xe9\r\n\r\n", "obs_text 28"},
      {"get / HTTP/1.1\r\nHost: h\r\nA_b: \xe9\r\n\r\n", "unusual_method 0"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(request(each.text, Strictness::Monitor), each.found) << each.text;
    EXPECT_EQ(request(each.text, Strictness::Defensive), each.in_every_mode ? each.found : "") << each.text;
    std::string refused = each.found;
    if (!refused.empty()) refused.insert(refused.find(' '), "!");
    EXPECT_EQ(request(each.text, Strictness::Strictest), refused) << each.text;
  }
}

TEST(Oddity, OfResponses) {
  const std::vector<Case> cases{
      {"HTTP/1.1 200 OK\r\n\r\n", "", true},
      {"HTTP/1.1 200 \r\n\r\n", "", true},
      {"HTTP/1.1 200\r\n\r\n", "bare_status_line 12", true},
      {"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", "length_of_nothing 17", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 007\r\n\r\n", "padded_number 33", true},
      {"HTTP/1.1 200 \xe9\r\n\r\n", "obs_text 13"},
      {"HTTP/1.1 200 OK\r\nA.b: c\r\n\r\n", "unusual_header_name 18"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(response(each.text, Strictness::Monitor), each.found) << each.text;
    EXPECT_EQ(response(each.text, Strictness::Defensive), each.in_every_mode ? each.found : "") << each.text;
    std::string refused = each.found;
    if (!refused.empty()) refused.insert(refused.find(' '), "!");
    EXPECT_EQ(response(each.text, Strictness::Strictest), refused) << each.text;
  }
}

// Fed one byte at a time and whole.
TEST(Oddity, OfChunks) {
  const std::vector<std::pair<std::string, Defect>> cases{
      {"5\r\nhello\r\n0\r\n\r\n", Defect::None},
      {"05\r\nhello\r\n0\r\n\r\n", Defect::PaddedNumber},
      {"5\r\nhello\r\n00\r\n\r\n", Defect::PaddedNumber},
      {"5;a\r\nhello\r\n0\r\n\r\n", Defect::ChunkExtension},
      {"5\r\nhello\r\n0;\r\n\r\n", Defect::ChunkExtension},
  };
  for (const auto& [text, found] : cases) {
    for (const Strictness strictness : {Strictness::Monitor, Strictness::Defensive, Strictness::Strictest}) {
      for (const std::size_t piece : {std::size_t{1}, text.size()}) {
        ChunkedDecoder decoder({.strictness = strictness});
        ChunkedDecoder::Step step;
        for (Bytes rest = text; !rest.empty();) {
          step = decoder.next(rest.substr(0, piece));
          if (step.kind == ChunkedDecoder::Kind::Failed || step.kind == ChunkedDecoder::Kind::End) break;
          rest.remove_prefix(step.consumed);
        }
        EXPECT_EQ(decoder.oddity().defect, found) << text;
        const bool refuses = strictness == Strictness::Strictest && found != Defect::None;
        EXPECT_EQ(step.kind, refuses ? ChunkedDecoder::Kind::Failed : ChunkedDecoder::Kind::End) << text;
        if (refuses) {
          EXPECT_EQ(step.defect, found) << text;
        }
      }
    }
  }
}

TEST(Desync, EveryDefectHasAClassAndWords) {
  for (int i = 1; i < defect_count; ++i) {
    const auto defect = static_cast<Defect>(i);
    EXPECT_NE(class_of(defect), DefectClass::None);
    EXPECT_NE(to_string(defect), "unknown");
    EXPECT_NE(explain(defect), "unknown defect");
  }
  EXPECT_EQ(to_string(class_of(Defect::LengthAndCoding)), "severe");
}

}  // namespace
}  // namespace ballast::http
