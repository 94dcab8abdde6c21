#include "wire/ajp/container_packet.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "wire/ajp/packet.h"

namespace ballast::ajp {
namespace {

using namespace std::string_literals;
using http::Progress;

std::string packet(const std::string& payload) {
  std::string out = "AB\0\0"s;
  put_16(out.data() + 2, payload.size());
  return out + payload;
}
std::string text(const std::string& value) {
  std::string out(2, '\0');
  put_16(out.data(), value.size());
  return out + value + '\0';
}

struct Parsed {
  PacketOutcome outcome;
  Packet packet;
};

// The input is a copy of its own size, so that a read behind it is seen by the sanitizer.
Parsed parse(Bytes input, std::size_t packet_bytes = packet_bytes_default) {
  const std::unique_ptr<char[]> copy(new char[input.size()]);
  input.copy(copy.get(), input.size());
  Parsed parsed;
  parsed.outcome = parse_packet({copy.get(), input.size()}, packet_bytes, parsed.packet);
  parsed.packet.data = {};  // of the copy
  return parsed;
}

struct Row {
  std::string what;
  std::string bytes;
  Progress progress;
  PacketDefect defect = PacketDefect::None;
};

const Row rows[] = {
    {"chunk",
     packet("\x03\0\x03"
            "abc\0"s),
     Progress::Complete},
    {"chunk without the last NUL",
     packet("\x03\0\x03"
            "abc"s),
     Progress::Complete},
    {"empty chunk", packet("\x03\0\0\0"s), Progress::Complete},
    {"chunk shorter than it says",
     packet("\x03\0\x04"
            "ab"s),
     Progress::Failed, PacketDefect::BadContent},
    {"chunk longer than it says",
     packet("\x03\0\x01"
            "abc"s),
     Progress::Failed, PacketDefect::BadContent},
    {"chunk with something else than NUL behind it",
     packet("\x03\0\x02"
            "abc"s),
     Progress::Failed, PacketDefect::BadContent},
    {"chunk without a length", packet("\x03\0"s), Progress::Failed, PacketDefect::BadContent},
    {"headers", packet("\x04\0\xC8"s + text("OK") + "\0\0"s), Progress::Complete},
    {"end", packet("\x05\x01"s), Progress::Complete},
    {"end without its flag", packet("\x05"s), Progress::Failed, PacketDefect::BadContent},
    {"end with more", packet("\x05\x01\0"s), Progress::Failed, PacketDefect::BadContent},
    {"get body", packet("\x06\x1F\xFA"s), Progress::Complete},
    {"get body without a size", packet("\x06\x1F"s), Progress::Failed, PacketDefect::BadContent},
    {"pong", packet("\x09"s), Progress::Complete},
    {"pong with more", packet("\x09\0"s), Progress::Failed, PacketDefect::BadContent},
    {"a kind that is none", packet("\x02"s), Progress::Failed, PacketDefect::BadKind},
    {"the other direction", "\x12\x34\0\x01\x09"s, Progress::Failed, PacketDefect::BadMagic},
    {"HTTP", "HTTP/1.1 400 Bad Request\r\n"s, Progress::Failed, PacketDefect::BadMagic},
    {"half the magic", "AC"s, Progress::Failed, PacketDefect::BadMagic},
    {"empty packet", "AB\0\0"s, Progress::Failed, PacketDefect::BadLength},
    {"too long", "AB\x1F\xFD"s, Progress::Failed, PacketDefect::BadLength},
    {"just not too long", "AB\x1F\xFC"s, Progress::NeedMore},
};

TEST(ContainerPacket, IsReadStrictly) {
  for (const Row& row : rows) {
    const Parsed parsed = parse(row.bytes);
    EXPECT_EQ(parsed.outcome.progress, row.progress) << row.what;
    EXPECT_EQ(parsed.outcome.defect, row.defect) << row.what;
    if (row.progress == Progress::Complete) EXPECT_EQ(parsed.packet.size, row.bytes.size()) << row.what;
  }
}

TEST(ContainerPacket, IsTheSameHoweverItIsCut) {
  for (const Row& row : rows) {
    const std::string whole = row.bytes + "AB";  // something follows
    bool failed = false;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const Parsed parsed = parse(Bytes(whole).substr(0, size));
      const std::string where = row.what + ", the first " + std::to_string(size) + " bytes";
      if (row.progress == Progress::Complete) {
        EXPECT_EQ(parsed.outcome.progress, size < row.bytes.size() ? Progress::NeedMore : Progress::Complete) << where;
      } else if (row.progress == Progress::Failed) {
        EXPECT_TRUE(!failed || parsed.outcome.progress == Progress::Failed) << where << ": took it back";
        failed = parsed.outcome.progress == Progress::Failed;
        EXPECT_NE(parsed.outcome.progress, Progress::Complete) << where;
        if (failed) EXPECT_EQ(parsed.outcome.defect, row.defect) << where;
      }
    }
    EXPECT_EQ(failed, row.progress == Progress::Failed) << row.what;
  }
}

TEST(ContainerPacket, SaysWhatItHolds) {
  Packet got;
  const std::string chunk = packet(
      "\x03\0\x03"
      "abc\0"s);
  parse_packet(chunk, packet_bytes_default, got);
  EXPECT_EQ(got.data, "abc");
  const std::string end = packet("\x05\0"s);
  parse_packet(end, packet_bytes_default, got);
  EXPECT_EQ(got.kind, PacketKind::EndResponse);
  EXPECT_FALSE(got.reuse);
  const std::string wanted = packet("\x06\x1F\xFA"s);
  parse_packet(wanted, packet_bytes_default, got);
  EXPECT_EQ(got.kind, PacketKind::GetBody);
  EXPECT_EQ(got.wanted, 8186u);
}

struct Head {
  bool read = false;
  http::Defect defect = http::Defect::None;
  std::string text;
  http::Framing framing = http::Framing::None;
  bool keep_alive = false;
};
Head read_head(const std::string& data, http::ResponseParser::Question question = {}, http::HeadLimits limits = {}) {
  Buffer out;
  http::ResponseHead head;
  http::Outcome outcome;
  Head result;
  const std::unique_ptr<char[]> copy(new char[data.size()]);
  data.copy(copy.get(), data.size());
  result.read = read_response_head({copy.get(), data.size()}, limits, question, out, head, outcome);
  result.defect = outcome.defect;
  if (result.read) {
    result.text = out.view();
    result.framing = head.framing;
    result.keep_alive = head.keep_alive;
  }
  return result;
}

TEST(ResponseHead, BecomesOneOfHttp) {
  const Head head = read_head("\0\xC8"s + text("200") + "\0\x05"s + "\xA0\x01"s + text("text/html;charset=UTF-8") +
                              "\xA0\x07"s + text("JSESSIONID=1.tomcat1; Path=/") + text("X-One") + text("") +
                              text("Connection") + text("close") + text("Transfer-Encoding") + text("chunked"));
  EXPECT_TRUE(head.read);
  EXPECT_EQ(head.text,
            "HTTP/1.1 200 \r\nContent-Type: text/html;charset=UTF-8\r\nSet-Cookie: JSESSIONID=1.tomcat1; "
            "Path=/\r\nX-One: \r\n\r\n");
  EXPECT_EQ(head.framing, http::Framing::Chunked);
  EXPECT_TRUE(head.keep_alive);
}

TEST(ResponseHead, FramesTheBody) {
  const std::string length = "\xA0\x03"s + text("12");
  EXPECT_EQ(read_head("\0\xC8"s + text("OK") + "\0\x01"s + length).framing, http::Framing::Length);
  EXPECT_EQ(read_head("\0\xC8"s + text("OK") + "\0\x01"s + length, {.to_head = true}).framing, http::Framing::None);
  EXPECT_EQ(read_head("\x01\x30"s + text("Not Modified") + "\0\x01"s + length).framing, http::Framing::None);
  EXPECT_EQ(read_head("\0\xCC"s + text("No Content") + "\0\0"s).framing, http::Framing::None);
}

TEST(ResponseHead, ThatIsBrokenIsRefused) {
  const struct {
    std::string what;
    std::string data;
    http::Defect defect = http::Defect::BadAjpPacket;
  } broken[] = {
      {"empty", ""},
      {"status 99", "\0\x63"s + text("") + "\0\0"s},
      {"status 600", "\x02\x58"s + text("") + "\0\0"s},
      {"line end in the message", "\0\xC8"s + text("a\r\nX: y") + "\0\0"s},
      {"no count", "\0\xC8"s + text("OK")},
      {"fewer headers than counted", "\0\xC8"s + text("OK") + "\0\x01"s},
      {"more bytes than headers", "\0\xC8"s + text("OK") + "\0\0x"s},
      {"no name", "\0\xC8"s + text("OK") + "\0\x01"s + text("") + text("v")},
      {"a blank in a name", "\0\xC8"s + text("OK") + "\0\x01"s + text("X Y") + text("v")},
      {"a colon in a name", "\0\xC8"s + text("OK") + "\0\x01"s + text("X:Y") + text("v")},
      {"line end in a value", "\0\xC8"s + text("OK") + "\0\x01"s + text("X") + text("v\r\nSet-Cookie: a=b")},
      {"NUL in a value", "\0\xC8"s + text("OK") + "\0\x01"s + text("X") + text("v\0w"s)},
      {"unknown code", "\0\xC8"s + text("OK") + "\0\x01"s + "\xA0\x0C"s + text("v")},
      {"code zero", "\0\xC8"s + text("OK") + "\0\x01"s + "\xA0\0"s + text("v")},
      {"string without its NUL", "\0\xC8\0\x02OKx\0\0"s},
      {"string beyond the packet", "\0\xC8\x01\0OK"s},
      {"no length", "\0\xC8"s + text("OK") + "\0\x01"s + "\xA0\x03"s + text("x"), http::Defect::BadContentLength},
      {"two lengths", "\0\xC8"s + text("OK") + "\0\x02"s + "\xA0\x03"s + text("1") + "\xA0\x03"s + text("2"),
       http::Defect::RepeatedContentLength},
  };
  for (const auto& row : broken) {
    const Head head = read_head(row.data);
    EXPECT_FALSE(head.read) << row.what;
    EXPECT_EQ(head.defect, row.defect) << row.what;
  }
  // Cut anywhere it is none.
  const std::string whole =
      "\0\xC8"s + text("OK") + "\0\x02"s + "\xA0\x01"s + text("text/html") + text("X") + text("y");
  EXPECT_TRUE(read_head(whole).read);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_head(whole.substr(0, size)).read) << size;
  }
}

TEST(ResponseHead, KeepsTheLimits) {
  const std::string head = "\0\xC8"s + text("OK") + "\0\x01"s + text("X") + text(std::string(200, 'v'));
  EXPECT_TRUE(read_head(head).read);
  EXPECT_FALSE(read_head(head, {}, {.line = 100, .header = 100, .head = 1000}).read);
  EXPECT_FALSE(read_head(head, {}, {.line = 300, .header = 300, .head = 200}).read);
}

}  // namespace
}  // namespace ballast::ajp
