#include "io/machine.h"

#include <climits>

#include <sys/ioctl.h>
#include <unistd.h>

namespace ballast::io {

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  return ::gethostname(name, HOST_NAME_MAX) == 0 ? std::string(name) : std::string("localhost");
}

std::int64_t process_id() {
  return ::getpid();
}

std::string working_directory() {
  char path[PATH_MAX];
  return ::getcwd(path, sizeof path) != nullptr ? std::string(path) : std::string();
}

int terminal_columns() {
  if (::isatty(STDOUT_FILENO) == 0) return 0;
  winsize size{};
  constexpr int usual = 80;  // of a terminal that does not say
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual;
}

}  // namespace ballast::io
