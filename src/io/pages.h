// Whole pages of memory, so that what they hold can be given back to the kernel while they stay allocated. Any thread.
#pragma once

#include <cstddef>

namespace ballast::io {

// At least `size` bytes in pages of their own, to be freed with std::free(); nullptr: there is no memory.
void* take_pages(std::size_t size);
// What take_pages(size) gave reads as zeros from now on, and costs nothing until it is written to.
void forget_pages(void* pages, std::size_t size);

}  // namespace ballast::io
