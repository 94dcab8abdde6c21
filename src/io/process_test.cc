#include "io/process.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "io/run_in_loop.h"
#include "io/system.h"
#include "io/thread.h"

namespace ballast::io {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0); }
  ~Pipe() {
    ::close(ends_[0]);
    close_write();
  }
  int write_end() const { return ends_[1]; }
  int read_end() const { return ends_[0]; }
  // Everything until the last writer has gone.
  std::string all() {
    close_write();
    std::string text;
    char part[4096];
    for (ssize_t got = 0; (got = ::read(ends_[0], part, sizeof part)) > 0;)
      text.append(part, static_cast<std::size_t>(got));
    return text;
  }
  // One line, from a child that goes on.
  std::string line() const {
    std::string text;
    for (char byte = 0; ::read(ends_[0], &byte, 1) == 1 && byte != '\n';) text += byte;
    return text;
  }

 private:
  void close_write() {
    if (ends_[1] >= 0) ::close(std::exchange(ends_[1], -1));
  }
  int ends_[2] = {-1, -1};
};

Command shell(std::string script) {
  Command command;
  command.program = "/bin/sh";
  command.arguments = {"-c", std::move(script)};
  return command;
}

bool has_children() {
  return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD;
}

class ProcessTest : public testing::Test {
 protected:
  void run(Task<void> (*task)(Loop&)) { run_in(*loop_, task(*loop_)); }
  ~ProcessTest() override {
    loop_.reset();
    EXPECT_EQ(open_descriptor_count(), descriptors_) << "leaked";
    EXPECT_FALSE(has_children()) << "a zombie or an orphan is left";
  }
  std::size_t descriptors_ = open_descriptor_count();
  std::unique_ptr<Loop> loop_ = make_loop();
};

Task<std::string> end_of(Loop& loop, Command command) {
  Result<Process> process = Process::spawn(loop, command);
  if (!process) co_return process.error().text();
  Result<Exit> end = co_await process->wait(loop.after(10s));
  co_return end ? end->to_string() : end.error().text();
}

TEST_F(ProcessTest, TellsHowItEnded) {
  run([](Loop& loop) -> Task<void> {
    EXPECT_EQ(co_await end_of(loop, shell("exit 0")), "exit code 0");
    EXPECT_EQ(co_await end_of(loop, shell("exit 3")), "exit code 3");
    EXPECT_EQ(co_await end_of(loop, shell("kill -9 $$")), "killed by signal 9 (Killed)");
    EXPECT_EQ(co_await end_of(loop, shell("sleep 0.05; exit 4")), "exit code 4");
    EXPECT_TRUE(Exit{}.is_success());
    EXPECT_FALSE((Exit{.code = 0, .signal = 9}.is_success()));
  });
}

TEST_F(ProcessTest, PassesDescriptorsInTheirOrder) {
  run([](Loop& loop) -> Task<void> {
    Pipe first;
    Pipe second;
    Pipe third;
    Command command =
        shell("echo three >&3; echo four >&4; echo five >&5; { true >&6; } 2>/dev/null && exit 1; exit 0");
    command.passed = {third.write_end(), first.write_end(), second.write_end()};
    EXPECT_EQ(co_await end_of(loop, command), "exit code 0");
    EXPECT_EQ(third.all(), "three\n");
    EXPECT_EQ(first.all(), "four\n");
    EXPECT_EQ(second.all(), "five\n");
  });
}

TEST_F(ProcessTest, TakesOverAChild) {
  run([](Loop& loop) -> Task<void> {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(7);
    Result<Process> process = Process::take_over(loop, child, ProcessGroup::Ours);
    EXPECT_TRUE(process);
    const Result<Exit> end = co_await process->wait(loop.after(10s));
    EXPECT_EQ(end->to_string(), "exit code 7");
    EXPECT_THAT(Process::take_over(loop, child, ProcessGroup::Ours).error().text(), StartsWith("take over process "));
  });
}

TEST_F(ProcessTest, BecomesAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may";
  run([](Loop& loop) -> Task<void> {
    Pipe out;
    // The shell goes when we go, which a change of user would have taken back.
    Command command = shell("id -u; id -g; id -G");
    command.standard_output = out.write_end();
    command.identity = Identity{.user = 65534, .group = 65533, .groups = {65533, 65532}};
    command.dies_with_us = true;
    EXPECT_EQ(co_await end_of(loop, command), "exit code 0");
    EXPECT_EQ(out.all(), "65534\n65533\n65533 65532\n");
  });
}

