// ApiRequest and ApiResponse: one question to the admin API and its answer, without any transport.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace ballast::admin {

// By which door a request came in. The file's permissions guard the socket, so it may do everything; TCP may only read.
enum class Door : std::uint8_t { Socket, Tcp };

// Larger than any file a person or a generator writes for this program, small enough to hold 64 of them.
inline constexpr std::size_t api_body_bytes_max = 4 * mib;

struct ApiRequest {
  std::string method;
  std::string target;  // as sent: path and query, percent-encoded
  std::string content_type;
  std::string body;  // at most api_body_bytes_max
  Door door = Door::Socket;
  std::string user = {};  // of this machine, who asks; empty: not known
};

struct ApiResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::string allow = {};  // of a 405
};

// The target taken apart: path segments and query parameters, percent-decoded. Segments are decoded after splitting, so
// that "unix:%2Frun%2Fa.sock" is one segment.
struct Target {
  struct Parameter {
    std::string name;
    std::string value;
  };
  std::vector<std::string> segments;
  std::vector<Parameter> parameters;
  bool malformed = false;  // a '%' without two hex digits behind it, or a NUL

  // Empty where there is none.
  std::string_view parameter(std::string_view name) const;
};
Target take_apart(std::string_view target);

// `text` as one path segment or query value.
std::string percent_encode(std::string_view text);

}  // namespace ballast::admin
