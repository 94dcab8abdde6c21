#include "io/capture.h"

#include <gtest/gtest.h>

#include "io/run_in_loop.h"

namespace ballast::io {
namespace {

using namespace std::chrono_literals;

Command shell(const std::string& text) {
  return {.program = "/bin/sh", .arguments = {"-c", text}};
}

Task<void> run_each(Loop& loop) {
  auto done = co_await run_command(loop, shell("echo out; echo err >&2; exit 3"), {.deadline = loop.after(10s)});
  CO_ASSERT(done.has_value());
  EXPECT_EQ(done->exit.code, 3);
  EXPECT_EQ(done->output, "out\nerr\n");
  EXPECT_FALSE(done->timed_out);

  // More than is wanted, and more than a pipe holds.
  done = co_await run_command(loop, shell("head -c 1000000 /dev/zero; echo end"),
                              {.output_bytes_max = 100, .deadline = loop.after(10s)});
  CO_ASSERT(done.has_value());
  EXPECT_TRUE(done->exit.is_success());
  EXPECT_EQ(done->output.size(), 100U);

  auto missing = co_await run_command(loop, {.program = "/no/such/program"}, {.deadline = loop.after(10s)});
  EXPECT_FALSE(missing.has_value());
}

TEST(Capture, GivesTheExitAndABoundedOutput) {
  auto loop = make_loop();
  run_in(*loop, run_each(*loop));
}

Task<void> run_late(Loop& loop) {
  for (const char* text : {"echo begun; sleep 60", "sleep 60 & exec >/dev/null 2>&1; wait", "sleep 60 & exit 0",
                           "while true; do echo flood; done", "trap '' TERM; exec sleep 60"}) {
    const Instant began = loop.fresh_now();
    const auto late = co_await run_command(loop, shell(text), {.deadline = loop.after(200ms)});
    CO_ASSERT(late.has_value());
    EXPECT_TRUE(late->timed_out) << text;
    EXPECT_LT(loop.fresh_now() - began, 5s) << text;
  }
}

TEST(Capture, KillsWhatIsLate) {
  auto loop = make_loop();
  run_in(*loop, run_late(*loop));
}

}  // namespace
}  // namespace ballast::io
