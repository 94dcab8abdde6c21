#include "io/datagrams.h"

#include <algorithm>
#include <string>

#include <poll.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace ballast::io {
namespace {

SocketAddress local(std::uint16_t port = 0, const char* host = "127.0.0.1") {
  return *SocketAddress::numeric(host, port);
}

bool readable(int fd) {
  pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, 5000) == 1;
}

bool readable_now(int fd) {
  pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&one, 1, 0) == 1;
}

DatagramsMoved send_texts(const ConnectedDatagrams& socket, const std::vector<std::string>& texts) {
  std::vector<Datagram> out;
  for (const std::string& text : texts) out.push_back({.bytes = text, .from = {}});
  return DatagramBatch::send(socket.fd(), out);
}

TEST(DatagramsTest, EverySizePassesWhole) {
  auto bound = BoundDatagrams::bind(local(), 1);
  ASSERT_TRUE(bound.has_value());
  EXPECT_EQ(bound->near_address(), NearAddress::Fixed);
  auto client = ConnectedDatagrams::connect(bound->address());
  ASSERT_TRUE(client.has_value());
  const std::string largest(65507, 'x');
  EXPECT_EQ(send_texts(*client, {"", "a", largest}).count, 3U);
  DatagramBatch batch;
  std::vector<std::size_t> sizes;
  while (sizes.size() < 3 && readable(bound->fd(0))) {
    ASSERT_EQ(batch.receive(bound->fd(0)).state, DatagramState::Done);
    for (const Datagram& each : batch.datagrams()) sizes.push_back(each.bytes.size());
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{0, 1, 65507}));
  EXPECT_EQ(batch.receive(bound->fd(0)).state, DatagramState::WouldBlock);
  // One byte more is no datagram; those around it are not touched by it.
  const std::string too_large(65508, 'x');
  const DatagramsMoved put = send_texts(*client, {"before", too_large, "after"});
  EXPECT_EQ(put.state, DatagramState::TooLarge);
  EXPECT_EQ(put.count, 1U);
}

TEST(DatagramsTest, AnAddressIsNotSharedWithAnother) {
  auto first = BoundDatagrams::bind(local(), 2);
  ASSERT_TRUE(first.has_value());
  const auto second = BoundDatagrams::bind(first->address(), 2);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code(), Code::InUse);
  EXPECT_NE(second.error().text().find("another program has it: ss -lunp"), std::string::npos);
}

TEST(DatagramsTest, SocketsOfAnotherProcessGoOn) {
  auto first = BoundDatagrams::bind(local(), 2);
  ASSERT_TRUE(first.has_value());
  EXPECT_FALSE(first->was_taken_over());
  auto client = ConnectedDatagrams::connect(first->address());
  ASSERT_TRUE(client.has_value());
  EXPECT_EQ(send_texts(*client, {"waits"}).count, 1U);
  std::vector<OwnedFd> handed;
  for (int i = 0; i < first->count(); ++i) handed.emplace_back(::dup(first->fd(i)));
  auto next = BoundDatagrams::take_over(std::move(handed));
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->address(), first->address());
  EXPECT_EQ(next->count(), 2);
  EXPECT_TRUE(next->was_taken_over());
  first = fail(Code::Closed);
  DatagramBatch batch;
  const int with_it = readable_now(next->fd(0)) ? 0 : 1;
  EXPECT_EQ(batch.receive(next->fd(with_it)).count, 1U) << "what waited in the queue is not lost";

  const auto none = BoundDatagrams::take_over({});
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code(), Code::Invalid);
  EXPECT_FALSE(address_of_datagrams(0).has_value());
}

