// Lists and words without case: what field values such as Connection are made of (RFC 9110 5.6.1).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "wire/http/octets.h"

namespace ballast::http {

inline char to_lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + ('a' - 'A')) : byte;
}

// Equal but for the case of ASCII letters.
inline bool iequals(Bytes left, Bytes right) {
  if (left.size() != right.size()) return false;
  const char* a = left.data();
  const char* b = right.data();
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (a[i] != b[i] && to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

// The elements of a comma-separated value, trimmed, empty ones left out:
//   ListReader list(value);
//   for (Bytes item; list.next(item);) ...
// A comma inside a quoted string separates too: for lists of tokens, which have no such strings.
class ListReader {
 public:
  explicit ListReader(Bytes value) : at_(value.data()), end_(value.data() + value.size()) {}

  bool next(Bytes& item) {
    while (at_ < end_) {
      const char* begin = at_;
      while (at_ < end_ && *at_ != ',') ++at_;
      const char* end = at_;
      if (at_ < end_) ++at_;
      begin = skip_space(begin, end);
      end = trim_space(begin, end);
      if (begin != end) {
        item = Bytes(begin, static_cast<std::size_t>(end - begin));
        return true;
      }
    }
    return false;
  }

 private:
  const char* at_;
  const char* end_;
};

// Whether the list has that word, without case.
inline bool list_has(Bytes value, Bytes word) {
  ListReader list(value);
  for (Bytes item; list.next(item);) {
    if (iequals(item, word)) return true;
  }
  return false;
}

}  // namespace ballast::http
