// HeadWriter: serialises a message head afresh into a Buffer. What the parser read is never sent on as it came.
#pragma once

#include <cstdint>

#include "base/buffer.h"
#include "base/bytes.h"

namespace ballast::http {

class HeadWriter {
 public:
  explicit HeadWriter(Buffer& out) : out_(out) {}
  void request_line(Bytes method, Bytes target);  // "GET /path HTTP/1.1\r\n"
  void status_line(int status, Bytes reason);     // an empty reason becomes the standard phrase
  void field(Bytes name, Bytes value);            // "name: value\r\n"
  void field(Bytes name, std::uint64_t value);
  void raw(Bytes lines) { out_.append(lines); }  // complete lines, made by us
  void end() { out_.append(Bytes("\r\n")); }

 private:
  Buffer& out_;
};

Bytes standard_reason(int status);

}  // namespace ballast::http
