// Cookies of a request (RFC 6265 5.4): "a=1; b=2" in one field or several.
#pragma once

#include <optional>
#include <span>
#include <string>

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

// Whether a part of a Cookie field, or the first of a Set-Cookie, is a cookie of this name (with case).
bool is_cookie(Bytes pair, Bytes name);

// A Cookie field's value without the cookies of these names; what else is in it stays byte for byte. A view of `value`
// where it has none; else of `kept`, to which it is appended: never more than `value` has, for which `kept` has room.
Bytes without_cookies(Bytes value, std::span<const Bytes> names, std::string& kept);
inline Bytes without_cookie(Bytes value, Bytes name, std::string& kept) {
  return without_cookies(value, {&name, 1}, kept);
}

}  // namespace ballast::traffic
