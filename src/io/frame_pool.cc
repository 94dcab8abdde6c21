#include "io/frame_pool.h"

#include <array>
#include <new>

namespace ballast::io {
namespace {

constexpr std::size_t class_bytes = 64;
constexpr std::size_t class_count = 32;
constexpr std::size_t kept_max = 4096;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool pooled = false;
#else
constexpr bool pooled = true;
#endif
#else
constexpr bool pooled = true;
#endif

struct FreeBlock {
  FreeBlock* next;
};

struct FreeList {
  FreeBlock* first = nullptr;
  std::size_t kept = 0;
};

// Trivial, so that a thread that ends while frames of another are given back has nothing to destroy in the wrong order;
// what a finished thread kept is bounded above, and threads here live as long as the program.
thread_local constinit std::array<FreeList, class_count> free_lists{};

}  // namespace

void* take_frame(std::size_t size) {
  const std::size_t index = (size + class_bytes - 1) / class_bytes - 1;
  if (!pooled || index >= class_count) return ::operator new(size);
  FreeList& list = free_lists[index];
  if (list.first == nullptr) return ::operator new((index + 1) * class_bytes);
  FreeBlock* block = list.first;
  list.first = block->next;
  --list.kept;
  return block;
}

void give_frame(void* memory, std::size_t size) noexcept {
  const std::size_t index = (size + class_bytes - 1) / class_bytes - 1;
  if (!pooled || index >= class_count || free_lists[index].kept >= kept_max) {
    ::operator delete(memory);
    return;
  }
  FreeList& list = free_lists[index];
  list.first = new (memory) FreeBlock{list.first};
  ++list.kept;
}

}  // namespace ballast::io
