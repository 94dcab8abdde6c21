#include "wire/http2/head_text.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "wire/http/parse.h"

namespace ballast::http2 {
namespace {

using http::Defect;
using Fields = std::vector<std::pair<std::string, std::string>>;

struct Written {
  std::string text;
  Defect defect = Defect::None;
};
Written write(const Fields& fields, std::size_t bytes_max = 64 * kib) {
  RequestText request(bytes_max);
  for (const auto& [name, value] : fields) request.field(name, value);
  Buffer out;
  Written written;
  written.defect = request.write(out, "the-key");
  written.text = std::string(out.view());
  return written;
}

Fields with(Fields more) {
  Fields fields{{":method", "GET"}, {":scheme", "https"}, {":path", "/p"}, {":authority", "h"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

TEST(RequestText, IsWrittenAsOneOfHttp1) {
  const struct {
    Fields fields;
    std::string text;
  } rows[] = {
      {with({}), "GET /p HTTP/1.1\r\nHost: h\r\n\r\n"},
      {with({{"x-a", "b"}, {"x-empty", ""}}), "GET /p HTTP/1.1\r\nHost: h\r\nx-a: b\r\nx-empty: \r\n\r\n"},
      {with({{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c=3"}}),
       "GET /p HTTP/1.1\r\nHost: h\r\nx: y\r\ncookie: a=1; b=2; c=3\r\n\r\n"},
      {with({{"host", "H"}}), "GET /p HTTP/1.1\r\nHost: h\r\n\r\n"},
      {with({{"te", "trailers"}}), "GET /p HTTP/1.1\r\nHost: h\r\nte: trailers\r\n\r\n"},
      {{{":path", "/p?q"}, {":method", "PUT"}, {":scheme", "x"}, {"host", "only"}},
       "PUT /p?q HTTP/1.1\r\nHost: only\r\n\r\n"},
      {{{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*"}, {":authority", "h"}},
       "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"},
      {{{":method", "CONNECT"}, {":authority", "h:1"}}, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n"},
      {{{":method", "CONNECT"},
        {":protocol", "websocket"},
        {":scheme", "https"},
        {":path", "/c"},
        {":authority", "h"},
        {"sec-websocket-key", "theirs"},
        {"sec-websocket-version", "13"}},
       "GET /c HTTP/1.1\r\nHost: h\r\nsec-websocket-version: 13\r\nConnection: upgrade\r\nUpgrade: "
       "websocket\r\nSec-WebSocket-Key: the-key\r\n\r\n"},
      {{{":method", "CONNECT"}, {":protocol", "other"}, {":scheme", "https"}, {":path", "/c"}, {":authority", "h"}},
       "GET /c HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n"},
  };
  for (const auto& row : rows) {
    const Written written = write(row.fields);
    EXPECT_EQ(written.defect, Defect::None) << row.text;
    EXPECT_EQ(written.text, row.text);
  }
}

TEST(RequestText, WhatIsWrongHasItsDefectAndIsNotWritten) {
  const struct {
    Fields fields;
    Defect defect;
  } rows[] = {
      // Pseudo-header fields: all that are needed, once each, first, and no other.
      {{{":scheme", "http"}, {":path", "/"}, {":authority", "h"}}, Defect::BadMethod},
      {{{":method", "GET"}, {":path", "/"}, {":authority", "h"}}, Defect::BadTarget},
      {{{":method", "GET"}, {":scheme", "http"}, {":authority", "h"}}, Defect::BadTarget},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}, Defect::MissingHost},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", ""}}, Defect::MissingHost},
      {with({{":method", "GET"}}), Defect::BadMethod},
      {with({{":scheme", "http"}}), Defect::BadTarget},
      {with({{":path", "/q"}}), Defect::BadTarget},
      {with({{":authority", "i"}}), Defect::BadHost},
      {with({{":status", "200"}}), Defect::BadHeaderName},
      {with({{":", "x"}}), Defect::BadHeaderName},
      {{{":method", "GET"}, {":scheme", "http"}, {"x", "y"}, {":path", "/"}}, Defect::BadHeaderName},
      {{{":method", "GET"}, {":scheme", "http"}, {"cookie", "y"}, {":path", "/"}}, Defect::BadHeaderName},
      {{{":method", "GET"}, {":scheme", "http"}, {"host", "y"}, {":path", "/"}}, Defect::BadHeaderName},
      // What would be read as something else in a line.
      {{{":method", "GET /x"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}}, Defect::BadMethod},
      {{{":method", "GET\r\n"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}}, Defect::BadMethod},
      {{{":method", ""}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}}, Defect::BadMethod},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/ HTTP/1.1"}, {":authority", "h"}}, Defect::BadTarget},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/\r\nx: y"}, {":authority", "h"}}, Defect::BadTarget},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/a\tb"}, {":authority", "h"}}, Defect::BadTarget},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", std::string("/\0", 2)}, {":authority", "h"}},
       Defect::BadTarget},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h\r\nx: y"}}, Defect::BadHost},
      // Targets that bring an authority of their own, or none.
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "http://other/"}, {":authority", "h"}}, Defect::BadTarget},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "other"}, {":authority", "h"}}, Defect::BadTarget},
      {{{":method", "GET"}, {":scheme", "http"}, {":path", "*"}, {":authority", "h"}}, Defect::BadTarget},
      {{{":method", "OPTIONS"}, {":scheme", "http"}, {":path", "*x"}, {":authority", "h"}}, Defect::BadTarget},
      {with({{"host", "other"}}), Defect::BadHost},
      {with({{"host", ""}}), Defect::BadHost},
      {with({{"host", "h"}, {"host", "h"}}), Defect::RepeatedHost},
      // CONNECT, and the extended one.
      {{{":method", "CONNECT"}, {":authority", "h:1"}, {":path", "/"}}, Defect::BadTarget},
      {{{":method", "CONNECT"}, {":authority", "h:1"}, {":scheme", "http"}}, Defect::BadTarget},
      {{{":method", "CONNECT"}, {"host", "h:1"}}, Defect::BadTarget},
      {{{":method", "CONNECT"}, {":protocol", "websocket"}, {":authority", "h"}}, Defect::BadTarget},
      {{{":method", "GET"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}},
       Defect::BadMethod},
      {{{":method", "CONNECT"}, {":protocol", "a b"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}},
       Defect::BadHeaderValue},
      // Fields.
      {with({{"X-Upper", "y"}}), Defect::BadHeaderName},
      {with({{"", "y"}}), Defect::BadHeaderName},
      {with({{"x y", "y"}}), Defect::BadHeaderName},
      {with({{"x:", "y"}}), Defect::BadHeaderName},
      {with({{"x\r\ny", "y"}}), Defect::BadHeaderName},
      {with({{"x", "y\r\nz: 1"}}), Defect::BadHeaderValue},
      {with({{"x", "y\n"}}), Defect::BadHeaderValue},
      {with({{"x", std::string("\0", 1)}}), Defect::BadHeaderValue},
      {with({{"x", " y"}}), Defect::BadHeaderValue},
      {with({{"x", "y\t"}}), Defect::BadHeaderValue},
      {with({{"cookie", "y\r\nz: 1"}}), Defect::BadHeaderValue},
      {with({{"connection", "close"}}), Defect::BadHeaderName},
      {with({{"keep-alive", "1"}}), Defect::BadHeaderName},
      {with({{"proxy-connection", "x"}}), Defect::BadHeaderName},
      {with({{"transfer-encoding", "chunked"}}), Defect::BadHeaderName},
      {with({{"upgrade", "x"}}), Defect::BadHeaderName},
      {with({{"http2-settings", "x"}}), Defect::BadHeaderName},
      {with({{"te", "gzip"}}), Defect::BadHeaderValue},
  };
  for (const auto& row : rows) {
    std::string what;
    for (const auto& [name, value] : row.fields) what += name + "=" + value + " ";
    const Written written = write(row.fields);
    EXPECT_EQ(written.defect, row.defect) << what;
    EXPECT_EQ(written.text, "") << what;
  }
}

