#include "wire/ajp/forward_request.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "wire/ajp/packet.h"

namespace ballast::ajp {
namespace {

using namespace std::string_literals;

// A string as AJP writes it.
std::string text(const std::string& value) {
  std::string out(2, '\0');
  put_16(out.data(), value.size());
  return out + value + '\0';
}
std::string packet(const std::string& payload) {
  std::string out = "\x12\x34\0\0"s;
  put_16(out.data() + 2, payload.size());
  return out + payload;
}

struct Written {
  std::string bytes;
  std::string error;
  Code code = Code::Closed;
};
Written write(const ForwardRequest& request, std::size_t packet_bytes = packet_bytes_default) {
  Buffer out;
  out.append(Bytes("before"));
  const Result<> written = write_forward_request(out, request, packet_bytes);
  std::string bytes(out.view());
  EXPECT_EQ(bytes.substr(0, 6), "before");
  if (!written) {
    EXPECT_EQ(bytes.size(), 6u) << "something was left of a packet that was refused";
    return {.error = written.error().text(), .code = written.error().code()};
  }
  return {.bytes = bytes.substr(6)};
}

ForwardRequest small() {
  return {.method = "GET", .uri = "/a%20b", .remote_address = "10.0.0.7", .server_name = "site", .server_port = 8080};
}

TEST(ForwardRequest, IsLaidOutAsTheProtocolSays) {
  EXPECT_EQ(write(small()).bytes, packet("\x02\x02"s + text("HTTP/1.1") + text("/a%20b") + text("10.0.0.7") +
                                         "\xFF\xFF"s + text("site") + "\x1f\x90\0\0\0\xFF"s));
}

TEST(ForwardRequest, CarriesHeadersAndAttributes) {
  const std::vector<http::FieldLine> lines{{"HOST", "site:8080"}, {"X-One", "1"}, {"user-agent", "a\tb \xc3\xbc"}};
  ForwardRequest request = small();
  request.method = "PATCH";
  request.query = "a=1";
  request.lines = lines;
  request.content_length = 70000;
  request.user = "ann";
  request.route = "tomcat1";
  request.secret = "s3";
  request.remote_port = 4711;
  request.local_address = "10.0.0.1";
  request.tls =
      TlsFacts{.certificate = "-\r\n-", .cipher = "C", .session = "ab", .key_bits = 256, .protocol = "TLSv1.3"};
  EXPECT_EQ(write(request).bytes,
            packet("\x02\xFF"s + text("HTTP/1.1") + text("/a%20b") + text("10.0.0.7") + "\xFF\xFF"s + text("site") +
                   "\x1f\x90\x01\0\x04"s + "\xA0\x0B"s + text("site:8080") + text("X-One") + text("1") + "\xA0\x0E"s +
                   text("a\tb \xc3\xbc") + "\xA0\x08"s + text("70000") + "\x03"s + text("ann") + "\x05"s + text("a=1") +
                   "\x06"s + text("tomcat1") + "\x07"s + text("-\r\n-") + "\x08"s + text("C") + "\x09"s + text("ab") +
                   "\x0B\x01\0"s + "\x0A"s + text("AJP_SSL_PROTOCOL") + text("TLSv1.3") + "\x0C"s + text("s3") +
                   "\x0D"s + text("PATCH") + "\x0A"s + text("AJP_REMOTE_PORT") + text("4711") + "\x0A"s +
                   text("AJP_LOCAL_ADDR") + text("10.0.0.1") + "\xFF"s));
}

TEST(ForwardRequest, CodesMethods) {
  const struct {
    const char* method;
    char code;
  } rows[] = {{"OPTIONS", 1}, {"GET", 2},    {"HEAD", 3},        {"POST", 4},     {"PUT", 5},
              {"DELETE", 6},  {"TRACE", 7},  {"MKCOL", 10},      {"ACL", 15},     {"REPORT", 16},
              {"SEARCH", 21}, {"MERGE", 25}, {"MKACTIVITY", 27}, {"get", '\xFF'}, {"PURGE", '\xFF'}};
  for (const auto& row : rows) {
    ForwardRequest request = small();
    request.method = row.method;
    EXPECT_EQ(write(request).bytes.at(5), row.code) << row.method;
  }
}

TEST(ForwardRequest, RefusesWhatBreaksTheFraming) {
  const std::vector<http::FieldLine> bad_value{{"X", "a\r\nb"}};
  const std::vector<http::FieldLine> nul_value{{"X-Nul", Bytes("a\0b", 3)}};
  const std::vector<http::FieldLine> bad_name{{"X Y", "1"}};
  const std::vector<http::FieldLine> no_name{{"", "1"}};
  const struct {
    std::string words;
    void (*change)(ForwardRequest&);
    const std::vector<http::FieldLine>* lines;
  } rows[] = {
      {"path", [](ForwardRequest& r) { r.uri = "/\n"; }, nullptr},
      {"query", [](ForwardRequest& r) { r.query = "a\x7f"; }, nullptr},
      {"method", [](ForwardRequest& r) { r.method = "GE T"; }, nullptr},
      {"method", [](ForwardRequest& r) { r.method = ""; }, nullptr},
      {"secret", [](ForwardRequest& r) { r.secret = "\x01"; }, nullptr},
      {"host", [](ForwardRequest& r) { r.server_name = "a\rb"; }, nullptr},
      {"cipher",
       [](ForwardRequest& r) { r.tls = TlsFacts{.certificate = {}, .cipher = "a\n", .session = {}, .protocol = {}}; },
       nullptr},
      {"X", [](ForwardRequest&) {}, &bad_value},
      {"X-Nul", [](ForwardRequest&) {}, &nul_value},
      {"header name", [](ForwardRequest&) {}, &bad_name},
      {"header name", [](ForwardRequest&) {}, &no_name},
  };
  for (const auto& row : rows) {
    ForwardRequest request = small();
    row.change(request);
    if (row.lines != nullptr) request.lines = *row.lines;
    const Written written = write(request);
    EXPECT_EQ(written.code, Code::Invalid) << row.words;
    EXPECT_EQ(written.error, "the request's " + row.words + " holds a byte that AJP cannot carry");
  }
}

TEST(ForwardRequest, FitsExactlyOrIsRefused) {
  const std::size_t size = write(small()).bytes.size();
  for (std::size_t bytes = 8; bytes < size; ++bytes) {
    EXPECT_EQ(write(small(), bytes).code, Code::TooLarge) << bytes;
  }
  EXPECT_EQ(write(small(), size).bytes.size(), size);
  EXPECT_EQ(write(small(), size - 1).error, "the request's head does not fit into an AJP packet of " +
                                                std::to_string(size - 1) +
                                                " bytes; raise packet_size here and packetSize in the container");
}

TEST(ForwardRequest, TakesNoStringThatWouldBeReadAsSomethingElse) {
  // 0xFFFF says "no string", and 0xA0nn is a coded header.
  const std::string huge(0xFFFF, 'a');
  ForwardRequest request = small();
  request.uri = huge;
  EXPECT_EQ(write(request, packet_bytes_max).code, Code::TooLarge);
  const std::string name(0xA00B, 'a');
  const std::vector<http::FieldLine> lines{{name, "1"}};
  request = small();
  request.lines = lines;
  EXPECT_EQ(write(request, packet_bytes_max).code, Code::Invalid);
  const std::string most(65536 - 100, 'a');
  request = small();
  request.uri = most;
  EXPECT_EQ(write(request, packet_bytes_max).code, Code::Closed) << "a packet of nearly 64 KiB is fine";
}

}  // namespace
}  // namespace ballast::ajp
