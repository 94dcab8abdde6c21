#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/http/cut_everywhere.h"
#include "wire/http/parse.h"

using namespace std::string_literals;

namespace ballast::http {
namespace {

Outcome parse(Bytes input, RequestHead& head, const HeadLimits& limits = {}) {
  return RequestParser::parse(input, limits, head);
}

void expect_same_when_cut(Bytes whole, const HeadLimits& limits = {}) {
  const std::string difference = difference_when_cut(whole, [&limits](Bytes bytes) {
    static RequestHead head;
    const Outcome outcome = parse(bytes, head, limits);
    return Judged{outcome, head.size};
  });
  ASSERT_EQ(difference, "");
}

constexpr Bytes browser =
    "GET /assets/app/main.js?v=20240611 HTTP/1.1\r\n"
    "Host: www.example.com\r\n"
    "Connection: keep-alive\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Sec-Fetch-Dest: script\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "\r\n";

TEST(RequestParser, ReadsAnOrdinaryRequest) {
  RequestHead head;
  const std::string text = std::string(browser) + "GET /next HTTP/1.1\r\n";
  ASSERT_EQ(parse(text, head).progress, Progress::Complete);
  EXPECT_EQ(head.size, browser.size());
  EXPECT_EQ(head.whole(), browser);
  EXPECT_EQ(head.method(), "GET");
  EXPECT_EQ(head.target(), "/assets/app/main.js?v=20240611");
  EXPECT_EQ(head.path(), "/assets/app/main.js");
  EXPECT_EQ(head.query(), "v=20240611");
  EXPECT_TRUE(head.has_query());
  EXPECT_EQ(head.authority(), "www.example.com");
  EXPECT_EQ(head.host(), "www.example.com");
  EXPECT_EQ(head.minor_version, 1);
  EXPECT_EQ(head.framing, Framing::None);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.wants_upgrade);
  EXPECT_FALSE(head.expects_continue);
  ASSERT_EQ(head.fields.count(), 8);
  EXPECT_EQ(head.fields.name(head.fields.at(4)), "Accept-Language");
  EXPECT_EQ(head.fields.value(head.fields.at(4)), "en-US,en;q=0.5");
  EXPECT_EQ(head.fields.at(4).id, HeaderId::Other);
  EXPECT_EQ(head.fields.at(2).id, HeaderId::UserAgent);
  EXPECT_EQ(head.fields.value_or_empty(HeaderId::Cookie), "session=0123456789abcdef0123456789abcdef; theme=dark");
  EXPECT_EQ(head.fields.find("accept-ENCODING"), &head.fields.at(5));
  EXPECT_EQ(head.fields.find("x-none"), nullptr);
  EXPECT_EQ(head.fields.find(HeaderId::Date), nullptr);
  expect_same_when_cut(text);
}

TEST(RequestParser, SurvivesAMoveOfItsBytes) {
  RequestHead head;
  std::string first(browser);
  ASSERT_EQ(parse(first, head).progress, Progress::Complete);
  const std::string second = first;
  first.assign(first.size(), 'x');
  head.rebase(second.data());
  EXPECT_EQ(head.path(), "/assets/app/main.js");
  EXPECT_EQ(head.host(), "www.example.com");
  EXPECT_EQ(head.fields.value_or_empty(HeaderId::Host), "www.example.com");
}

TEST(RequestParser, LeavesNothingOfTheRequestBefore) {
  RequestHead head;
  ASSERT_EQ(parse("OPTIONS http://a/?q HTTP/1.1\r\nHost: b\r\nConnection: close\r\nExpect: 100-continue\r\n"
                  "Content-Length: 7\r\n\r\n",
                  head)
                .progress,
            Progress::Complete);
  ASSERT_EQ(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", head).progress, Progress::Complete);
  EXPECT_EQ(head.authority(), "");
  EXPECT_EQ(head.host(), "");
  EXPECT_FALSE(head.has_query());
  EXPECT_EQ(head.query(), "");
  EXPECT_EQ(head.framing, Framing::None);
  EXPECT_EQ(head.content_length, 0U);
  EXPECT_EQ(head.minor_version, 0);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.expects_continue);
  EXPECT_EQ(head.fields.count(), 1);
}

TEST(RequestParser, ReadsEachFormOfTarget) {
  struct Case {
    const char* line;
    const char* host_field;
    const char* path;
    const char* query;
    bool has_query;
    const char* authority;
    const char* host;
  };
  const Case cases[] = {
      {"GET /", "a", "/", "", false, "a", "a"},
      {"GET /?", "a:80", "/", "", true, "a:80", "a"},
      {"GET //x//y?a?b", "[::1]:8080", "//x//y", "a?b", true, "[::1]:8080", "[::1]"},
      {"GET http://b.example:81/p?q", "a", "/p", "q", true, "b.example:81", "b.example"},
      {"GET HTTP://b", "a", "/", "", false, "b", "b"},
      {"GET hTTps://b?x=/y", "a", "/", "x=/y", true, "b", "b"},
      {"GET http://[2001:db8::1]:1/", "a", "/", "", false, "[2001:db8::1]:1", "[2001:db8::1]"},
      {"GET /http://b/@:", "a", "/http://b/@:", "", false, "a", "a"},
      {"OPTIONS *", "a", "*", "", false, "a", "a"},
      {"OPTIONS /x", "a", "/x", "", false, "a", "a"},
      {"CONNECT c.example:443", "a", "", "", false, "c.example:443", "c.example"},
      {"CONNECT [::1]:443", "a", "", "", false, "[::1]:443", "[::1]"},
      {"M-SEARCH /!$&'()*+,;=:@%zz\"<>[]\\^`{|}~", "a", "/!$&'()*+,;=:@%zz\"<>[]\\^`{|}~", "", false, "a", "a"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.line);
    const std::string text = std::string(c.line) + " HTTP/1.1\r\nHost: " + c.host_field + "\r\n\r\n";
    RequestHead head;
    ASSERT_EQ(parse(text, head).progress, Progress::Complete);
    EXPECT_EQ(head.method(), Bytes(c.line).substr(0, Bytes(c.line).find(' ')));
    EXPECT_EQ(head.target(), Bytes(c.line).substr(Bytes(c.line).find(' ') + 1));
    EXPECT_EQ(head.path(), c.path);
    EXPECT_EQ(head.query(), c.query);
    EXPECT_EQ(head.has_query(), c.has_query);
    EXPECT_EQ(head.authority(), c.authority);
    EXPECT_EQ(head.host(), c.host);
    EXPECT_EQ(head.is_connect, head.method() == "CONNECT");
    expect_same_when_cut(text);
  }
}

TEST(RequestParser, WorksOutFramingAndConnection) {
  struct Case {
    const char* line;
    const char* fields;
    Framing framing;
    std::uint64_t length;
    bool keep_alive;
    bool expects_continue;
    bool wants_upgrade;
  };
  constexpr auto max = 9223372036854775807U;
  const Case cases[] = {
      {"POST / HTTP/1.1", "Content-Length: 0\r\n", Framing::Length, 0, true, false, false},
      {"POST / HTTP/1.1", "content-length:\t 0012 \t\r\n", Framing::Length, 12, true, false, false},
      {"POST / HTTP/1.1", "Content-Length: 9223372036854775807\r\n", Framing::Length, max, true, false, false},
      {"POST / HTTP/1.1", "Transfer-Encoding: chunked\r\n", Framing::Chunked, 0, true, false, false},
      {"POST / HTTP/1.1", "TRANSFER-ENCODING:ChunkeD \r\n", Framing::Chunked, 0, true, false, false},
      {"POST / HTTP/1.1", "Expect: 100-Continue\r\n", Framing::None, 0, true, true, false},
      {"POST / HTTP/1.1", "Expect: 200-maybe\r\n", Framing::None, 0, true, false, false},
      {"POST / HTTP/1.0", "Expect: 100-continue\r\n", Framing::None, 0, false, false, false},
      {"GET / HTTP/1.1", "Connection: close\r\n", Framing::None, 0, false, false, false},
      {"GET / HTTP/1.1", "Connection: Keep-Alive ,\tCLOSE\r\n", Framing::None, 0, false, false, false},
      {"GET / HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n", Framing::None, 0, false, false, false},
      {"GET / HTTP/1.1", "Connection: enclose, closed, close;\r\n", Framing::None, 0, true, false, false},
      {"GET / HTTP/1.0", "", Framing::None, 0, false, false, false},
      {"GET / HTTP/1.0", "Connection: keep-alive\r\n", Framing::None, 0, true, false, false},
      {"GET / HTTP/1.0", "Connection: close, keep-alive\r\n", Framing::None, 0, false, false, false},
      {"GET / HTTP/1.1", "Connection: ,,upgrade,\r\nUpgrade: websocket\r\n", Framing::None, 0, true, false, true},
      {"GET / HTTP/1.1", "Upgrade: h2\r\nConnection: x\r\nConnection: Upgrade\r\n", Framing::None, 0, true, false,
       true},
      {"GET / HTTP/1.1", "Upgrade: websocket, H2C\r\nConnection: upgrade\r\n", Framing::None, 0, true, false, false},
      {"GET / HTTP/1.1", "Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 1\r\n", Framing::Length, 1, true,
       false, false},
      {"GET / HTTP/1.1", "Upgrade: websocket\r\n", Framing::None, 0, true, false, false},
      {"GET / HTTP/1.1", "Connection: upgrade\r\n", Framing::None, 0, true, false, false},
      {"GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade:\r\n", Framing::None, 0, true, false, false},
      {"GET / HTTP/1.0", "Connection: upgrade\r\nUpgrade: websocket\r\n", Framing::None, 0, false, false, false},
      {"GET / HTTP/1.1", "Connection: upgrade\r\nUpgrade: a\r\nContent-Length: 0\r\n", Framing::Length, 0, true, false,
       true},
      {"GET / HTTP/1.1", "Connection: upgrade\r\nContent-Length: 1\r\n", Framing::Length, 1, true, false, false},
      {"GET / HTTP/1.1", "Upgrade: a\r\nContent-Length: 1\r\n", Framing::Length, 1, true, false, false},
      {"GET / HTTP/1.1", "Upgrade-Insecure-Requests: 1\r\nConnection: upgrade\r\n", Framing::None, 0, true, false,
       false},
  };
  for (const Case& c : cases) {
    const std::string text = std::string(c.line) + "\r\nHost: a\r\n" + c.fields + "\r\n";
    SCOPED_TRACE(printable(text));
    RequestHead head;
    ASSERT_EQ(parse(text, head).progress, Progress::Complete);
    EXPECT_EQ(head.framing, c.framing);
    EXPECT_EQ(head.content_length, c.length);
    EXPECT_EQ(head.keep_alive, c.keep_alive);
    EXPECT_EQ(head.expects_continue, c.expects_continue);
    EXPECT_EQ(head.wants_upgrade, c.wants_upgrade);
    expect_same_when_cut(text);
  }
}

TEST(RequestParser, TrimsValuesAndKeepsTheirBytes) {
  const std::string text =
      "GET / HTTP/1.1\r\nHost: a\r\nEmpty:\r\nSpaces: \t \r\nInner:  a \t b  \r\nText: "
      "\x80\xff\xc3\xa9\r\n!#$%&'*+-.^_`|~: x\r\n\r\n";
  RequestHead head;
  ASSERT_EQ(parse(text, head).progress, Progress::Complete);
  EXPECT_EQ(head.fields.value(*head.fields.find("empty")), "");
  EXPECT_EQ(head.fields.value(*head.fields.find("spaces")), "");
  EXPECT_EQ(head.fields.value(*head.fields.find("inner")), "a \t b");
  EXPECT_EQ(head.fields.value(*head.fields.find("text")), "\x80\xff\xc3\xa9");
  EXPECT_EQ(head.fields.value(*head.fields.find("!#$%&'*+-.^_`|~")), "x");
  expect_same_when_cut(text);
}

// The offending byte is the first of `rest`.
struct Refusal {
  std::string before;
  std::string rest;
  Defect defect;
};

const std::string line = "GET / HTTP/1.1\r\n";
const std::string host = "GET / HTTP/1.1\r\nHost: a\r\n";

std::vector<Refusal> refusals() {
  return {
      {"", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, Defect::BadMethod},
      {"", " GET / HTTP/1.1\r\n", Defect::BadMethod},
      {"", "\r\nGET / HTTP/1.1\r\n", Defect::BadMethod},
      {"", "\nGET / HTTP/1.1\r\n", Defect::BareLf},
      {"", "\rGET / HTTP/1.1\r\n", Defect::BareCr},
      {"", "\0GET / HTTP/1.1\r\n"s, Defect::NulByte},
      {"G", "(T / HTTP/1.1\r\n", Defect::BadMethod},
      {"GET", "\t/ HTTP/1.1\r\n", Defect::BadMethod},
      {"GET", "\r\n", Defect::BadMethod},
      {"GET", "\n", Defect::BareLf},
      {std::string(32, 'M'), "M / HTTP/1.1\r\n", Defect::BadMethod},
      {"GET ", " / HTTP/1.1\r\n", Defect::BadTarget},
      {"GET /", "\r\n", Defect::BadVersion},
      {"GET /", "\rx HTTP/1.1\r\n", Defect::BareCr},
      {"GET /", "\n", Defect::BareLf},
      {"GET /", "\t HTTP/1.1\r\n", Defect::BadTarget},
      {"GET /a", "\0 HTTP/1.1\r\n"s, Defect::NulByte},
      {"GET /a", "\x7f HTTP/1.1\r\n", Defect::BadTarget},
      {"GET /caf", "\xc3\xa9 HTTP/1.1\r\n", Defect::BadTarget},
      {"GET /a?b", "#c HTTP/1.1\r\n", Defect::BadTarget},
      {"GET ", "a/b HTTP/1.1\r\n", Defect::BadTarget},
      {"GET ", "?a HTTP/1.1\r\n", Defect::BadTarget},
      {"GET ", "* HTTP/1.1\r\n", Defect::BadTarget},
      {"OPTIONS *", "* HTTP/1.1\r\n", Defect::BadTarget},
      {"OPTIONS *", "?a HTTP/1.1\r\n", Defect::BadTarget},
      {"GET ", "ftp://a/ HTTP/1.1\r\n", Defect::BadTarget},
      {"GET http:/", "a/ HTTP/1.1\r\n", Defect::BadTarget},
      {"GET http", "x://a/ HTTP/1.1\r\n", Defect::BadTarget},
      {"GET https", "s://a/ HTTP/1.1\r\n", Defect::BadTarget},
      {"GET http://", "/ HTTP/1.1\r\n", Defect::BadTarget},
      {"GET http://", " HTTP/1.1\r\n", Defect::BadTarget},
      {"GET http://", ":80/ HTTP/1.1\r\n", Defect::BadTarget},
      {"GET http", " HTTP/1.1\r\n", Defect::BadTarget},
      {"GET http://user", "@a/ HTTP/1.1\r\n", Defect::BadTarget},
      {"GET http://user:", "pass@a/ HTTP/1.1\r\n", Defect::BadTarget},
      {"GET http://a", "\\b HTTP/1.1\r\n", Defect::BadTarget},
      {"GET http://a:6553", "6/ HTTP/1.1\r\n", Defect::BadTarget},
      {"CONNECT ", "/ HTTP/1.1\r\n", Defect::BadTarget},
      {"CONNECT a", " HTTP/1.1\r\n", Defect::BadTarget},
      {"CONNECT a:", " HTTP/1.1\r\n", Defect::BadTarget},
      {"CONNECT a:1", "/ HTTP/1.1\r\n", Defect::BadTarget},
      {"CONNECT http:", "//a:1 HTTP/1.1\r\n", Defect::BadTarget},
      {"CONNECT a:1", "?b HTTP/1.1\r\n", Defect::BadTarget},
      {"GET / ", "foo HTTP/1.1\r\n", Defect::BadTarget},
      {"GET / ", " HTTP/1.1\r\n", Defect::BadTarget},
      {"GET / ", "\r\n", Defect::BadTarget},
      {"GET / ", "http/1.1\r\n", Defect::BadTarget},
      {"GET / HTTP/", "2.0\r\n", Defect::BadVersion},
      {"PRI ", "* HTTP/2.0\r\n\r\nSM\r\n\r\n", Defect::BadTarget},
      {"GET / HTTP/1", "\r\n", Defect::BadVersion},
      {"GET / HTTP/1.", "2\r\n", Defect::BadVersion},
      {"GET / HTTP/1.1", "1\r\n", Defect::BadVersion},
      {"GET / HTTP/1.1", " \r\n", Defect::BadVersion},
      {"GET / HTTP/1.1", "\nHost: a\r\n\r\n", Defect::BareLf},
      {"GET / HTTP/1.1", "\rHost: a\r\n\r\n", Defect::BareCr},
      {"GET / HTTP/1.1", "\r\rHost: a\r\n\r\n", Defect::BareCr},
      {"GET / HTTP/1.1", "\0\r\n"s, Defect::NulByte},

      {line, " Host: a\r\n\r\n", Defect::ObsFold},
      {line, "\tHost: a\r\n\r\n", Defect::ObsFold},
      {host, " folded\r\n\r\n", Defect::ObsFold},
      {host + "X: a\r\n", "\tfolded\r\n\r\n", Defect::ObsFold},
      {host, " \r\n\r\n", Defect::ObsFold},
      {line + "Host", " : a\r\n\r\n", Defect::SpaceBeforeColon},
      {line + "Host", "\t: a\r\n\r\n", Defect::SpaceBeforeColon},
      {host + "GET", " /admin HTTP/1.1\r\n\r\n", Defect::SpaceBeforeColon},
      {host, ": a\r\n\r\n", Defect::BadHeaderName},
      {host + "X", "(y): a\r\n\r\n", Defect::BadHeaderName},
      {host + "X", "\x80: a\r\n\r\n", Defect::BadHeaderName},
      {host + "X", "\x01: a\r\n\r\n", Defect::BadHeaderName},
      {host + "NoColon", "\r\n\r\n", Defect::BadHeaderName},
      {host + "NoColon", "\n\n", Defect::BareLf},
      {host + "No", "\rColon\n\n", Defect::BareCr},
      {host + "X", "\0y: a\r\n\r\n"s, Defect::NulByte},
      {host + "X: a", "\nY: b\r\n\r\n", Defect::BareLf},
      {host + "X: a", "\rY: b\r\n\r\n", Defect::BareCr},
      {host + "X: a", "\r\r\n\r\n", Defect::BareCr},
      {host + "X: a", "\0b\r\n\r\n"s, Defect::NulByte},
      {host + "X: a",
       "\x01"
       "b\r\n\r\n",
       Defect::BadHeaderValue},
      {host + "X: a long value before a control byte", "\x7f\r\n\r\n", Defect::BadHeaderValue},
      {host, "\n", Defect::BareLf},
      {host, "\r\r\n", Defect::BareCr},
      {host, "\0\r\n"s, Defect::NulByte},

      {"GET / HTTP/1.1\r\nAccept: */*\r\n\r", "\n", Defect::MissingHost},
      {"GET http://a/ HTTP/1.1\r\n\r", "\n", Defect::MissingHost},
      {host + "Host", ": a\r\n\r\n", Defect::RepeatedHost},
      {host + "hOST", ": b\r\n\r\n", Defect::RepeatedHost},
      {"GET / HTTP/1.0\r\nHost: a\r\nHost", ": a\r\n\r\n", Defect::RepeatedHost},
      {line + "Host:", "\r\n\r\n", Defect::BadHost},
      {line + "Host: ", "\r\n\r\n", Defect::BadHost},
      {line + "Host: a ", "b\r\n\r\n", Defect::BadHost},
      {line + "Host: a", "/b\r\n\r\n", Defect::BadHost},
      {line + "Host: a", "@b\r\n\r\n", Defect::BadHost},
      {line + "Host: ", ":80\r\n\r\n", Defect::BadHost},
      {line + "Host: a:", "b\r\n\r\n", Defect::BadHost},
      {line + "Host: a:80", ":80\r\n\r\n", Defect::BadHost},
      {line + "Host: a:6553", "6\r\n\r\n", Defect::BadHost},
      {line + "Host: http:", "//a\r\n\r\n", Defect::BadHost},
      {line + "Host: caf", "\xc3\xa9\r\n\r\n", Defect::BadHost},
      {line + "Host: a%4", "g\r\n\r\n", Defect::BadHost},
      {line + "Host: a%4", "\r\n\r\n", Defect::BadHost},
      {line + "Host: [::1", "\r\n\r\n", Defect::BadHost},
      {line + "Host: [::1", "%25eth0]\r\n\r\n", Defect::BadHost},
      {line + "Host: [::1]", "80\r\n\r\n", Defect::BadHost},
      {"GET http://a/ HTTP/1.1\r\nHost: ", "?\r\n\r\n", Defect::BadHost},

      {host + "Content-Length:", "\r\n\r\n", Defect::BadContentLength},
      {host + "Content-Length: ", "+5\r\n\r\n", Defect::BadContentLength},
      {host + "Content-Length: ", "-1\r\n\r\n", Defect::BadContentLength},
      {host + "Content-Length: 0", "x5\r\n\r\n", Defect::BadContentLength},
      {host + "Content-Length: 5", ",5\r\n\r\n", Defect::BadContentLength},
      {host + "Content-Length: 5 ", "5\r\n\r\n", Defect::BadContentLength},
      {host + "Content-Length: 5", ".0\r\n\r\n", Defect::BadContentLength},
      {host + "Content-Length: ", "\"5\"\r\n\r\n", Defect::BadContentLength},
      {host + "Content-Length: 922337203685477580", "8\r\n\r\n", Defect::BadContentLength},
      {host + "Content-Length: 1844674407370955161", "6\r\n\r\n", Defect::BadContentLength},
      {host + "Content-Length: 5\r\nContent-Length", ": 5\r\n\r\n", Defect::RepeatedContentLength},
      {host + "Content-Length: 5\r\nX: y\r\ncontent-length", ": 6\r\n\r\n", Defect::RepeatedContentLength},
      {host + "Content-Length: 5\r\nTransfer-Encoding", ": chunked\r\n\r\n", Defect::LengthAndCoding},
      {host + "Transfer-Encoding: chunked\r\nContent-Length", ": 0\r\n\r\n", Defect::LengthAndCoding},
      {host + "Transfer-Encoding: ", "gzip, chunked\r\n\r\n", Defect::UnknownCoding},
      {host + "Transfer-Encoding: chunked", ", chunked\r\n\r\n", Defect::UnknownCoding},
      {host + "Transfer-Encoding: chunked", "; q=1\r\n\r\n", Defect::UnknownCoding},
      {host + "Transfer-Encoding: ", "xchunked\r\n\r\n", Defect::UnknownCoding},
      {host + "Transfer-Encoding: chunked ", "x\r\n\r\n", Defect::UnknownCoding},
      {host + "Transfer-Encoding: chunked", "\x0b\r\n\r\n", Defect::BadHeaderValue},
      {host + "Transfer-Encoding: chunke", "\r\n\r\n", Defect::UnknownCoding},
      {host + "Transfer-Encoding:", "\r\n\r\n", Defect::UnknownCoding},
      {host + "Transfer-Encoding: ", "identity\r\n\r\n", Defect::UnknownCoding},
      {host + "Transfer-Encoding: chunked\r\nTransfer-Encoding", ": chunked\r\n\r\n", Defect::UnknownCoding},
      {"POST / HTTP/1.0\r\nTransfer-Encoding", ": chunked\r\n\r\n", Defect::CodingInHttp10},
      {host + "Connection: upgrade\r\nUpgrade: a\r\nContent-Length: 1\r", "\n\r\n", Defect::UpgradeWithBody},
      {host + "Transfer-Encoding: chunked\r\nConnection: upgrade\r\nUpgrade: a\r", "\n\r\n", Defect::UpgradeWithBody},
      {host + "Transfer-Encoding: chunked\r\nUpgrade: a\r\nConnection: upgrade\r", "\n\r\n", Defect::UpgradeWithBody},
  };
}

TEST(RequestParser, RefusesAtTheOffendingByte) {
  for (const Refusal& refusal : refusals()) {
    const std::string text = refusal.before + refusal.rest;
    SCOPED_TRACE(printable(text));
    RequestHead head;
    const Outcome outcome = parse(text, head);
    EXPECT_EQ(outcome.progress, Progress::Failed);
    EXPECT_EQ(to_string(outcome.defect), to_string(refusal.defect));
    EXPECT_EQ(outcome.offset, refusal.before.size());
    expect_same_when_cut(text);
  }
}

TEST(RequestParser, KeepsItsLimits) {
  const HeadLimits limits{.line = 40, .header = 30, .head = 120, .header_count = 3};
  const std::string longest_line = "GET /" + std::string(40 - 5 - 9, 'a') + " HTTP/1.1\r\n";
  const std::string longest_field = "X: " + std::string(27, 'b') + "\r\n";
  struct Case {
    std::string before;
    std::string rest;  // from the offending byte; empty: nothing is wrong
    Defect defect;
  };
  const Case cases[] = {
      {longest_line + "Host: a\r\n" + longest_field + "\r\n", "", Defect::None},
      {"GET /" + std::string(35, 'a'), "a HTTP/1.1\r\n\r\n", Defect::LineTooLong},
      {"GET /" + std::string(27, 'a') + " HTTP/1.", "1\r\n\r\n", Defect::LineTooLong},
      {"GET /" + std::string(35, 'a'), " HTTP/1.1\r\n\r\n", Defect::LineTooLong},
      {line + "Host: a\r\nX: " + std::string(27, 'b'), "b\r\n\r\n", Defect::HeaderTooLarge},
      {line + "Host: a\r\nX: " + std::string(27, 'b'), " \r\n\r\n", Defect::HeaderTooLarge},
      {line + "Host: a\r\n" + std::string(30, 'n'), "n: b\r\n\r\n", Defect::HeaderTooLarge},
      {line + "Host: a\r\n" + std::string(30, 'n'), ": b\r\n\r\n", Defect::HeaderTooLarge},
      {line + "Host: a\r\nContent-Length: " + std::string(14, '0'), "0\r\n\r\n", Defect::HeaderTooLarge},
      {line + "Host: a\r\nA:\r\nB:\r\n\r\n", "", Defect::None},
      {line + "Host: a\r\nA:\r\nB:\r\n", "C:\r\n\r\n", Defect::TooManyHeaders},
      {line + "Host: a\r\nA:\r\nB:\r\n", " C:\r\n\r\n", Defect::ObsFold},
  };
  for (const Case& c : cases) {
    const std::string text = c.before + c.rest;
    SCOPED_TRACE(printable(text));
    RequestHead head;
    const Outcome outcome = parse(text, head, limits);
    EXPECT_EQ(to_string(outcome.defect), to_string(c.defect));
    if (c.defect != Defect::None) EXPECT_EQ(outcome.offset, c.before.size());
    if (c.defect == Defect::None) EXPECT_EQ(outcome.progress, Progress::Complete);
    expect_same_when_cut(text, limits);
  }
}

TEST(RequestParser, KeepsTheLimitOfTheWholeHead) {
  const std::string text = line + "Host: a\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n\r\n";
  RequestHead head;
  EXPECT_EQ(parse(text, head, {.head = text.size()}).progress, Progress::Complete);
  for (std::size_t limit = 0; limit < text.size(); ++limit) {
    const HeadLimits limits{.head = limit};
    const Outcome outcome = parse(text, head, limits);
    ASSERT_EQ(to_string(outcome.defect), "head_too_large") << limit;
    ASSERT_EQ(outcome.offset, limit);
    expect_same_when_cut(text, limits);
  }
  // What is behind the head does not count.
  EXPECT_EQ(parse(text + std::string(1000, 'x'), head, {.head = text.size()}).progress, Progress::Complete);
}

TEST(RequestParser, NeverKeepsMoreFieldsThanThereIsRoomFor) {
  std::string text = host;
  for (int i = 1; i < fields_max; ++i) text += "A:\r\n";
  RequestHead head;
  const HeadLimits limits{.header_count = 100'000};
  EXPECT_EQ(parse(text + "\r\n", head, limits).progress, Progress::Complete);
  EXPECT_EQ(head.fields.count(), fields_max);
  EXPECT_EQ(parse(text + "A", head, limits).defect, Defect::TooManyHeaders);
}

TEST(RequestParser, KnowsNamesOfAnyLengthAndNoMoreThanTheyCanHave) {
  const HeadLimits limits{.header = 1 << 20, .head = 1 << 20};
  RequestHead head;
  std::string text = host + std::string(65535, 'n') + ": v\r\n\r\n";
  ASSERT_EQ(parse(text, head, limits).progress, Progress::Complete);
  EXPECT_EQ(head.fields.name(head.fields.at(1)).size(), 65535U);
  EXPECT_EQ(head.fields.value(head.fields.at(1)), "v");
  text = host + std::string(65536, 'n') + ": v\r\n\r\n";
  const Outcome outcome = parse(text, head, limits);
  EXPECT_EQ(outcome.defect, Defect::HeaderTooLarge);
  EXPECT_EQ(outcome.offset, host.size() + 65535);
  EXPECT_EQ(parse(Bytes(text).substr(0, host.size() + 65536), head, limits).offset, outcome.offset);
}

// Any one byte of a head replaced, left out or doubled: no crash, and the same verdict however it is cut.
TEST(RequestParser, GivesOneVerdictForMutatedHeads) {
  const std::string seeds[] = {
      "POST http://a.b:80/c?d HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: 10\r\nConnection: close, x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a%20.b\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
      "CONNECT [::1.2.3.4]:80 HTTP/1.1\r\nHost: [1:2::3]\r\nConnection: upgrade\r\nUpgrade: a\r\nContent-Length: "
      "0\r\n\r\n",
  };
  constexpr char bytes[] = {'\0', '\n', '\r', '\t', ' ', ':', ',', '0', 'a', '\x7f', '\x80', '/', '[', ']', '%', '.'};
  for (const std::string& seed : seeds) {
    for (std::size_t at = 0; at < seed.size(); ++at) {
      for (const char byte : bytes) {
        std::string text = seed;
        text[at] = byte;
        expect_same_when_cut(text);
        if (HasFatalFailure()) return;
      }
      std::string text = seed;
      text.erase(at, 1);
      expect_same_when_cut(text);
      text = seed;
      text.insert(at, 1, seed[at]);
      expect_same_when_cut(text);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(RequestParser, KnowsWhatMayBeSentASecondTime) {
  const std::pair<const char*, bool> cases[] = {
      {"GET", true},   {"HEAD", true},   {"PUT", true},      {"DELETE", true}, {"OPTIONS", true}, {"TRACE", true},
      {"POST", false}, {"PATCH", false}, {"CONNECT", false}, {"get", false},   {"GETX", false},
  };
  for (const auto& [method, expected] : cases) {
    SCOPED_TRACE(method);
    RequestHead head;
    const Bytes target = Bytes(method) == "CONNECT" ? "a:1" : "/";
    const std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    ASSERT_EQ(parse(text, head).progress, Progress::Complete);
    EXPECT_EQ(head.is_idempotent(), expected);
    EXPECT_EQ(head.is_head, Bytes(method) == "HEAD");
  }
}

}  // namespace
}  // namespace ballast::http
