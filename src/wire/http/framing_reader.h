// What Content-Length, Transfer-Encoding and Connection say (RFC 9112 6, 9): shared by requests and responses.
//
// Anything two readers could understand differently is refused, since a body whose end is disputed is how one client's
// request is smuggled into another's connection: repeated lengths even when they agree, lists, a length beside a
// coding, codings other than chunked.
#pragma once

#include <cstdint>

#include "wire/http/field_reader.h"
#include "wire/http/list.h"

namespace ballast::http {

class FramingReader {
 public:
  Finding take_length(const FieldLine& line);
  Finding take_coding(const FieldLine& line, int minor_version);
  void take_connection(const FieldLine& line);

  bool has_length = false;
  bool padded = false;  // the length has zeroes in front
  bool chunked = false;
  std::uint64_t length = 0;

  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;

  // RFC 9112 9.3; close wins over keep-alive.
  bool persists(int minor_version) const { return !close && (minor_version == 1 || keep_alive); }
};

// The bytes of a complete line's value.
inline Bytes value_of(const FieldLine& line) {
  const char* end = trim_space(line.value, line.stop);
  return {line.value, static_cast<std::size_t>(end - line.value)};
}

}  // namespace ballast::http
