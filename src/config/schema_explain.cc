// The schema of what is kept of errors and slow requests.
#include <algorithm>
#include <array>

#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

std::string not_ours(std::string_view name) {
  constexpr std::array<std::string_view, 17> taken{
      "connection", "content-length",   "content-type", "content-encoding", "date",
      "location",   "www-authenticate", "allow",        "keep-alive",       "upgrade",
      "te",         "trailer",          "grpc-status",  "grpc-message",     "server",
      "set-cookie", "transfer-encoding"};
  if (!is_token(name)) return fmt::format("{} is not the name of a header", quote(name));
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  if (std::ranges::find(taken, lower) != taken.end()) {
    return fmt::format("{} has a meaning of its own in a response; take a name such as X-Ballast-Reason", quote(name));
  }
  return "";
}

}  // namespace

Value<Explain> explain_kind() {
  return section<Explain>({
      .name = "explain",
      .title = "Explaining errors",
      .doc =
          "Of each error that the balancer makes and of each slow request a record is kept, with all that tells why: "
          "`ballast explain`.",
      .properties =
          {
              {.name = "keep",
               .doc = "How many records are kept, of all workers together: half of them for errors, a quarter each for "
                      "slow requests and for connections that brought no request. One takes 3 KiB, once it is there. "
                      "0: none are kept.",
               .example = "5000",
               .value = field(&Explain::keep, integer({.min = 0, .max = 20'000}))},
              {.name = "slow_after",
               .doc =
                   "A request is slow when the head of its response took so long from the end of the request's head, "
                   "without the time that its body took to come. 0: none is.",
               .example = "2s",
               .value = field(&Explain::slow_after, duration({.min = 0s, .max = 1h}))},
              {.name = "reason_header",
               .doc = "A header that carries the reason's code in the balancer's own answers, such as "
                      "`X-Ballast-Reason`.",
               .example = "X-Ballast-Reason",
               .value = field(&Explain::reason_header, text({.words = "header name",
                                                             .pattern = "[!#$%&'*+.^_`|~0-9A-Za-z-]+",
                                                             .bytes_max = 64,
                                                             .check = not_ours})),
               .default_words = "none"},
          },
  });
}

}  // namespace ballast::config
