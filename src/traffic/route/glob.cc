#include "traffic/route/glob.h"

#include <algorithm>

#include <fmt/format.h>

namespace ballast::traffic {

Result<Glob> Glob::compile(std::string_view pattern, LetterCase letter_case) {
  Glob glob;
  const auto stars = static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '*'));
  glob.last_ = pattern.size() - stars;
  if (glob.last_ > pattern_max) {
    return fail(Code::TooLarge, fmt::format("a pattern of {} bytes: at most {}, or write it as {{ regex: ... }}",
                                            pattern.size(), pattern_max));
  }
  glob.words_ = glob.last_ / 64 + 1;
  glob.steps_.assign(glob.words_, 0);
  glob.stays_.assign(glob.words_, 0);
  std::size_t position = 0;
  // Rows of the bytes named first, so that a `?` reaches them all.
  for (const char c : pattern) {
    if (c == '*' || c == '?') continue;
    glob.row(static_cast<std::uint8_t>(c));
    if (letter_case == LetterCase::Folded) {
      const char small = lower(c);
      glob.row(static_cast<std::uint8_t>(small));
      if (small >= 'a' && small <= 'z') glob.row(static_cast<std::uint8_t>(small - ('a' - 'A')));
    }
  }
  const auto bit_of = [&] { return std::uint64_t{1} << (position % 64); };
  for (const char c : pattern) {
    if (c == '*') {
      glob.stays_[position / 64] |= bit_of();
      continue;
    }
    ++position;
    if (c == '?') {
      for (std::size_t at = position / 64; at < glob.steps_.size(); at += glob.words_) glob.steps_[at] |= bit_of();
      continue;
    }
    glob.row(static_cast<std::uint8_t>(c))[position / 64] |= bit_of();
    if (letter_case == LetterCase::Folded) {
      const char small = lower(c);
      glob.row(static_cast<std::uint8_t>(small))[position / 64] |= bit_of();
      if (small >= 'a' && small <= 'z') {
        glob.row(static_cast<std::uint8_t>(small - ('a' - 'A')))[position / 64] |= bit_of();
      }
    }
  }
  return glob;
}

std::uint64_t* Glob::row(std::uint8_t byte) {
  if (row_[byte] == 0) {
    row_[byte] = static_cast<std::uint16_t>(steps_.size() / words_);
    steps_.resize(steps_.size() + words_, 0);
  }
  return steps_.data() + row_[byte] * words_;
}

bool Glob::matches(Bytes input) const {
  std::array<std::uint64_t, words_max> reached{};
  reached[0] = 1;
  for (const char c : input) {
    const std::uint64_t* steps = steps_.data() + row_[static_cast<std::uint8_t>(c)] * words_;
    std::uint64_t carry = 0;
    std::uint64_t any = 0;
    for (std::size_t word = 0; word < words_; ++word) {
      const std::uint64_t stepped = (reached[word] << 1) | carry;
      carry = reached[word] >> 63;
      reached[word] = (stepped & steps[word]) | (reached[word] & stays_[word]);
      any |= reached[word];
    }
    if (any == 0) return false;
  }
  return (reached[last_ / 64] >> (last_ % 64) & 1) != 0;
}

}  // namespace ballast::traffic
