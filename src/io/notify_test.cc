#include "io/notify.h"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "io/system.h"

namespace ballast::io {
namespace {

// The manager's socket; `name` starts with '@' for an abstract one.
class Manager {
 public:
  explicit Manager(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const std::size_t size = offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '@' ? 0 : 1);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)), 0);
  }
  ~Manager() { ::close(fd_); }
  int fd() const { return fd_; }
  std::string heard() const {
    char bytes[2000];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    return got < 0 ? "nothing" : std::string(bytes, static_cast<std::size_t>(got));
  }

 private:
  int fd_;
};

// A message and the descriptor beside it; -1: none.
std::pair<std::string, int> heard_with_descriptor(int fd) {
  char bytes[500];
  iovec part{.iov_base = bytes, .iov_len = sizeof bytes};
  alignas(cmsghdr) char beside[CMSG_SPACE(sizeof(int))];
  msghdr whole{};
  whole.msg_iov = &part;
  whole.msg_iovlen = 1;
  whole.msg_control = beside;
  whole.msg_controllen = sizeof beside;
  const ssize_t got = ::recvmsg(fd, &whole, MSG_CMSG_CLOEXEC);
  int descriptor = -1;
  if (const cmsghdr* head = got < 0 ? nullptr : CMSG_FIRSTHDR(&whole); head != nullptr) {
    std::memcpy(&descriptor, CMSG_DATA(head), sizeof descriptor);
  }
  return {got < 0 ? "nothing" : std::string(bytes, static_cast<std::size_t>(got)), descriptor};
}

TEST(Notifier, DescriptorsAreKeptForUs) {
  const std::string path = testing::TempDir() + "notify_keep_test." + std::to_string(::getpid());
  const Manager manager(path);
  const Notifier notifier(path);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ASSERT_TRUE(notifier.keep("web", ends[1]).has_value());
  const auto [text, descriptor] = heard_with_descriptor(manager.fd());
  EXPECT_EQ(text, "FDSTORE=1\nFDNAME=web");
  ASSERT_GE(descriptor, 0);
  EXPECT_EQ(::write(descriptor, "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 1) << "it is the same pipe";
  ASSERT_TRUE(notifier.keep_no_longer("web").has_value());
  EXPECT_EQ(heard_with_descriptor(manager.fd()), std::pair(std::string("FDSTOREREMOVE=1\nFDNAME=web"), -1));
  for (const int fd : {ends[0], ends[1], descriptor}) ::close(fd);
  ::unlink(path.c_str());
}

TEST(Notifier, TellsBothKindsOfSockets) {
  const std::size_t descriptors = open_descriptor_count();
  const std::string path = testing::TempDir() + "notify_test." + std::to_string(::getpid());
  for (const std::string& name : {path, "@ballast-notify-test-" + std::to_string(::getpid())}) {
    const Manager manager(name);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    const Notifier notifier = Notifier::from_environment();
    EXPECT_TRUE(notifier.is_heard());
    ASSERT_TRUE(notifier.ready().has_value()) << notifier.ready().error().text();
    EXPECT_EQ(manager.heard(), "READY=1");
    ASSERT_TRUE(notifier.stopping().has_value());
    EXPECT_EQ(manager.heard(), "STOPPING=1");
    ASSERT_TRUE(notifier.status("3 listeners\nserving").has_value());
    EXPECT_EQ(manager.heard(), "STATUS=3 listeners serving");
    ASSERT_TRUE(notifier.status(std::string(3000, 'x')).has_value());
    EXPECT_EQ(manager.heard(), "STATUS=" + std::string(500, 'x'));
    ASSERT_TRUE(notifier.main_process(42).has_value());
    EXPECT_EQ(manager.heard(), "MAINPID=42");

    ASSERT_TRUE(notifier.reloading().has_value());
    const std::string reloading = manager.heard();
    const std::string prefix = "RELOADING=1\nMONOTONIC_USEC=";
    ASSERT_EQ(reloading.substr(0, prefix.size()), prefix);
    std::int64_t us = 0;
    std::from_chars(reloading.data() + prefix.size(), reloading.data() + reloading.size(), us);
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    EXPECT_NEAR(static_cast<double>(us) / 1e6, static_cast<double>(now.tv_sec), 5.0);
    EXPECT_EQ(manager.heard(), "nothing");
  }
  ::unlink(path.c_str());
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_EQ(open_descriptor_count(), descriptors);
}

TEST(Notifier, WithoutASocketItDoesNothing) {
  ::unsetenv("NOTIFY_SOCKET");
  const Notifier notifier = Notifier::from_environment();
  EXPECT_FALSE(notifier.is_heard());
  EXPECT_TRUE(notifier.ready().has_value());
  EXPECT_TRUE(notifier.reloading().has_value());
}

TEST(Notifier, SaysWhomItCouldNotTell) {
  EXPECT_EQ(Notifier("/nowhere/notify").ready().error().text(),
            "tell the service manager at $NOTIFY_SOCKET /nowhere/notify: No such file or directory");
  EXPECT_EQ(Notifier("vsock:2:1234").ready().error().code(), Code::Unsupported);
  EXPECT_EQ(Notifier("/" + std::string(200, 'x')).ready().error().code(), Code::TooLarge);
}

}  // namespace
}  // namespace ballast::io
