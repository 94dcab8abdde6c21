// Buffer: owned bytes that grow at the end and are consumed at the front; empty ones own no memory.
//
// One thread at a time. Growth doubles from 512 bytes; the bound on its size is the caller's, said where it is filled.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace ballast {

class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : storage_(std::move(other.storage_)),
        capacity_(std::exchange(other.capacity_, 0)),
        begin_(std::exchange(other.begin_, 0)),
        end_(std::exchange(other.end_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    storage_ = std::move(other.storage_);
    capacity_ = std::exchange(other.capacity_, 0);
    begin_ = std::exchange(other.begin_, 0);
    end_ = std::exchange(other.end_, 0);
    return *this;
  }

  Bytes view() const { return {storage_.get() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  void append(Bytes bytes) {
    if (bytes.empty()) return;
    std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  void append(char byte) {
    *room(1) = byte;
    ++end_;
  }
  // At least `size` writable bytes behind the end; tell how many were written with commit().
  char* room(std::size_t size) {
    if (capacity_ - end_ < size) grow(size);
    return storage_.get() + end_;
  }
  void commit(std::size_t size) {
    CHECK(size <= capacity_ - end_);
    end_ += size;
  }
  void consume(std::size_t size) {
    CHECK(size <= end_ - begin_);
    begin_ += size;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Forgets the bytes, keeps the memory.
  void clear() { begin_ = end_ = 0; }
  // Forgets the bytes and gives the memory back.
  void release() {
    storage_.reset();
    capacity_ = begin_ = end_ = 0;
  }
  std::size_t capacity() const { return capacity_; }

 private:
  void grow(std::size_t size) {
    const std::size_t held = end_ - begin_;
    std::size_t capacity = capacity_ < 512 ? 512 : capacity_;
    while (capacity < held + size) capacity *= 2;
    if (capacity == capacity_) {  // enough once the consumed front is given up
      std::memmove(storage_.get(), storage_.get() + begin_, held);
    } else {
      std::unique_ptr<char[]> larger(new char[capacity]);
      if (held != 0) std::memcpy(larger.get(), storage_.get() + begin_, held);
      storage_ = std::move(larger);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = held;
  }

  std::unique_ptr<char[]> storage_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace ballast
