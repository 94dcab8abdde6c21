// The schema of the way from http to https: the redirect and Strict-Transport-Security.
#include <charconv>

#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"
#include "config/units.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t day_seconds = 24 * 3600;
// Ten years; the longest that anybody asks for is two.
constexpr std::int64_t age_max_seconds = 3650 * day_seconds;

// Seconds, as the header has them, days, or a duration.
Result<Milliseconds> parse_age(std::string_view text) {
  const auto out_of_bounds = [&] { return fail(Code::Invalid, fmt::format("{} is more than 3650d", quote(text))); };
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view rest(read.ptr, static_cast<std::size_t>(text.data() + text.size() - read.ptr));
  const bool is_number = read.ptr != text.data() && text.front() != '-';
  if (is_number && (rest.empty() || rest == "d")) {
    const std::int64_t unit = rest.empty() ? 1 : day_seconds;
    if (read.ec != std::errc() || number > age_max_seconds / unit) return out_of_bounds();
    return Milliseconds(std::chrono::seconds(number * unit));
  }
  return parse_duration(text);
}

std::string show_age(Milliseconds age) {
  const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  return seconds != 0 && seconds % day_seconds == 0 ? fmt::format("{}d", seconds / day_seconds) : show_duration(age);
}

Value<Milliseconds> age() {
  return scalar<Milliseconds>({.form = Shape::Form::Text,
                               .words = "seconds, days (365d) or a duration, 0 to 3650d",
                               .pattern = "[0-9]+d?|([0-9]+h)?([0-9]+m)?([0-9]+s)?"},
                              parse_age, show_age);
}

void finish_hsts(Hsts& hsts, const Node& node, Decoder& decoder) {
  if (!hsts.preload) return;
  if (!hsts.include_subdomains) {
    decoder.error(node.mark_of("preload"),
                  "preload: the browsers' lists take a name only with all below it; add "
                  "include_subdomains: true");
  }
  if (hsts.max_age < std::chrono::hours(365 * 24)) {
    decoder.error(node.mark_of("preload"), "preload: the browsers' lists want a max_age of 365d at least");
  }
}

}  // namespace

std::string Hsts::header() const {
  return fmt::format("max-age={}{}{}", std::chrono::duration_cast<std::chrono::seconds>(max_age).count(),
                     include_subdomains ? "; includeSubDomains" : "", preload ? "; preload" : "");
}

Value<HttpsRedirect> https_redirect_kind() {
  Value<HttpsRedirect> on = section<HttpsRedirect>({
      .name = "redirect_https",
      .title = "Redirect to https",
      .doc = "What no rule of an http listener matches is sent to the same host, path and query over https.",
      .properties =
          {
              {.name = "port",
               .doc = "The port of https; 443 is not written.",
               .example = "8443",
               .value = field(&HttpsRedirect::port, integer({.min = 1, .max = 65535}))},
              {.name = "status",
               .doc = "The status of the answer.",
               .example = "301",
               .value = field(&HttpsRedirect::status, number_of({{301, "moved permanently; a POST becomes a GET"},
                                                                 {302, "found: for now"},
                                                                 {307, "for now, with the same method"},
                                                                 {308, "permanently, with the same method"}}))},
          },
  });
  return switchable(shortened(std::move(on), &HttpsRedirect::enabled, boolean()), &HttpsRedirect::enabled,
                    Scalars::AreValues);
}

Value<Hsts> hsts_kind() {
  return shortened(section<Hsts>({
                       .name = "hsts",
                       .title = "Strict transport security",
                       .doc = "`Strict-Transport-Security` of RFC 6797: for max_age a browser speaks to this host over "
                              "https alone, and lets nobody pass by a certificate that is not valid.",
                       .properties =
                           {
                               {.name = "max_age",
                                .doc = "For how long, from the last answer on. 0: browsers forget it.",
                                .example = "365d",
                                .value = field(&Hsts::max_age, age()),
                                .required = true},
                               {.name = "include_subdomains",
                                .doc = "Whether it holds for every name below the host's too.",
                                .example = "true",
                                .value = field(&Hsts::include_subdomains, boolean())},
                               {.name = "preload",
                                .doc = "Consent to be put on the lists that browsers are built with. Coming off them "
                                       "takes months.",
                                .example = "true",
                                .value = field(&Hsts::preload, boolean())},
                           },
                       .finish = finish_hsts,
                   }),
                   &Hsts::max_age, age());
}

}  // namespace ballast::config