// Each of many flows stays with the socket that it came to first, and both have some.
TEST(DatagramsTest, AFlowStaysWithItsSocket) {
  auto bound = BoundDatagrams::bind(local(), 2);
  ASSERT_TRUE(bound.has_value());
  DatagramBatch batch;
  std::array<int, 2> flows{};
  for (int flow = 0; flow < 64; ++flow) {
    auto client = ConnectedDatagrams::connect(bound->address());
    ASSERT_TRUE(client.has_value());
    int at = -1;
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(send_texts(*client, {"x"}).count, 1U);
      const int now = batch.receive(bound->fd(0)).state == DatagramState::Done ? 0 : 1;
      if (now == 1) {
        ASSERT_EQ(batch.receive(bound->fd(1)).state, DatagramState::Done);
      }
      if (at >= 0) {
        EXPECT_EQ(now, at);
      }
      at = now;
    }
    ++flows[static_cast<std::size_t>(at)];
  }
  EXPECT_GT(flows[0], 0);
  EXPECT_GT(flows[1], 0);
}

TEST(DatagramsTest, AWildcardAnswersFromTheAddressThatWasAsked) {
  for (const bool both_families : {true, false}) {
    auto bound = BoundDatagrams::bind(both_families ? SocketAddress::any(0) : local(0, "0.0.0.0"), 1);
    ASSERT_TRUE(bound.has_value());
    EXPECT_EQ(bound->near_address(), NearAddress::OfEach);
    for (const char* host : {"127.0.0.1", "127.0.0.77", "::1"}) {
      if (!both_families && *host == ':') continue;
      auto client = ConnectedDatagrams::connect(local(bound->address().port(), host));
      ASSERT_TRUE(client.has_value());
      ASSERT_EQ(send_texts(*client, {"question"}).count, 1U);
      ASSERT_TRUE(readable(bound->fd(0)));
      DatagramBatch batch;
      ASSERT_EQ(batch.receive(bound->fd(0)).count, 1U);
      const Datagram asked = batch.datagrams().front();
      EXPECT_EQ(asked.near, local(0, host).bytes());
      const Datagram answer{.bytes = "answer", .from = {}};
      const DatagramBatch::Far far{.to = asked.from, .near = asked.near, .family = bound->address().family()};
      EXPECT_EQ(DatagramBatch::send_to(bound->fd(0), far, {&answer, 1}).count, 1U);
      // A connected socket takes it only from there.
      ASSERT_TRUE(readable(client->fd())) << host;
      ASSERT_EQ(batch.receive(client->fd()).count, 1U);
      EXPECT_EQ(batch.datagrams().front().bytes, "answer");
    }
  }
}

TEST(DatagramsTest, ARefusalIsTold) {
  SocketAddress gone;
  {
    auto bound = BoundDatagrams::bind(local(), 1);
    ASSERT_TRUE(bound.has_value());
    gone = bound->address();
  }
  auto client = ConnectedDatagrams::connect(gone);
  ASSERT_TRUE(client.has_value());
  EXPECT_EQ(send_texts(*client, {"x"}).state, DatagramState::Done);
  ASSERT_TRUE(readable(client->fd()));
  DatagramBatch batch;
  EXPECT_EQ(batch.receive(client->fd()).state, DatagramState::Refused);
  EXPECT_EQ(batch.receive(client->fd()).state, DatagramState::WouldBlock);
}

TEST(DatagramsTest, WhatTheQueueCannotHoldIsCounted) {
  auto bound = BoundDatagrams::bind(local(), 1);
  ASSERT_TRUE(bound.has_value());
  const int little = 4096;
  setsockopt(bound->fd(0), SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
  auto client = ConnectedDatagrams::connect(bound->address());
  ASSERT_TRUE(client.has_value());
  constexpr std::size_t sent = 640;
  for (std::size_t i = 0; i < sent / 32; ++i) {
    ASSERT_EQ(send_texts(*client, std::vector<std::string>(32, "x")).count, 32U);
  }
  DatagramBatch batch;
  std::size_t got = 0;
  while (batch.receive(bound->fd(0)).state == DatagramState::Done) got += batch.datagrams().size();
  EXPECT_LT(got, sent);
  ASSERT_EQ(send_texts(*client, {"the next tells"}).count, 1U);
  ASSERT_TRUE(readable(bound->fd(0)));
  ASSERT_EQ(batch.receive(bound->fd(0)).count, 1U);
  EXPECT_EQ(batch.overflowed(), sent - got);
}

}  // namespace
}  // namespace ballast::io
