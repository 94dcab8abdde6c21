// The schema of stickiness: what keeps a client with the target that has served it.
#include <algorithm>

#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t name_bytes_max = 128;

Value<StickyBy> sticky_by() {
  return scalar<StickyBy>(
      {.form = Shape::Form::Text,
       .words = "cookie, application_cookie:NAME, source or header:NAME",
       .pattern = "cookie|source|(application_cookie|header):[!#$%&'*+.^_`|~0-9A-Za-z-]+"},
      [](std::string_view text) -> Result<StickyBy> {
        if (text == "cookie") return StickyBy{StickyKind::Cookie, ""};
        if (text == "source") return StickyBy{StickyKind::Source, ""};
        const std::size_t colon = text.find(':');
        const std::string_view kind = text.substr(0, colon);
        if (kind != "application_cookie" && kind != "header") {
          return fail(Code::Invalid, unknown_choice(kind, {"cookie", "application_cookie", "source", "header"}));
        }
        const std::string_view name = colon == std::string_view::npos ? "" : text.substr(colon + 1);
        if (!is_token(name) || name.size() > name_bytes_max) {
          return fail(Code::Invalid, fmt::format("{} names no {}; write {}:NAME", quote(text),
                                                 kind == "header" ? "header" : "cookie", kind));
        }
        return StickyBy{kind == "header" ? StickyKind::Header : StickyKind::ApplicationCookie, std::string(name)};
      },
      [](const StickyBy& by) -> std::string {
        switch (by.kind) {
          case StickyKind::Cookie:
            return "cookie";
          case StickyKind::ApplicationCookie:
            return "application_cookie:" + by.name;
          case StickyKind::Source:
            return "source";
          case StickyKind::Header:
            return "header:" + by.name;
        }
        return "cookie";
      });
}

std::string cookie_name(std::string_view value) {
  return is_token(value) ? "" : fmt::format("{} is not the name of a cookie", quote(value));
}

std::string cookie_path(std::string_view value) {
  const bool good = value.starts_with('/') &&
                    std::ranges::all_of(value, [](char c) { return c > 0x20 && c < 0x7F && c != ';' && c != ','; });
  return good ? "" : fmt::format("{} is not the path of a cookie; it begins with /", quote(value));
}

void finish_cookie(Sticky& sticky, const Node& node, Decoder& decoder) {
  for (const std::string_view key : {"name", "max_age", "path", "same_site", "secure"}) {
    if (!node.find(key) || sticky.sets_cookie()) continue;
    decoder.error(node.mark_of(key),
                  fmt::format("{} is of a cookie, and with `by: {}` none is set", key,
                              sticky.by.kind == StickyKind::Source ? "source" : "header:" + sticky.by.name));
  }
  if (sticky.by.kind == StickyKind::ApplicationCookie && node.find("max_age")) {
    decoder.error(node.mark_of("max_age"), "the cookie lasts as long as the application's; leave max_age out");
  }
  if (sticky.name == group_cookie_name) {
    decoder.error(node.mark_of("name"),
                  fmt::format("{} is the cookie of stay_by; give this one another name", sticky.name));
  }
  // What browsers ask of a cookie before they keep it.
  if (sticky.same_site == SameSite::None && sticky.secure == SecureCookie::Never) {
    decoder.error(node.mark_of("secure"), "browsers keep no cookie with same_site: none that is not secure");
  }
  const bool is_host = sticky.name.starts_with("__Host-");
  if ((is_host || sticky.name.starts_with("__Secure-")) && sticky.secure != SecureCookie::Always) {
    decoder.error(node.mark_of("name"),
                  fmt::format("browsers keep a cookie called {} only where it is secure", quote(sticky.name)),
                  "secure: always");
  }
  if (is_host && sticky.path != "/") {
    decoder.error(node.mark_of("path"),
                  fmt::format("browsers keep a cookie called {} only with the path /", quote(sticky.name)));
  }
}

}  // namespace

