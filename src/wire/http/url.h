// Url: "http://host[:port][/path][?query]" or https, as an operator or an authority names a place to fetch from.
//
// A value. Taken apart strictly: no user information, no fragment, nothing outside printable ASCII, a port that is one.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace ballast::http {

struct Url {
  bool secure = false;
  std::string host;  // without the brackets of an IPv6 address
  std::uint16_t port = 80;
  std::string target = "/";
  std::string authority;  // as it stood there: for the Host header

  // Longer is none that anybody means; a text from a stranger is bounded by it.
  static constexpr std::size_t bytes_max = 2048;
  // The Error says what is wrong with it, without naming it.
  static Result<Url> parse(Bytes text);
};

}  // namespace ballast::http