TEST_F(ProcessTest, SaysWhyItCannotStart) {
  run([](Loop& loop) -> Task<void> {
    EXPECT_EQ(co_await end_of(loop, {.program = "/nowhere/program"}),
              "cannot start /nowhere/program: No such file or directory");
    EXPECT_EQ(co_await end_of(loop, {.program = "no-such-program-in-path"}),
              "cannot start no-such-program-in-path: No such file or directory");
    EXPECT_EQ(co_await end_of(loop, {.program = "/etc/passwd"}), "cannot start /etc/passwd: Permission denied");
    Command elsewhere = shell("exit 0");
    elsewhere.working_directory = "/nowhere";
    EXPECT_EQ(co_await end_of(loop, elsewhere),
              "cannot start /bin/sh: change to directory /nowhere: No such file or directory");
    Command limited = shell("exit 0");
    limited.limits = {{.resource = RLIMIT_NOFILE, .soft = 20, .hard = 10}};
    EXPECT_EQ(co_await end_of(loop, limited), "cannot start /bin/sh: set its resource limits: Invalid argument");
    Command closed = shell("exit 0");
    closed.standard_output = 999;
    EXPECT_EQ(co_await end_of(loop, closed),
              "cannot start /bin/sh: arrange its standard descriptors: Bad file descriptor");
    const Result<Process> none = Process::spawn(loop, {.program = "/nowhere/program"});
    EXPECT_EQ(none.error().code(), Code::NotFound);
  });
}

TEST_F(ProcessTest, GetsWhatTheCommandSays) {
  run([](Loop& loop) -> Task<void> {
    Pipe in;
    Pipe out;
    Pipe err;
    Command command;
    command.program = "sh";  // by PATH
    command.arguments = {"-c", "read line; echo \"$line|$1|$NAME|$PWD|$HOME|$(ulimit -n)\"; echo problem >&2", "sh",
                         "a b"};
    command.environment = {"NAME=value", "PATH=/bin:/usr/bin"};
    command.working_directory = "/tmp";
    command.standard_input = in.read_end();
    command.standard_output = out.write_end();
    command.standard_error = err.write_end();
    command.limits = {{.resource = RLIMIT_NOFILE, .soft = 77, .hard = 77}};
    EXPECT_EQ(::write(in.write_end(), "hello\n", 6), 6);
    EXPECT_EQ(co_await end_of(loop, command), "exit code 0");
    EXPECT_EQ(out.all(), "hello|a b|value|/tmp||77\n");
    EXPECT_EQ(err.all(), "problem\n");
  });
}

TEST_F(ProcessTest, InheritsOurEnvironmentWhereNoneIsGiven) {
  run([](Loop& loop) -> Task<void> {
    ::setenv("BALLAST_PROCESS_TEST", "ours", 1);
    Pipe out;
    Command command = shell("echo $BALLAST_PROCESS_TEST");
    command.standard_output = out.write_end();
    EXPECT_EQ(co_await end_of(loop, command), "exit code 0");
    EXPECT_EQ(out.all(), "ours\n");
    ::unsetenv("BALLAST_PROCESS_TEST");
  });
}

TEST_F(ProcessTest, StandardDescriptorsMayBeGivenCrossed) {
  run([](Loop& loop) -> Task<void> {
    // Our own 0, 1 and 2 in other places: each must be moved before it is overwritten.
    Pipe out;
    const int before = ::dup(0);
    EXPECT_EQ(::dup2(out.write_end(), 0), 0);
    Command command = shell("echo to-out; echo to-err >&2");
    command.standard_input = 1;
    command.standard_output = 0;
    command.standard_error = 0;
    const std::string end = co_await end_of(loop, command);
    ::dup2(before, 0);
    ::close(before);
    EXPECT_EQ(end, "exit code 0");
    EXPECT_EQ(out.all(), "to-out\nto-err\n");
  });
}

// As a daemon is that somebody started with these closed: the next descriptors opened, those of the pipe through which
// the child says that it cannot start, are 0 and 2 then.
Task<void> without_an_input(Loop& loop, Pipe& out) {
  EXPECT_EQ(co_await end_of(loop, {.program = "/nowhere/program"}),
            "cannot start /nowhere/program: No such file or directory");
  Command command = shell("cat; echo to-out; echo to-err >&2");
  command.standard_output = out.write_end();
  command.standard_error = out.write_end();
  EXPECT_EQ(co_await end_of(loop, command), "exit code 0");
}
TEST_F(ProcessTest, StartsWhereOurStandardDescriptorsAreClosed) {
  Pipe out;
  const int input = ::dup(0);
  const int error = ::dup(2);
  ::close(0);
  ::close(2);
  run_in(*loop_, without_an_input(*loop_, out));
  EXPECT_EQ(::dup2(input, 0), 0);
  EXPECT_EQ(::dup2(error, 2), 2);
  ::close(input);
  ::close(error);
  EXPECT_EQ(out.all(), "to-out\nto-err\n");
}

