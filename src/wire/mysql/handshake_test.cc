#include "wire/mysql/handshake.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ballast::mysql {
namespace {

std::string packet(int sequence, const std::string& body) {
  return std::string{static_cast<char>(body.size() & 255), static_cast<char>(body.size() >> 8), '\0',
                     static_cast<char>(sequence)} +
         body;
}

std::string in_words(Bytes bytes, Stage stage) {
  const Packet packet = parse(bytes, stage);
  switch (packet.kind) {
    case Kind::NeedMore:
      return "need more";
    case Kind::Greeting:
      return "greeting of " + std::string(plain_version(packet.server_version));
    case Kind::Error:
      return "error " + std::to_string(packet.code) + " " + std::string(packet.text);
    case Kind::Ok:
      return "ok";
    case Kind::SwitchMethod:
      return "switch";
    case Kind::MoreData:
      return "more data";
    case Kind::Malformed:
      break;
  }
  return "malformed";
}

// As MariaDB 10.11 sent it.
const std::string greeting =
    packet(0, std::string("\n5.5.5-10.11.19-MariaDB\0\x0b\0\0\0-nqwertz\0\xfe\xf7\x2d\2\0\xff\x81\x15", 45));

TEST(MysqlHandshake, Packets) {
  struct Case {
    std::string bytes;
    Stage stage;
    std::string wanted;
  };
  for (const Case& each : std::vector<Case>{
           {greeting, Stage::Greeting, "greeting of 10.11.19-MariaDB"},
           {packet(0, std::string("\n8.0.36\0", 8) + std::string(15, 'x')), Stage::Greeting, "greeting of 8.0.36"},
           {packet(0, "\xff\x69\4Host '10.0.0.1' is blocked"), Stage::Greeting,
            "error 1129 Host '10.0.0.1' is blocked"},
           {packet(0, "\xff\x10\4#08004Too many connections"), Stage::Greeting, "error 1040 Too many connections"},
           {packet(2, "\xff\x15\4#28000Access denied"), Stage::Authentication, "error 1045 Access denied"},
           {packet(2, std::string("\0\0\0\2\0\0\0", 7)), Stage::Authentication, "ok"},
           {packet(2, std::string("\xfemysql_native_password\0", 23)), Stage::Authentication, "switch"},
           {packet(2, "\1\4"), Stage::Authentication, "more data"},
           {"", Stage::Greeting, "need more"},
           {greeting.substr(0, 20), Stage::Greeting, "need more"},
           {packet(1, "\n8.0\0"), Stage::Greeting, "malformed"},
           {packet(0, ""), Stage::Greeting, "malformed"},
           {packet(0, "\11" + std::string(40, 'x')), Stage::Greeting, "malformed"},
           {packet(0, "\n8.0.36-without-an-end"), Stage::Greeting, "malformed"},
           {packet(0, std::string("\n8.0.36\0short", 13)), Stage::Greeting, "malformed"},
           {packet(0, std::string("\n\0", 2) + std::string(40, 'x')), Stage::Greeting, "malformed"},
           {packet(0, "\xff\1"), Stage::Greeting, "malformed"},
           {"SSH-2.0-OpenSSH_9.2\r\n", Stage::Greeting, "malformed"},
           {packet(2, "\7"), Stage::Authentication, "malformed"},
       }) {
    EXPECT_EQ(in_words(each.bytes, each.stage), each.wanted);
    for (std::size_t size = 0; size < each.bytes.size(); ++size) {
      const std::unique_ptr<char[]> copy(new char[size]);
      each.bytes.copy(copy.get(), size);
      const std::string cut = in_words({copy.get(), size}, each.stage);
      EXPECT_TRUE(cut == "need more" || cut == each.wanted) << size << " bytes: " << cut;
    }
  }
}

TEST(MysqlHandshake, ALoginSaysWhoWithoutAPassword) {
  Buffer out;
  write_login(out, 1, "monitor");
  const Bytes bytes = out.view();
  EXPECT_EQ(static_cast<std::size_t>(bytes[0]) + 4, bytes.size());
  EXPECT_EQ(bytes[3], 1);
  EXPECT_EQ(bytes.substr(4 + 32), Bytes("monitor\0\0mysql_native_password\0", 31));
  Buffer quit;
  write_quit(quit);
  EXPECT_EQ(quit.view(), Bytes("\1\0\0\0\1", 5));
}

}  // namespace
}  // namespace ballast::mysql
