#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace ballast {

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "ballast: broken invariant: %s at %s:%d; this is a defect of ballast, please report it\n",
               expression, file, line);
  std::abort();
}

}  // namespace ballast
