#include "io/system.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <memory>

#include <dirent.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/file.h"

namespace ballast::io {

WallTime now_wall() {
  return std::chrono::system_clock::now();
}

std::size_t open_descriptor_count() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  std::size_t count = 0;
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.') ++count;
  }
  ::closedir(folder);
  return count - 1;  // but the one that read the folder
}

std::uint64_t descriptor_limit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

Result<std::uint64_t> raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return fail(Error::from_errno(errno, "read the limit of descriptors"));
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return fail(Error::from_errno(errno, "raise the limit of descriptors"));
  }
  return limit.rlim_cur;
}

std::uint64_t resident_memory_bytes() {
  // "size resident shared ..." in pages: proc(5).
  const Result<std::string> text = read_file("/proc/self/statm", 4096);
  if (!text) return 0;
  const std::size_t space = text->find(' ');
  if (space == std::string::npos) return 0;
  std::uint64_t pages = 0;
  std::from_chars(text->data() + space + 1, text->data() + text->size(), pages);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

unsigned cpu_count() {
  // Machines with more processors than the set holds refuse it with EINVAL: then a larger one is tried.
  constexpr int cpus_max = 1 << 16;
  for (int cpus = CPU_SETSIZE; cpus <= cpus_max; cpus *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(cpus),
                                                               [](cpu_set_t* held) { CPU_FREE(held); });
    const std::size_t size = CPU_ALLOC_SIZE(cpus);
    if (sched_getaffinity(0, size, set.get()) == 0) {
      const int count = CPU_COUNT_S(size, set.get());
      return count > 0 ? static_cast<unsigned>(count) : 1;
    }
    if (errno != EINVAL) break;
  }
  return 1;
}

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

std::vector<std::string> environment_without(std::initializer_list<std::string_view> names) {
  std::vector<std::string> kept;
  for (char** each = ::environ; *each != nullptr; ++each) {
    const std::string_view line(*each);
    const std::string_view name = line.substr(0, line.find('='));
    if (std::find(names.begin(), names.end(), name) == names.end()) kept.emplace_back(line);
  }
  return kept;
}

}  // namespace ballast::io
