// The Range of a request in bytes (RFC 9110 14.1.2, 14.2), worked out for something of a known size.
//
// Pure. What is not a well-formed set of byte ranges, or more than a client needs, is no range: the whole is sent,
// which the RFC allows always.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace ballast::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t size = 0;  // at least 1
  std::uint64_t last() const { return first + size - 1; }
};

struct ByteRanges {
  // What a reader of a document or a player asks for at once is some few; many small ones are the old attack of
  // answering with more than there is (CVE-2011-3192).
  static constexpr std::size_t count_max = 16;

  enum class Answer : std::uint8_t {
    Whole,          // 200
    Part,           // 206, of `count` ranges
    Unsatisfiable,  // 416
  };
  Answer answer = Answer::Whole;
  std::size_t count = 0;
  std::array<ByteRange, count_max> each;  // in the order asked for
};

// Ranges that together are larger than the whole are answered with the whole.
ByteRanges parse_ranges(Bytes value, std::uint64_t size);

}  // namespace ballast::http
