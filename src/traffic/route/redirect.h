// RedirectTo: the compiled `to` of a redirect, a Location with {protocol} {host} {port} {path} {query} filled in.
//
// What comes from the request is percent-encoded where it could end the header, leave its part of the URL, or change
// which host the Location names; a Location can not be made to hold CR, LF or any other control byte. Immutable; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "config/settings.h"

namespace ballast::traffic {

class RedirectTo {
 public:
  struct Request {
    Bytes protocol;          // "http"
    Bytes host;              // without the port
    std::uint16_t port = 0;  // of the listener as the client reached it
    Bytes path;
    Bytes query;  // without the '?'
  };
  // Bounds a Location to some hundreds of KiB whatever a client sends.
  static constexpr std::size_t placeholders_max = 8;
  static constexpr std::size_t text_max = 2048;

  // The Error names an unknown placeholder and lists the known ones.
  static Result<RedirectTo> compile(const config::Redirect& redirect);

  int status() const { return status_; }
  // {path} begins with one '/', also where the text before ends in one. Where the query is empty, a '?' right before
  // {query} is left out.
  std::string location(const Request& request) const;

 private:
  enum class Kind : std::uint8_t { Text, Protocol, Host, Port, Path, Query };
  struct Piece {
    Kind kind = Kind::Text;
    std::string text;
  };
  int status_ = 301;
  std::vector<Piece> pieces_;
};

}  // namespace ballast::traffic
