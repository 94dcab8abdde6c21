// RedirectTo: the compiled `to` of a redirect, a Location with {protocol} {host} {port} {path} {query} filled in.
//
// What comes from the request is percent-encoded where it could end the header, leave its part of the URL, or change
// which host the Location names; a Location can not be made to hold CR, LF or any other control byte. Immutable; any
// thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "config/settings.h"
#include "traffic/route/placeholder_text.h"

namespace ballast::traffic {

class RedirectTo {
 public:
  using Request = RequestParts;
  static constexpr std::size_t text_max = 2048;

  // The Error names an unknown placeholder and lists the known ones.
  static Result<RedirectTo> compile(const config::Redirect& redirect);

  int status() const { return status_; }
  std::string location(const Request& request) const;

 private:
  int status_ = 301;
  PlaceholderText to_;
};

}  // namespace ballast::traffic