TEST_F(ProcessTest, StartsWithNoOtherDescriptorAndDefaultSignals) {
  run([](Loop& loop) -> Task<void> {
    const int leaky = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t usr1;
    sigset_t before;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, &before);
    Pipe out;
    Command command;
    command.program = "/bin/sh";
    command.arguments = {"-c", "ls /proc/self/fd | wc -l; grep -E '^Sig(Blk|Ign)' /proc/self/status"};
    command.standard_output = out.write_end();
    EXPECT_EQ(co_await end_of(loop, command), "exit code 0");
    // 0, 1, 2 and the folder that ls reads.
    EXPECT_EQ(out.all(), "4\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, &before, &now);
    EXPECT_EQ(sigismember(&now, SIGUSR1), 1) << "our own mask came back";
    EXPECT_EQ(sigismember(&now, SIGTERM), 0);
    ::signal(SIGPIPE, SIG_DFL);
    ::close(leaky);
  });
}

TEST_F(ProcessTest, TakesSignals) {
  run([](Loop& loop) -> Task<void> {
    Pipe out;
    Command command = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done");
    command.standard_output = out.write_end();
    Result<Process> process = Process::spawn(loop, command);
    CO_ASSERT(process.has_value());
    EXPECT_EQ(out.line(), "ready");
    const Result<Exit> early = co_await process->wait(loop.after(5ms));
    CO_ASSERT(!early.has_value());
    EXPECT_EQ(early.error().code(), Code::TimedOut);
    EXPECT_EQ(early.error().text(),
              "wait for process " + std::to_string(process->id()) + ": it still runs at the deadline");
    EXPECT_TRUE(process->signal(SIGTERM).has_value());
    const Result<Exit> end = co_await process->wait(loop.after(10s));
    CO_ASSERT(end.has_value());
    EXPECT_EQ(end->code, 7);
    EXPECT_EQ(process->ended()->code, 7);
    EXPECT_EQ((co_await process->wait(loop.after(10s)))->code, 7);
    EXPECT_EQ(process->signal(SIGTERM).error().code(), Code::NotFound);
    EXPECT_EQ(process->signal(SIGTERM).error().text(),
              "send signal 15 to process " + std::to_string(process->id()) + ": it has ended (exit code 7)");
    EXPECT_EQ(process->signal_group(SIGTERM).error().code(), Code::NotFound);
  });
}

Task<void> wait_into(Loop& loop, Process& process, Code& code) {
  const Result<Exit> end = co_await process.wait(loop.after(10s));
  if (!end) code = end.error().code();
}
TEST_F(ProcessTest, AWaitMayBeCancelledAndBegunAgain) {
  run([](Loop& loop) -> Task<void> {
    Result<Process> process = Process::spawn(loop, shell("sleep 100"));
    CO_ASSERT(process.has_value());
    Scope scope(loop);
    Code code = Code::Invalid;
    scope.spawn(wait_into(loop, *process, code));
    scope.cancel();
    EXPECT_TRUE(co_await scope.closed(loop.after(5s)));
    EXPECT_EQ(code, Code::Cancelled);
    EXPECT_TRUE(process->signal_group(SIGKILL).has_value());
    EXPECT_EQ((co_await process->wait(loop.after(10s)))->signal, SIGKILL);
  });
}

TEST_F(ProcessTest, WhatIsLeftOfItsGroupEndsWithTheLeader) {
  run([](Loop& loop) -> Task<void> {
    Pipe out;
    Command command = shell("sleep 1000 & echo started; exit 5");
    command.standard_output = out.write_end();
    EXPECT_EQ(co_await end_of(loop, command), "exit code 5");
    EXPECT_EQ(out.all(), "started\n");  // returns only when the sleep, which holds the pipe, is gone
  });
}

TEST_F(ProcessTest, OneThatIsDestroyedIsKilledAndReaped) {
  Pipe out;
  {
    Command command = shell("trap '' TERM; echo ready; sleep 1000");
    command.standard_output = out.write_end();
    Result<Process> process = Process::spawn(*loop_, command);
    ASSERT_TRUE(process.has_value());
    EXPECT_EQ(out.line(), "ready");
    Result<Process> other = Process::spawn(*loop_, shell("sleep 1000"));
    ASSERT_TRUE(other.has_value());
    *process = std::move(*other);  // the first one ends here
    EXPECT_EQ(out.all(), "");
    EXPECT_TRUE(process->signal(0).has_value());
  }
  EXPECT_FALSE(has_children());
}

// Threads that open descriptors all the time must not see theirs held open by a child.
TEST_F(ProcessTest, ManyAtOnceFromSeveralThreads) {
  std::atomic<int> ended = 0;
  {
    std::vector<Thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back("spawner", [&] {
        const auto loop = make_loop();
        struct Many {
          static Task<void> spawn(Loop& on, std::atomic<int>& count) {
            for (int n = 0; n < 20; ++n) {
              if (co_await end_of(on, {.program = "/bin/true"}) == "exit code 0") ++count;
            }
          }
        };
        run_in(*loop, Many::spawn(*loop, ended));
      });
    }
  }
  EXPECT_EQ(ended, 60);
}

}  // namespace
}  // namespace ballast::io
