#include "io/sandbox.h"

#include <cerrno>
#include <fstream>
#include <string>

#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace ballast::io {
namespace {

std::string status_of_process(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return line.substr(line.find_first_not_of(" \t", name.size() + 1));
  }
  return {};
}

// In a child, since it is for good. Tells the first thing that is not as it should be.
[[noreturn]] void enter_and_look(const Sandbox& sandbox, unsigned long long capabilities_allowed) {
  const auto end = [](int code) { ::_exit(code); };
  if (!enter(sandbox).empty()) end(1);
  if (status_of_process("NoNewPrivs") != "1") end(2);
  if (status_of_process("Seccomp") != "2") end(3);
  const unsigned long long effective = std::stoull(status_of_process("CapEff"), nullptr, 16);
  if ((effective & ~capabilities_allowed) != 0) end(4);
  if (::unshare(CLONE_NEWNS) == 0 || errno != EPERM) end(5);
  if (::syscall(SYS_bpf, 0, nullptr, 0) == 0 || errno != EPERM) end(6);
  // What it is there for still goes.
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) end(7);
  if (::fork() == 0) ::execlp("true", "true", static_cast<char*>(nullptr));
  end(0);
  __builtin_unreachable();
}

constexpr unsigned long long bit(unsigned capability) {
  return 1ULL << capability;
}
// CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID
constexpr unsigned long long files = bit(0) | bit(1) | bit(2) | bit(3) | bit(4);
constexpr unsigned network_admin = 12;

TEST(SandboxTest, WhatIsGivenUpIsGone) {
  EXPECT_EXIT(enter_and_look({}, files), testing::ExitedWithCode(0), "");
}

TEST(SandboxTest, TransparentConnectionsKeepWhatTheyNeed) {
  EXPECT_EXIT(enter_and_look({.transparent = Sandbox::Transparent::Yes}, files | bit(network_admin)),
              testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace ballast::io
