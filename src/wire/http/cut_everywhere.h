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

// A defect is reported as soon as its byte is there (a CR's at the latest with the byte behind it), never earlier, and
// always the same; before it, and before a complete head's end, more is asked for. Each piece is a copy of its own
// size, so that a read behind it is seen by the sanitizer. `parse` is called with the bytes and the size of the head,
// if complete, to be returned. Empty where that holds for every cut, else what does not.
template <typename Parse>
std::string difference_when_cut(Bytes whole, const Parse& parse) {
  std::size_t head_size = 0;
  const Outcome outcome = parse(whole, head_size);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const std::unique_ptr<char[]> copy(new char[size]);
    whole.copy(copy.get(), size);
    std::size_t cut_head_size = 0;
    const Outcome cut = parse(Bytes(copy.get(), size), cut_head_size);

    Outcome expected{.progress = Progress::NeedMore};
    if (outcome.progress == Progress::Complete && size >= head_size) expected = outcome;
    if (outcome.progress == Progress::Failed && size > outcome.offset) {
      const bool undecided = whole[outcome.offset] == '\r' && size == outcome.offset + 1U;
      if (!undecided || cut.progress == Progress::Failed) expected = outcome;
    }
    const bool same = cut.progress == expected.progress && cut.defect == expected.defect &&
                      cut.offset == expected.offset &&
                      (cut.progress != Progress::Complete || cut_head_size == head_size);
    if (!same) {
      return "the first " + std::to_string(size) + " bytes: " + in_words(cut) + ", not " + in_words(expected) +
             "; the whole: " + in_words(outcome) + ": " + printable(whole);
    }
  }
  return "";
}

}  // namespace ballast::http
