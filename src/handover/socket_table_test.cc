#include "handover/socket_table.h"

#include <filesystem>

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
  const int fd = (*first)->socket.fd();
  EXPECT_EQ((*table.open(any_port("a"), 2))->socket.fd(), fd);
  EXPECT_NE((*table.open(any_port("b"), 1))->socket.fd(), fd);
  EXPECT_FALSE(table.release(any_port("a"), 1)) << "2 has it too";
  EXPECT_TRUE(table.release(any_port("a"), 2));
  EXPECT_FALSE(table.release(any_port("a"), 2));
  EXPECT_EQ(table.entries().size(), 1U);
}

TEST(SocketTable, WhatADeadProcessHadStaysOpen) {
  SocketTable table;
  const int fd = (*table.open(any_port("a"), 1))->socket.fd();
  table.forget(1);
  EXPECT_EQ((*table.open(any_port("a"), 2))->socket.fd(), fd);
  EXPECT_TRUE(table.release(any_port("a"), 2)) << "the dead one no longer counts";
}

TEST(SocketTable, SocketsOfTheServiceManagerAreTaken) {
  SocketTable table;
  auto given = io::ListeningSocket::bind(*io::SocketAddress::read("127.0.0.1:0"));
  ASSERT_TRUE(given);
  const int fd = given->fd();
  const std::string address = given->address().to_string();
  table.offer(std::move(*given));
  EXPECT_EQ((*table.open({.key = address, .address = address}, 1))->socket.fd(), fd);
}

TEST(SocketTable, AFileHasItsModeAndGoesWithItsSocket) {
  const std::string path = testing::TempDir() + "socket_table_test." + std::to_string(::getpid());
  const io::SocketSpec spec{.key = path, .address = "unix:" + path, .file_mode = 0600};
  SocketTable table;
  const auto opened = table.open(spec, 1);
  ASSERT_TRUE(opened);
  EXPECT_EQ((*opened)->socket.address().to_string(), "unix:" + path);
  struct stat facts{};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);

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
