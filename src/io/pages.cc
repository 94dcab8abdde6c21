#include "io/pages.h"

#include <cstdlib>

#include <sys/mman.h>
#include <unistd.h>

namespace ballast::io {
namespace {

std::size_t whole_pages(std::size_t size) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

}  // namespace

void* take_pages(std::size_t size) {
  return std::aligned_alloc(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), whole_pages(size));
}

void forget_pages(void* pages, std::size_t size) {
  // It can only fail for memory that is locked, or is none.
  [[maybe_unused]] const int failed = ::madvise(pages, whole_pages(size), MADV_DONTNEED);
}

}  // namespace ballast::io
