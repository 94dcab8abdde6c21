// Fuzzes the cookies of a request: a value is a view of what was sent; what is left without a cookie has none of that
// name, never grows, and stands where there was room for it.
//
// The canary holds that a line without the cookie is shorter by at least its name.
#include <cstdint>
#include <string>

#include "require.h"
#include "traffic/l7/cookie.h"
#include "wire/http/parse.h"

namespace {

using namespace ballast;
using namespace ballast::traffic;
using ballast::fuzz::require;

constexpr Bytes name = "BALLAST";

bool is_within(Bytes part, const std::string& whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Two lines of cookies, as they stand in a head.
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::size_t middle = input.find('\n');
  const std::string first = input.substr(0, middle);
  const std::string second = middle == std::string::npos ? std::string() : input.substr(middle + 1);
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nCookie: " + first + "\r\nCookie: " + second + "\r\n\r\n";
  http::RequestHead head;
  if (http::RequestParser::parse(text, {}, head).progress != http::Progress::Complete) return 0;

  CookieReader cookies(head.fields, name);
  std::size_t found = 0;
  while (const auto value = cookies.next()) {
    require(is_within(*value, text), "a value is a view of the head");
    require(++found <= text.size(), "it ends");
  }
  std::size_t room = 0;
  for (const http::Field& field : head.fields) {
    if (field.id == http::HeaderId::Cookie) room += head.fields.value(field).size();
  }
  std::string kept;
  kept.reserve(room);
  const char* const where = kept.data();
  for (const http::Field& field : head.fields) {
    if (field.id != http::HeaderId::Cookie) continue;
    const Bytes value = head.fields.value(field);
    const Bytes left = without_cookie(value, name, kept);
    require(left.size() <= value.size(), "it never grows");
    require(is_within(left, text) || is_within(left, kept), "it stands where it is said to");
    std::string again;
    again.reserve(left.size());
    require(without_cookie(left, name, again).data() == left.data(), "none of that name is left");
#ifdef BALLAST_CANARY
    require(left.size() == value.size() || left.size() + name.size() + 5 <= value.size(), "a cookie has a long value");
#endif
  }
  require(kept.data() == where, "what was put there has not moved");
  return 0;
}
