#include "io/notify.h"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

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
  std::string heard() const {
    char bytes[2000];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    return got < 0 ? "nothing" : std::string(bytes, static_cast<std::size_t>(got));
  }

 private:
  int fd_;
};

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