TEST(RequestText, TheFirstDefectStays) {
  RequestText request(1000);
  request.field("X", "bad name");
  request.field("x", " bad value");
  Buffer out;
  EXPECT_EQ(request.write(out, {}), Defect::BadHeaderName);
  EXPECT_EQ(request.write(out, {}), Defect::BadHeaderName);
}

TEST(RequestText, IsBounded) {
  EXPECT_EQ(write(with({{"x", std::string(100, 'y')}}), 200).defect, Defect::None);
  EXPECT_EQ(write(with({{"x", std::string(100, 'y')}, {"z", std::string(100, 'y')}}), 200).defect,
            Defect::HeadTooLarge);
  EXPECT_EQ(write(with({{"cookie", std::string(100, 'y')}, {"cookie", std::string(100, 'y')}}), 200).defect,
            Defect::HeadTooLarge);
  // A million fields of nothing are not nothing.
  RequestText request(1000);
  for (int i = 0; i < 1'000'000; ++i) request.field("a", "");
  Buffer out;
  EXPECT_EQ(request.write(out, {}), Defect::HeadTooLarge);
}

TEST(ResponseText, IsWrittenAsOneOfHttp1OrRefused) {
  const struct {
    Fields fields;
    std::string begins;
    Defect defect = Defect::None;
  } rows[] = {
      {{{":status", "200"}, {"x", "y"}}, "HTTP/1.1 200"},
      {{{":status", "103"}}, "HTTP/1.1 103"},
      {{{":status", "999"}}, "HTTP/1.1 999"},
      {{}, "", Defect::BadStatus},
      {{{":status", "101"}}, "", Defect::BadStatus},
      {{{":status", "099"}}, "", Defect::BadStatus},
      {{{":status", "20"}}, "", Defect::BadStatus},
      {{{":status", "2000"}}, "", Defect::BadStatus},
      {{{":status", "2 0"}}, "", Defect::BadStatus},
      {{{":status", "200"}, {":status", "200"}}, "", Defect::BadStatus},
      {{{"x", "y"}, {":status", "200"}}, "", Defect::BadStatus},
      {{{":status", "200"}, {":path", "/"}}, "", Defect::BadHeaderName},
      {{{":status", "200"}, {"connection", "close"}}, "", Defect::BadHeaderName},
      {{{":status", "200"}, {"x", "y\r\nz"}}, "", Defect::BadHeaderValue},
      {{{":status", "200"}, {"x", std::string(2000, 'y')}}, "", Defect::HeadTooLarge},
  };
  for (const auto& row : rows) {
    ResponseText response(1000);
    for (const auto& [name, value] : row.fields) response.field(name, value);
    Buffer out;
    EXPECT_EQ(response.write(out), row.defect) << row.begins;
    EXPECT_TRUE(std::string(out.view()).starts_with(row.begins)) << out.view();
    if (row.defect != Defect::None) EXPECT_TRUE(out.empty());
  }
}

TEST(TrailerText, KeepsWhatMayTrail) {
  const struct {
    Fields fields;
    std::string lines;
    Defect defect = Defect::None;
  } rows[] = {
      {{{"x", "y"}, {"z", ""}}, "x: y\r\nz: \r\n"},
      {{{":path", "/"}}, "", Defect::BadTrailer},
      {{{"x", "y\r\nz: 1"}}, "", Defect::BadTrailer},
      {{{"x y", "z"}}, "", Defect::BadTrailer},
      {{{"content-length", "5"}}, "", Defect::ForbiddenTrailer},
      {{{"host", "h"}}, "", Defect::ForbiddenTrailer},
      {{{"x", std::string(2000, 'y')}}, "", Defect::HeadTooLarge},
  };
  for (const auto& row : rows) {
    TrailerText trailer(1000);
    for (const auto& [name, value] : row.fields) trailer.field(name, value);
    EXPECT_EQ(trailer.defect(), row.defect) << row.fields.front().first;
    EXPECT_EQ(trailer.lines(), row.lines);
  }
}

}  // namespace
}  // namespace ballast::http2
