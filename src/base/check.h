// CHECK: a broken invariant of ours ends the program with text; it is never used for input, peers or the system.
#pragma once

namespace ballast {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace ballast

#define CHECK(expression)                                       \
  do {                                                          \
    if (__builtin_expect(!(expression), 0)) {                   \
      ::ballast::check_failed(#expression, __FILE__, __LINE__); \
    }                                                           \
  } while (false)
