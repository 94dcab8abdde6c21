#include "traffic/route/redirect.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace ballast::traffic {

Result<RedirectTo> RedirectTo::compile(const config::Redirect& redirect) {
  const std::string_view to = redirect.to;
  const auto invalid = [&](std::string_view what) {
    return fail(Code::Invalid, fmt::format("redirect to \"{}\": {}", to.substr(0, 200), what));
  };
  constexpr std::array<int, 5> statuses{301, 302, 303, 307, 308};
  if (std::find(statuses.begin(), statuses.end(), redirect.status) == statuses.end()) {
    return invalid(fmt::format("status {} is none of 301, 302, 303, 307 and 308", redirect.status));
  }
  if (to.empty()) return invalid("it is empty");
  if (to.size() > text_max) return invalid(fmt::format("{} bytes; at most {}", to.size(), text_max));
  for (const char c : to) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte <= ' ' || byte == 0x7f) return invalid("it holds a space or a control byte; write it as %20 or the like");
  }
  Result<PlaceholderText> text = PlaceholderText::compile(to, PlaceholderText::Use::Url);
  if (!text) return invalid(text.error().text());
  RedirectTo compiled;
  compiled.status_ = redirect.status;
  compiled.to_ = *std::move(text);
  return compiled;
}

std::string RedirectTo::location(const Request& request) const {
  std::string out;
  out.reserve(64 + request.host.size() + request.path.size() + request.query.size());
  to_.append_to(out, request);
  return out;
}

}  // namespace ballast::traffic
