#include "wire/http/preconditions.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/http/parse.h"

namespace ballast::http {
namespace {

constexpr std::int64_t modified = 784'111'777;
constexpr const char* same = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* before = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* after = "Sun, 06 Nov 1994 08:49:38 GMT";

class Request {
 public:
  explicit Request(const std::vector<std::string>& lines) : text_("GET / HTTP/1.1\r\nHost: h\r\n") {
    for (const std::string& line : lines) text_ += line + "\r\n";
    text_ += "\r\n";
    EXPECT_EQ(RequestParser::parse(text_, {}, head_).progress, Progress::Complete) << text_;
  }
  const Fields& fields() const { return head_.fields; }

 private:
  std::string text_;
  RequestHead head_;
};

Validators strong() {
  return {.tag = "\"a\"", .modified = modified, .now = modified + 1000};
}

std::string at(const char* name, const char* date) {
  return std::string(name) + ": " + date;
}

struct Case {
  std::vector<std::string> lines;
  Verdict verdict;
};

TEST(Preconditions, Read) {
  const std::vector<Case> cases{
      {{}, Verdict::Proceed},
      {{"If-None-Match: \"a\""}, Verdict::NotModified},
      {{"If-None-Match: W/\"a\""}, Verdict::NotModified},
      {{"If-None-Match: \"b\""}, Verdict::Proceed},
      {{"If-None-Match: \"b\", \"a\""}, Verdict::NotModified},
      {{"If-None-Match: \"b\" ,\t,W/\"a\" ,"}, Verdict::NotModified},
      {{"If-None-Match: \"b\"", "if-none-match: \"a\""}, Verdict::NotModified},
      {{"If-None-Match: *"}, Verdict::NotModified},
      {{"If-None-Match: \"b,\"a\""}, Verdict::Proceed},
      {{"If-None-Match: \"a\" \"b\""}, Verdict::Proceed},
      {{"If-None-Match: a"}, Verdict::Proceed},
      {{"If-None-Match:"}, Verdict::Proceed},
      {{"If-None-Match: \"A\""}, Verdict::Proceed},
      // A tag decides, whatever the date says, and also where it is none.
      {{"If-None-Match: \"b\"", at("If-Modified-Since", after)}, Verdict::Proceed},
      {{"If-None-Match: \"a\"", at("If-Modified-Since", before)}, Verdict::NotModified},
      {{"If-None-Match: oops", at("If-Modified-Since", after)}, Verdict::Proceed},
      {{at("If-Modified-Since", same)}, Verdict::NotModified},
      {{at("If-Modified-Since", after)}, Verdict::NotModified},
      {{at("If-Modified-Since", before)}, Verdict::Proceed},
      {{"If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"}, Verdict::NotModified},
      {{"If-Modified-Since: now"}, Verdict::Proceed},
      {{"If-Match: \"a\""}, Verdict::Proceed},
      {{"If-Match: W/\"a\""}, Verdict::Failed},
      {{"If-Match: \"b\""}, Verdict::Failed},
      {{"If-Match: oops"}, Verdict::Failed},
      {{"If-Match: *"}, Verdict::Proceed},
      {{"If-Match: \"a\"", at("If-Unmodified-Since", before)}, Verdict::Proceed},
      {{at("If-Unmodified-Since", before)}, Verdict::Failed},
      {{at("If-Unmodified-Since", same)}, Verdict::Proceed},
      {{at("If-Unmodified-Since", after)}, Verdict::Proceed},
      {{"If-Unmodified-Since: soon"}, Verdict::Proceed},
      // A failed one goes before what would be not modified.
      {{"If-Match: \"b\"", "If-None-Match: \"a\""}, Verdict::Failed},
      {{"If-Match: \"a\"", "If-None-Match: \"a\""}, Verdict::NotModified},
      {{at("If-Unmodified-Since", before), at("If-Modified-Since", after)}, Verdict::Failed},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(judge(Request(one.lines).fields(), strong(), Access::Read), one.verdict)
        << testing::PrintToString(one.lines);
  }
}

TEST(Preconditions, Write) {
  const auto verdict = [](const std::string& line) { return judge(Request({line}).fields(), strong(), Access::Write); };
  EXPECT_EQ(verdict("If-None-Match: *"), Verdict::Failed);
  EXPECT_EQ(verdict("If-None-Match: \"b\""), Verdict::Proceed);
  EXPECT_EQ(verdict(at("If-Modified-Since", after)), Verdict::Proceed);
}

TEST(Preconditions, WhatHasNoValidators) {
  const auto verdict = [](const std::string& line) { return judge(Request({line}).fields(), {}, Access::Read); };
  EXPECT_EQ(verdict("If-Match: *"), Verdict::Failed);
  EXPECT_EQ(verdict("If-None-Match: *"), Verdict::Proceed);
  EXPECT_EQ(verdict("If-None-Match: \"\""), Verdict::Proceed);
  EXPECT_EQ(verdict(at("If-Modified-Since", after)), Verdict::Proceed);
  EXPECT_EQ(verdict(at("If-Unmodified-Since", before)), Verdict::Proceed);
}

TEST(Preconditions, AWeakTag) {
  const Validators weak{.tag = "W/\"a\"", .modified = modified, .now = modified + 1000};
  EXPECT_EQ(judge(Request({"If-Match: W/\"a\""}).fields(), weak, Access::Read), Verdict::Failed);
  EXPECT_EQ(judge(Request({"If-None-Match: \"a\""}).fields(), weak, Access::Read), Verdict::NotModified);
  EXPECT_FALSE(range_applies(Request({"If-Range: W/\"a\""}).fields(), weak));
  EXPECT_FALSE(range_applies(Request({"If-Range: \"a\""}).fields(), weak));
}

TEST(Preconditions, IfRange) {
  const auto applies = [](const std::vector<std::string>& lines, const Validators& validators = strong()) {
    return range_applies(Request(lines).fields(), validators);
  };
  EXPECT_TRUE(applies({}));
  EXPECT_TRUE(applies({"If-Range: \"a\""}));
  EXPECT_FALSE(applies({"If-Range: \"b\""}));
  EXPECT_FALSE(applies({"If-Range: W/\"a\""}));
  EXPECT_FALSE(applies({"If-Range: \"a\", \"b\""}));
  EXPECT_FALSE(applies({"If-Range: *"}));
  EXPECT_FALSE(applies({"If-Range:"}));
  EXPECT_TRUE(applies({at("If-Range", same)}));
  EXPECT_FALSE(applies({at("If-Range", before)}));
  EXPECT_FALSE(applies({at("If-Range", after)}));
  EXPECT_FALSE(applies({at("If-Range", same)}, {.tag = "\"a\"", .modified = modified, .now = modified}));
  EXPECT_FALSE(applies({at("If-Range", same)}, {.tag = "\"a\"", .modified = {}, .now = modified + 1}));
}

}  // namespace
}  // namespace ballast::http
