#include "io/address.h"

#include <cstring>
#include <new>
#include <string>

#include <gtest/gtest.h>

namespace ballast::io {
namespace {

TEST(SocketAddress, NamesWhatItHolds) {
  struct Row {
    const char* host;
    std::uint16_t port;
    const char* text;
  };
  for (const Row& row : {Row{"10.0.0.1", 80, "10.0.0.1:80"}, Row{"::1", 443, "[::1]:443"},
                         Row{"2001:db8::a", 1, "[2001:db8::a]:1"}, Row{"::ffff:10.1.2.3", 8, "10.1.2.3:8"}}) {
    const auto address = SocketAddress::numeric(row.host, row.port);
    ASSERT_TRUE(address.has_value());
    EXPECT_EQ(address->to_string(), row.text);
    EXPECT_EQ(address->port(), row.port);
    EXPECT_EQ((Peer{.bytes = address->bytes(), .port = row.port}.host()), address->host());
  }
  EXPECT_EQ(SocketAddress::numeric("localhost", 80).error().code(), Code::NotFound);
  EXPECT_EQ(SocketAddress::unix_path("/run/a.sock")->to_string(), "unix:/run/a.sock");
  EXPECT_EQ(SocketAddress::unix_path(std::string(108, 'x')).error().code(), Code::TooLarge);
  EXPECT_EQ(SocketAddress::unix_path(std::string(107, 'x'))->to_string(), "unix:" + std::string(107, 'x'));
}

TEST(SocketAddress, HoldsNothingOfTheMemoryItWasMadeIn) {
  alignas(SocketAddress) unsigned char dirty[sizeof(SocketAddress)];
  std::memset(dirty, 0xee, sizeof dirty);
  auto* address = new (dirty) SocketAddress();
  for (std::size_t i = 0; i < sizeof(sockaddr_un); ++i) {
    EXPECT_EQ(reinterpret_cast<const unsigned char*>(address->get())[i], 0) << "byte " << i;
  }
  address->~SocketAddress();
}

TEST(SocketAddress, APathFromTheKernelNeedNotEndInNul) {
  sockaddr_storage storage{};
  auto& local = reinterpret_cast<sockaddr_un&>(storage);
  local.sun_family = AF_UNIX;
  std::memset(local.sun_path, 'p', sizeof local.sun_path);
  EXPECT_EQ(SocketAddress::from_kernel(storage, sizeof local).to_string(), "unix:" + std::string(108, 'p'));
}

TEST(SocketAddress, IsReadAsItIsWritten) {
  for (const char* text : {"10.0.0.1:80", "[::1]:65535", "[::]:0", "unix:/run/a b.sock"}) {
    const auto address = SocketAddress::read(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  for (const char* text :
       {"", ":", "10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:-1", "10.0.0.1:8x", "app:80"}) {
    EXPECT_FALSE(SocketAddress::read(text)) << text;
  }
}

}  // namespace
}  // namespace ballast::io
