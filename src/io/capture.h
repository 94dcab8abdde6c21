// run_command: a program run to its end, with what it printed, both in time and in bounds.
//
// What it writes to standard output and standard error is read together; beyond `output_bytes_max` it is thrown away,
// so that the program is never held up by it. At the deadline its whole process group is killed. Nothing is left
// behind: it has been waited for when this returns, however it ended. Of the Loop's thread.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "io/deadline.h"
#include "io/process.h"
#include "io/task.h"

namespace ballast::io {

class Loop;

struct Captured {
  Exit exit;
  std::string output;
  bool timed_out = false;  // then it was killed
};

struct CaptureLimits {
  std::size_t output_bytes_max = 4096;
  Deadline deadline = Deadline::never();
};

// The Error says why it could not be started, or Cancelled. `command.standard_output` and `_error` are replaced.
Task<Result<Captured>> run_command(Loop& loop, Command command, CaptureLimits limits);

}  // namespace ballast::io
