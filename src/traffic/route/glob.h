// Glob: text with `*` (any bytes, none too) and `?` (one byte), matched against the whole of an input.
//
// Matched as a bit-parallel automaton, one pass over the input whatever the pattern: no backtracking that a hostile
// input could drive. Immutable; any thread; matching allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace ballast::traffic {

enum class LetterCase : std::uint8_t { Exact, Folded };  // Folded: ASCII letters compare without case

inline char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

class Glob {
 public:
  // Bytes other than `*`; more is an Error. 16 words of state fit two cache lines.
  static constexpr std::size_t pattern_max = 1024;

  static Result<Glob> compile(std::string_view pattern, LetterCase letter_case);
  bool matches(Bytes input) const;

 private:
  static constexpr std::size_t words_max = pattern_max / 64 + 1;
  Glob() = default;
  std::uint64_t* row(std::uint8_t byte);

  std::size_t words_ = 1;                 // of 64 positions; position p: p bytes of the pattern are matched
  std::size_t last_ = 0;                  // the accepting position
  std::array<std::uint16_t, 256> row_{};  // which row of steps_ a byte uses; row 0: bytes the pattern does not name
  std::vector<std::uint64_t> steps_;      // rows of words_: positions a byte may step into
  std::vector<std::uint64_t> stays_;      // words_: positions with a `*`
};

}  // namespace ballast::traffic