Value<Sticky> sticky_kind() {
  Value<Sticky> whole =
      section<Sticky>({
          .name = "sticky",
          .title = "Stickiness",
          .doc =
              "A client's next requests go to the target that has served it, whatever the algorithm says, as long as "
              "that target takes requests; then another one serves it, and keeps it.",
          .properties =
              {
                  {.name = "by",
                   .doc =
                       "What a client is known by: `cookie`, a cookie of the balancer's own; "
                       "`application_cookie:NAME`, "
                       "the same, for as long as the application keeps its cookie NAME; `source`, its address (of IPv6 "
                       "the first 64 bits); `header:NAME`, the value of a header. By source and header nothing is "
                       "remembered: the value is hashed, and a change of the targets moves few clients.",
                   .example = "\"application_cookie:JSESSIONID\"",
                   .value = field(&Sticky::by, sticky_by())},
                  {.name = "name",
                   .doc =
                       "What the balancer's cookie is called. Groups that serve the same host need names or paths of "
                       "their own.",
                   .example = "SHOP_TARGET",
                   .value = field(&Sticky::name, text({.words = "name of a cookie",
                                                       .pattern = "[!#$%&'*+.^_`|~0-9A-Za-z-]+",
                                                       .bytes_max = name_bytes_max,
                                                       .check = cookie_name}))},
                  {.name = "max_age",
                   .doc =
                       "How long after its last response a client may come back to its target; the cookie is then sent "
                       "with every response.",
                   .example = "8h",
                   .value = field(&Sticky::max_age, duration({.min = 1s, .max = 8760h})),
                   .default_words = "until the browser is closed"},
                  {.name = "path",
                   .doc = "For which paths the browser sends it.",
                   .example = "/shop",
                   .value = field(&Sticky::path, text({.words = "path", .bytes_max = 256, .check = cookie_path}))},
                  {.name = "same_site",
                   .doc = "Whether the browser sends it with requests that other sites cause.",
                   .example = "strict",
                   .value = field(&Sticky::same_site,
                                  one_of<SameSite>({{"lax", SameSite::Lax, "when a link is followed"},
                                                    {"strict", SameSite::Strict, "never"},
                                                    {"none", SameSite::None, "always, in frames too; https alone"}}))},
                  {.name = "secure",
                   .doc = "Whether the browser sends it over https alone.",
                   .example = "always",
                   .value = field(&Sticky::secure,
                                  one_of<SecureCookie>(
                                      {{"auto", SecureCookie::Auto, "where it was set over https"},
                                       {"always", SecureCookie::Always, "also where TLS ends before us"},
                                       {"never", SecureCookie::Never, "over http, too"}}))},
              },
          .finish = finish_cookie,
      });
  return shortened(std::move(whole), &Sticky::by, sticky_by());
}

void finish_sticky(const TargetGroup& group, const Node& node, Decoder& decoder) {
  if (!group.sticky.has_value()) return;
  const Sticky& sticky = *group.sticky;
  // Here, since the short form has no section of its own to be finished.
  if (sticky.by.kind == StickyKind::ApplicationCookie && sticky.by.name == sticky.name) {
    decoder.error(node.mark_of("sticky"), fmt::format("the application's cookie cannot be called {}, as the balancer's "
                                                      "own is; give that another name",
                                                      quote(sticky.name)));
  }
  if (group.protocol == GroupProtocol::Ajp) {
    decoder.error(node.mark_of("sticky"),
                  "the sessions of an ajp group stay with the target that their id names; give targets a route");
  } else if (!is_http(group.protocol)) {
    decoder.error(node.mark_of("sticky"),
                  fmt::format("a {} group sees no requests to keep together", to_string(group.protocol)),
                  "algorithm: maglev, which hashes the client's address");
  }
  if (std::ranges::any_of(group.targets, [](const Target& target) { return !target.route.empty(); })) {
    decoder.error(node.mark_of("sticky"),
                  "sticky beside targets with a route: both say where a client's requests go; leave one of them out");
  }
  if (sticky.by.kind == StickyKind::Source && node.find("algorithm")) {
    decoder.warning(node.mark_of("algorithm"), "algorithm has no effect: sticky by source finds the target itself");
  }
}

}  // namespace ballast::config
