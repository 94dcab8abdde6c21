#include "handover/message.h"

#include <gtest/gtest.h>

namespace ballast::handover {
namespace {

TEST(Message, IsReadAsItWasWritten) {
  const Message question{.kind = Kind::OpenSocket,
                         .number = 7,
                         .socket = {.key = "127.0.0.1:0 of web",
                                    .address = "127.0.0.1:0",
                                    .first_speaker = io::ListenOptions::FirstSpeaker::Client,
                                    .file_mode = 0660}};
  const auto read_question = read(write(question));
  ASSERT_TRUE(read_question);
  EXPECT_EQ(read_question->kind, Kind::OpenSocket);
  EXPECT_EQ(read_question->number, 7U);
  EXPECT_EQ(read_question->socket.key, "127.0.0.1:0 of web");
  EXPECT_EQ(read_question->socket.address, "127.0.0.1:0");
  EXPECT_EQ(read_question->socket.first_speaker, io::ListenOptions::FirstSpeaker::Client);
  EXPECT_EQ(read_question->socket.file_mode, 0660U);

  const auto refused = read(write({.kind = Kind::Refused, .number = 7, .code = Code::Denied, .text = "no\xff"}));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, Code::Denied);
  EXPECT_EQ(refused->text, "no\xef\xbf\xbd") << "bytes that are no text are replaced, not fatal";
}

TEST(Message, OfAnotherVersionIsPassedOver) {
  const auto later = read(R"({"kind": "sing", "louder": true, "number": -3, "text": 5, "code": "Odd"})");
  ASSERT_TRUE(later);
  EXPECT_EQ(later->kind, Kind::Unknown);
  EXPECT_EQ(later->number, 0U);
  EXPECT_EQ(later->text, "");
  EXPECT_EQ(later->code, Code::System);
}

TEST(Message, ThatIsNoneIsAnError) {
  for (const char* text : {"", "{", "[]", "null", "{}", R"({"kind": 5})", "\xff\xfe"}) EXPECT_FALSE(read(text)) << text;
}

TEST(Message, KindsHaveTheirNames) {
  for (int i = 0; i <= static_cast<int>(Kind::Event); ++i) {
    const auto kind = static_cast<Kind>(i);
    EXPECT_EQ(read(write({.kind = kind}))->kind, kind) << to_string(kind);
  }
}

}  // namespace
}  // namespace ballast::handover
