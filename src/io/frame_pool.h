// Memory for coroutine frames and other small short-lived objects of one thread: freed blocks are kept by size class.
//
// Sizes up to 2 KiB come in classes of 64 bytes; larger ones go to the heap. At most 4,096 free blocks a class are
// kept, so a burst gives its memory back. Under AddressSanitizer every block goes to the heap, so that it sees each use
// after free.
#pragma once

#include <cstddef>

namespace ballast::io {

void* take_frame(std::size_t size);
void give_frame(void* block, std::size_t size) noexcept;

}  // namespace ballast::io
