// For the parsers' tests: what a head cut at any place must come to, given the outcome of the whole.
#pragma once

#include <memory>
#include <string>

#include "wire/http/parse.h"

namespace ballast::http {

inline std::string printable(Bytes bytes) {
  std::string text;
  for (const char byte : bytes) {
    if (byte == '\r') {
      text += "\\r";
    } else if (byte == '\n') {
      text += "\\n";
    } else if (byte >= 0x20 && byte < 0x7f) {
      text += byte;
    } else {
      const auto value = static_cast<unsigned char>(byte);
      text += "\\x";
      text += "0123456789abcdef"[value >> 4];
      text += "0123456789abcdef"[value & 15];
    }
  }
  return text;
}

inline std::string in_words(const Outcome& outcome) {
  if (outcome.progress != Progress::Failed) return outcome.progress == Progress::Complete ? "complete" : "need more";
  return std::string(to_string(outcome.defect)) + " at " + std::to_string(outcome.offset);
}

struct Judged {
  Outcome outcome;
  std::size_t head_size = 0;  // of a complete head
};

// A defect is reported as soon as its byte is there (a CR's at the latest with the byte behind it), never earlier, and
// always the same; before it, and before a complete head's end, more is asked for. `parse` is a function of bytes that
// gives Judged, and `judged` what it gave for the whole. The piece is a copy of its own size, so that a read behind it
// is seen by the sanitizer. Empty where all that holds for the first `size` bytes, else what does not.
template <typename Parse>
std::string difference_at_cut(Bytes whole, const Judged& judged, std::size_t size, const Parse& parse) {
  const std::unique_ptr<char[]> copy(new char[size]);
  whole.copy(copy.get(), size);
  const Judged cut = parse(Bytes(copy.get(), size));

  const Outcome& outcome = judged.outcome;
  Outcome expected{.progress = Progress::NeedMore};
  if (outcome.progress == Progress::Complete && size >= judged.head_size) expected = outcome;
  if (outcome.progress == Progress::Failed && size > outcome.offset) {
    const bool undecided = whole[outcome.offset] == '\r' && size == outcome.offset + 1U;
    if (!undecided || cut.outcome.progress == Progress::Failed) expected = outcome;
  }
  const bool same = cut.outcome.progress == expected.progress && cut.outcome.defect == expected.defect &&
                    cut.outcome.offset == expected.offset &&
                    (expected.progress != Progress::Complete || cut.head_size == judged.head_size);
  if (same) return "";
  return "the first " + std::to_string(size) + " bytes: " + in_words(cut.outcome) + ", not " + in_words(expected) +
         "; the whole: " + in_words(outcome) + ": " + printable(whole);
}

// The same for every cut.
template <typename Parse>
std::string difference_when_cut(Bytes whole, const Parse& parse) {
  const Judged judged = parse(whole);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    std::string difference = difference_at_cut(whole, judged, size, parse);
    if (!difference.empty()) return difference;
  }
  return "";
}

}  // namespace ballast::http
