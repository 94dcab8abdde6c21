// Process: a child process, held by its pidfd, so that a signal never reaches a stranger who got its number later.
//
// Owner: whoever spawned it, on the Loop's thread. wait() tells how it ended and leaves no zombie. One that is
// destroyed before is killed and reaped. The child starts with default signal handling, nothing blocked, and only the
// three standard descriptors and those that are passed to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/types.h>

#include "base/result.h"
#include "io/deadline.h"
#include "io/descriptor.h"
#include "io/identity.h"
#include "io/task.h"

namespace ballast::io {

class Loop;

enum class ProcessGroup : std::uint8_t {
  Ours,  // shares our group, and a terminal's signals with it
  Own,   // leads a group of its own; what is left of that when the leader ends is killed
};

struct ProcessLimit {
  int resource = 0;  // RLIMIT_...
  rlim_t soft = RLIM_INFINITY;
  rlim_t hard = RLIM_INFINITY;
};

struct Command {
  std::string program;                                  // a path, or a name that is looked for in our PATH
  std::vector<std::string> arguments;                   // without the program itself
  std::optional<std::vector<std::string>> environment;  // all of it, "NAME=value"; nullopt: ours
  std::string working_directory;                        // empty: ours
  // Descriptors that stay the caller's; -1 is /dev/null.
  int standard_input = -1;
  int standard_output = -1;
  int standard_error = -1;
  // Further ones, which the child finds as 3, 4, ... in this order.
  std::vector<int> passed;
  ProcessGroup group = ProcessGroup::Own;
  std::vector<ProcessLimit> limits;
  std::optional<Identity> identity;  // as this user; none: as ours
  bool dies_with_us = false;         // killed by the kernel when the thread that started it has gone, however that went
};

// How it ended: by itself with a code, or by a signal (then not 0).
struct Exit {
  int code = 0;
  int signal = 0;
  bool is_success() const { return code == 0 && signal == 0; }
  std::string to_string() const;  // "exit code 3", "killed by signal 9 (Killed)"
};

class Process {
 public:
  // "cannot start /usr/bin/x: No such file or directory"; "cannot start x: change to directory /srv/y: ...".
  static Result<Process> spawn(Loop& loop, const Command& command);
  // A child that was spawned before this program replaced another one in the same process (exec). Its number is still
  // its own, as nobody else has waited for it.
  static Result<Process> take_over(Loop& loop, pid_t id, ProcessGroup group);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process() { abandon(); }

  pid_t id() const { return id_; }
  // Known once wait() has told it.
  const std::optional<Exit>& ended() const { return exit_; }
  // TimedOut and Cancelled leave it running, to be waited for again. One waiter at a time.
  Task<Result<Exit>> wait(Deadline deadline);
  // NotFound when it has ended.
  Result<> signal(int number);
  // To all of its group, which must be its own.
  Result<> signal_group(int number);

 private:
  Process(Descriptor descriptor, pid_t id, ProcessGroup group)
      : descriptor_(std::move(descriptor)), id_(id), group_(group) {}
  bool reap();
  void abandon();

  Descriptor descriptor_;
  pid_t id_ = -1;
  ProcessGroup group_ = ProcessGroup::Own;
  std::optional<Exit> exit_;
};

}  // namespace ballast::io
