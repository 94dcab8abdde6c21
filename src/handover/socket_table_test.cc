#include "handover/socket_table.h"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

namespace ballast::handover {
namespace {

io::SocketSpec any_port(std::string key) {
  return {.key = std::move(key), .address = "127.0.0.1:0"};
}

TEST(SocketTable, TheSameKeyIsTheSameSocket) {
  SocketTable table;
  const auto first = table.open(any_port("a"), 1);
  ASSERT_TRUE(first);
  const int fd = (*first)->descriptors().front();
  EXPECT_EQ((*table.open(any_port("a"), 2))->descriptors().front(), fd);
  EXPECT_NE((*table.open(any_port("b"), 1))->descriptors().front(), fd);
  EXPECT_FALSE(table.release(any_port("a"), 1)) << "2 has it too";
  EXPECT_TRUE(table.release(any_port("a"), 2));
  EXPECT_FALSE(table.release(any_port("a"), 2));
  EXPECT_EQ(table.entries().size(), 1U);
}

TEST(SocketTable, WhatADeadProcessHadStaysOpen) {
  SocketTable table;
  const int fd = (*table.open(any_port("a"), 1))->descriptors().front();
  table.forget(1, SocketTable::Heir::NextHolder);
  EXPECT_EQ((*table.open(any_port("a"), 2))->descriptors().front(), fd);
  EXPECT_TRUE(table.release(any_port("a"), 2)) << "the dead one no longer counts";
}

TEST(SocketTable, WhoDrainsDoesNotTakeAwayWhatADeadProcessHad) {
  SocketTable table;
  const int fd = (*table.open(any_port("a"), 1))->descriptors().front();
  ASSERT_TRUE(table.open(any_port("a"), 2));
  table.forget(2, SocketTable::Heir::NextHolder);  // it had followed 1, which drains
  EXPECT_FALSE(table.release(any_port("a"), 1)) << "the one in its place has not asked yet";
  EXPECT_EQ((*table.open(any_port("a"), 3))->descriptors().front(), fd);
  EXPECT_TRUE(table.release(any_port("a"), 3));

  ASSERT_TRUE(table.open(any_port("b"), 1));
  ASSERT_TRUE(table.open(any_port("b"), 2));
  table.forget(1, SocketTable::Heir::None);  // it drained
  EXPECT_TRUE(table.release(any_port("b"), 2));
}

TEST(SocketTable, SocketsOfTheServiceManagerAreTaken) {
  SocketTable table;
  auto given = io::ListeningSocket::bind(*io::SocketAddress::read("127.0.0.1:0"));
  ASSERT_TRUE(given);
  const std::string address = given->address().to_string();
  ASSERT_TRUE(table.offer(io::OwnedFd(::dup(given->fd()))));
  given = fail(Code::Closed);
  // Another program could not have bound it: it is the one that was given.
  ASSERT_TRUE(table.open({.key = address, .address = address}, 1));
  SocketTable other;
  EXPECT_FALSE(other.open({.key = address, .address = address}, 1));
  EXPECT_FALSE(table.offer(io::OwnedFd(::open("/dev/null", O_RDONLY | O_CLOEXEC))));
}

TEST(SocketTable, SocketsForDatagramsAreOneEntry) {
  SocketTable table;
  const io::SocketSpec spec{.key = "dns", .address = "127.0.0.1:0", .datagram_sockets = 3};
  const auto opened = table.open(spec, 1);
  ASSERT_TRUE(opened);
  EXPECT_EQ((*opened)->descriptors().size(), 3U);
  const std::string address = (*opened)->address().to_string();
  EXPECT_EQ((*table.open(spec, 2))->descriptors(), (*opened)->descriptors());
  // As a service manager holds them when we have gone.
  SocketTable next;
  for (const int fd : (*opened)->descriptors()) ASSERT_TRUE(next.offer(io::OwnedFd(::dup(fd))));
  table.close();
  const auto again = next.open({.key = "dns", .address = address, .datagram_sockets = 2}, 1);
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->descriptors().size(), 3U) << "all that are bound, or their share of the datagrams is lost";
}

TEST(SocketTable, AFileHasItsModeAndGoesWithItsSocket) {
  const std::string path = testing::TempDir() + "socket_table_test." + std::to_string(::getpid());
  const io::SocketSpec spec{.key = path, .address = "unix:" + path, .file_mode = 0600};
  SocketTable table;
  const auto opened = table.open(spec, 1);
  ASSERT_TRUE(opened);
  EXPECT_EQ((*opened)->address().to_string(), "unix:" + path);
  struct stat facts{};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);

  // One that died in between has left its file under the other name.
  const std::string left = path + ".left";
  const io::SocketSpec again{.key = left, .address = "unix:" + left, .file_mode = 0600};
  std::ofstream(left + io::OwnSockets::fresh_suffix) << "";
  EXPECT_TRUE(table.open(again, 1));
  EXPECT_FALSE(std::filesystem::exists(left + io::OwnSockets::fresh_suffix));
  EXPECT_TRUE(table.release(again, 1));

  SocketTable other;
  const auto refused = other.open(spec, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::InUse);
  EXPECT_THAT(refused.error().text(), testing::HasSubstr("another program answers there"));

  EXPECT_TRUE(table.release(spec, 1));
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace ballast::handover
