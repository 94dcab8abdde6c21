// Cookies of a request (RFC 6265 5.4): "a=1; b=2" in one field or several.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "wire/http/message.h"

namespace ballast::traffic {

// The cookies of one name (with case), in the order sent: a client may hold several, of different paths. Values are
// views into the head, without quotes around them.
class CookieReader {
 public:
  CookieReader(const http::Fields& fields, Bytes name) : fields_(fields), name_(name), at_(fields.begin()) {}
  std::optional<Bytes> next();

 private:
  const http::Fields& fields_;
  Bytes name_;
  const http::Field* at_;  // the next field to look at
  Bytes rest_;             // of the field before it
};

// The first of them.
inline std::optional<Bytes> cookie_value(const http::Fields& fields, Bytes name) {
  return CookieReader(fields, name).next();
}

}  // namespace ballast::traffic
