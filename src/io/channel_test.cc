#include "io/channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace ballast::io {
namespace {

constexpr auto soon = std::chrono::milliseconds(20);

struct ChannelTest : testing::Test {
  ChannelTest() {
    auto pair = Channel::make_pair();
    EXPECT_TRUE(pair);
    a = std::move(pair->ours);
    b = Channel(std::move(pair->theirs));
  }
  Channel a;
  Channel b;
};

TEST_F(ChannelTest, MessagesArriveWholeAndInOrder) {
  ASSERT_TRUE(a.send("one"));
  ASSERT_TRUE(a.send(std::string(Channel::message_bytes_max, 'x')));
  EXPECT_EQ(b.receive(soon)->text, "one");
  EXPECT_EQ(b.receive(soon)->text.size(), Channel::message_bytes_max);
  const auto nothing = b.receive();
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->has_value());
  EXPECT_EQ(b.receive(soon).error().code(), Code::TimedOut);
}

TEST_F(ChannelTest, DescriptorsTravelBesideTheirMessage) {
  const auto file = memory_file("test", "what it holds");
  ASSERT_TRUE(file);
  ASSERT_TRUE(a.send("bare"));
  ASSERT_TRUE(a.send("with two", std::vector<int>{file->get(), file->get()}));
  EXPECT_TRUE(b.receive(soon)->descriptors.empty());
  const auto message = b.receive(soon);
  ASSERT_EQ(message->descriptors.size(), 2U);
  EXPECT_NE(message->descriptors[0].get(), file->get());
  EXPECT_EQ(*read_all(message->descriptors[0].get(), 100), "what it holds");
  EXPECT_EQ(*read_all(message->descriptors[1].get(), 100), "what it holds") << "read from its beginning each time";
  EXPECT_EQ(read_all(message->descriptors[1].get(), 5).error().code(), Code::TooLarge);
}

TEST_F(ChannelTest, AnEndThatHasGoneIsToldAfterItsLastMessage) {
  ASSERT_TRUE(a.send("last"));
  a.close();
  EXPECT_EQ(b.receive(soon)->text, "last");
  EXPECT_EQ(b.receive(soon).error().code(), Code::Closed);
  EXPECT_EQ(b.send("to nobody").error().code(), Code::Closed);
}

TEST_F(ChannelTest, WhatIsTooLargeOrNotReadIsAnError) {
  EXPECT_EQ(a.send(std::string(Channel::message_bytes_max + 1, 'x')).error().code(), Code::TooLarge);
  Result<> sent;
  for (int i = 0; sent && i < 1000; ++i) sent = a.send(std::string(Channel::message_bytes_max, 'x'));
  EXPECT_EQ(sent.error().code(), Code::TimedOut);
}

TEST_F(ChannelTest, NothingIsInheritedByAccident) {
  EXPECT_NE(::fcntl(a.fd(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(::fcntl(b.fd(), F_GETFD) & FD_CLOEXEC, 0);
  const auto file = memory_file("test", "");
  ASSERT_TRUE(a.send("one", std::vector<int>{file->get()}));
  EXPECT_NE(::fcntl(b.receive(soon)->descriptors.at(0).get(), F_GETFD) & FD_CLOEXEC, 0);
}

}  // namespace
}  // namespace ballast::io
