#include "wire/http2/rest_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/bytes.h"
#include "io/loop.h"
#include "io/pages.h"

namespace ballast::http2 {

void RestMemory::touched() {
  since_ = loop_.now();
  released_ = false;
  if (!is_armed()) loop_.timers().arm(*this, since_ + after_);
}

void RestMemory::expired() {
  if (!owner_.is_at_rest()) return;  // the end of its streams is told anew
  if (loop_.now() < since_ + after_) {
    loop_.timers().arm(*this, since_ + after_);
  } else {
    give_back();
  }
}

void RestMemory::give_back() {
  released_ = true;
  if (frames_.at != nullptr) io::forget_pages(frames_.at, frames_.size);
  if (streams_.at == nullptr) return;
  const Bytes table(static_cast<const char*>(streams_.at), streams_.size);
  if (std::ranges::all_of(table, [](char byte) { return byte == 0; })) io::forget_pages(streams_.at, streams_.size);
}

void RestMemory::forget(const void* at) {
  if (at == frames_.at) frames_ = {};
  if (at == streams_.at) streams_ = {};
}

void* RestMemory::allocate(std::size_t size, void*) {
  return std::malloc(size);
}

void RestMemory::release(void* at, void* self) {
  static_cast<RestMemory*>(self)->forget(at);
  std::free(at);
}

void* RestMemory::allocate_zeros(std::size_t count, std::size_t size, void* self) {
  RestMemory& memory = *static_cast<RestMemory*>(self);
  if (size != 0 && count > std::numeric_limits<std::size_t>::max() / size) return nullptr;
  const std::size_t bytes = count * size;
  if (!memory.watching_ || memory.streams_.at != nullptr || bytes < worth_bytes) return std::calloc(count, size);
  void* at = io::take_pages(bytes);
  if (at == nullptr) return nullptr;
  std::memset(at, 0, bytes);
  memory.streams_ = {at, bytes};
  return at;
}

void* RestMemory::reallocate(void* at, std::size_t size, void* self) {
  RestMemory& memory = *static_cast<RestMemory*>(self);
  if (at == nullptr && memory.watching_ && memory.frames_.at == nullptr && size >= worth_bytes) {
    memory.frames_ = {io::take_pages(size), size};
    return memory.frames_.at;
  }
  void* moved = std::realloc(at, size);
  if (moved != nullptr && at != nullptr) memory.forget(at);
  return moved;
}

}  // namespace ballast::http2
