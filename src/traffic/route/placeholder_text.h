// PlaceholderText: text of the configuration with {protocol} {host} {port} {path} {query}, in headers also {client} and
// {request_id}, to be filled in from a request.
//
// What is filled in can hold no CR, LF, NUL or any other control byte. In a URL it is percent-encoded where it could
// leave its part, or change which host is named; in a header all printable ASCII stands as it came. Immutable; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "config/placeholders.h"

namespace ballast::traffic {

// What of a request may be filled in.
struct RequestParts {
  Bytes protocol;          // "http"
  Bytes host;              // without the port
  std::uint16_t port = 0;  // of the listener as the client reached it
  Bytes path;
  Bytes query;  // without the '?'
  Bytes client = {};
  Bytes request_id = {};
};

class PlaceholderText {
 public:
  using Use = config::PlaceholderUse;
  // Bounds what is made to some hundreds of KiB whatever a client sends.
  static constexpr std::size_t placeholders_max = 8;

  // The Error names an unknown placeholder and lists the known ones.
  static Result<PlaceholderText> compile(std::string_view text, Use use);

  // In a URL {path} begins with one '/', also where the text before ends in one; where the query is empty, a '?' right
  // before {query} is left out.
  void append_to(std::string& out, const RequestParts& request) const;
  // Not nullptr: it holds no placeholders and is this.
  const std::string* plain() const;

 private:
  struct Piece {
    config::Placeholder placeholder = config::Placeholder::None;
    std::string text;
  };
  void append_in_url(std::string& out, const RequestParts& request) const;
  void append_in_header(std::string& out, const RequestParts& request) const;

  Use use_ = Use::Url;
  std::vector<Piece> pieces_;
};

}  // namespace ballast::traffic
