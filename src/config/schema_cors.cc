// The schema of CORS: which pages of other origins may read responses.
#include <algorithm>
#include <charconv>

#include "config/forms.h"
#include "config/kinds.h"
#include "config/origins.h"
#include "config/schema.h"
#include "config/section.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

Value<std::string> token(std::string_view words) {
  return text({.words = std::string(words), .bytes_max = 256, .check = [words](std::string_view value) {
                 return is_token(value) ? "" : fmt::format("{} is not a {}", quote(value), words);
               }});
}

bool has_star(const std::vector<std::string>& texts) {
  return std::ranges::find(texts, "*") != texts.end();
}

void finish_cors(Cors& cors, const Node& node, Decoder& decoder) {
  const auto alone = [&](const std::vector<std::string>& texts, std::string_view key) {
    if (!has_star(texts) || texts.size() == 1) return;
    decoder.error(node.mark_of(key), fmt::format("{}: * stands for all of them; leave the others out", key));
  };
  alone(cors.origins, "origins");
  alone(cors.methods, "methods");
  alone(cors.headers, "headers");
  alone(cors.expose, "expose");
  if (!cors.credentials) return;
  if (has_star(cors.origins)) {
    decoder.error(
        node.mark_of("credentials"),
        "credentials with the origin * would let every page of the web act as the user who opens it; name the "
        "origins",
        "origins: [https://app.example.com]");
  }
  if (std::ranges::find(cors.origins, "null") != cors.origins.end()) {
    decoder.error(node.mark_of("credentials"),
                  "credentials with the origin null: every page can open a frame of that origin, and would act as the "
                  "user who opens it; name the origins",
                  "origins: [https://app.example.com]");
  }
  if (has_star(cors.expose)) {
    decoder.error(node.mark_of("expose"),
                  "expose: with credentials browsers take * for a header of that name; name the headers");
  }
}

Value<std::vector<std::string>> origins() {
  return list(
      text({.words = "origin: scheme://host, scheme://*.host, null or *", .bytes_max = 512, .check = origin_defect}),
      {.min = 1, .max = 200, .single = Single::Alone});
}

}  // namespace

std::string origin_defect(std::string_view value) {
  const auto wrong = [value](std::string_view what) {
    return fmt::format("{} is not an origin: {}", quote(value), what);
  };
  if (value == "*" || value == "null") return "";
  const std::size_t colon = value.find("://");
  if (colon == std::string_view::npos || colon == 0)
    return wrong("write scheme://host, such as https://app.example.com");
  const std::string_view scheme = value.substr(0, colon);
  std::string_view host = value.substr(colon + 3);
  if (host.find_first_of("/?#@") != std::string_view::npos) return wrong("it ends with the host or the port");
  std::string_view port;
  if (const std::size_t at = host.rfind(':');
      at != std::string_view::npos && host.find(']', at) == std::string_view::npos) {
    port = host.substr(at + 1);
    host = host.substr(0, at);
    unsigned number = 0;
    const auto read = std::from_chars(port.data(), port.data() + port.size(), number);
    if (read.ec != std::errc() || read.ptr != port.data() + port.size() || number == 0 || number > 65535) {
      return wrong("its port is not a number from 1 to 65535");
    }
  }
  if ((scheme == "https" && port == "443") || (scheme == "http" && port == "80")) {
    return wrong(fmt::format("browsers leave the port {} out; write {}://{}", port, scheme, host));
  }
  if (host.starts_with("*.")) host.remove_prefix(2);
  if (host.find('*') != std::string_view::npos)
    return wrong("* may only stand for whole names at its beginning: *.example.com");
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == ':' ||
           c == '[' || c == ']' || c == '+';
  };
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (std::ranges::any_of(value, upper)) return wrong("browsers write it in small letters");
  if (host.empty() || !std::ranges::all_of(host, letter) || !std::ranges::all_of(scheme, letter)) {
    return wrong("browsers write names in letters, digits, - and . (others as xn--)");
  }
  return "";
}

Value<Cors> cors_kind() {
  Value<Cors> whole = section<Cors>({
      .name = "cors",
      .title = "CORS",
      .doc =
          "Which pages of other origins may read responses. A browser's question before a request (its preflight) is "
          "answered here, before anybody is asked for a password, and never reaches a target; every response to an "
          "allowed origin says so, those that ballast makes itself too, in the place of what the target says of it.",
      .properties =
          {
              {.name = "origins",
               .doc = "The origins whose pages may read: as browsers write them, `https://*.example.com` for all names "
                      "below, `*` for everybody, `null` for files and sandboxed frames.",
               .example = "[https://app.example.com, \"https://*.example.org\"]",
               .value = field(&Cors::origins, origins()),
               .required = true},
              {.name = "methods",
               .doc = "The methods of requests that a browser asks about first; `*`: any.",
               .example = "[GET, POST, PUT, DELETE]",
               .value = field(&Cors::methods, list(token("method"), {.min = 1, .max = 50, .single = Single::Alone}))},
              {.name = "headers",
               .doc = "The request headers that scripts may set beside the harmless ones; `*`: any.",
               .example = "[Content-Type, Authorization]",
               .value = field(&Cors::headers, list(token("header name"), {.max = 100, .single = Single::Alone})),
               .default_words = "none"},
              {.name = "expose",
               .doc = "The response headers that scripts may read beside the harmless ones; `*`: all.",
               .example = "[ETag, X-Request-Id]",
               .value = field(&Cors::expose, list(token("header name"), {.max = 100, .single = Single::Alone})),
               .default_words = "none"},
              {.name = "credentials",
               .doc = "Whether requests may carry the user's cookies and passwords.",
               .example = "true",
               .value = field(&Cors::credentials, boolean())},
              {.name = "max_age",
               .doc =
                   "How long a browser may keep the answer to a preflight; browsers cut it to two hours (Chromium) or "
                   "a day (Firefox).",
               .example = "1h",
               .value = field(&Cors::max_age, duration({.min = 0s, .max = 24h})),
               .default_words = "the browser's own: 5 seconds"},
              {.name = "private_network",
               .doc = "Whether pages of the public web may reach this listener in a private network, where a browser "
                      "asks for that.",
               .example = "true",
               .value = field(&Cors::private_network, boolean())},
              {.name = "refuse",
               .doc = "Whether requests of other origins are answered with 403, WebSockets too. Otherwise they pass as "
                      "they are, and the browser keeps the answer from the page. Requests of the site's own pages, and "
                      "those that name no origin, always pass.",
               .example = "true",
               .value = field(&Cors::refuse, boolean())},
          },
      .finish = finish_cors,
  });
  return switchable(shortened(std::move(whole), &Cors::origins, origins()), &Cors::enabled, Scalars::AreValues);
}

}  // namespace ballast::config
