// The schema of what concerns AJP and servlet containers: the protocol's settings, and sessions that name their route.
#include <algorithm>

#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"
#include "config/units.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

std::string printable_ascii(std::string_view value) {
  const bool printable = std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7F; });
  return printable ? "" : "a secret is printable ASCII";
}

// What may stand in a cookie's name and in a path parameter's.
std::string parameter_name(std::string_view value) {
  constexpr std::string_view others = "-._~!$&'*+";
  const bool good = !value.empty() && std::ranges::all_of(value, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
  return good ? "" : fmt::format("{} is not the name of a cookie or path parameter", quote(value));
}

}  // namespace

Value<Ajp> ajp_kind() {
  return section<Ajp>({
      .name = "ajp",
      .title = "AJP",
      .doc = "What an ajp group agrees with its containers (Tomcat: the AJP `<Connector>` of server.xml).",
      .properties =
          {
              {.name = "secret",
               .doc = "The connector's `secret`. Tomcat takes no request without it, unless it is told to.",
               .example = "change-me",
               .value =
                   field(&Ajp::secret,
                         text_or_file({.words = "text, at most 1 KiB", .bytes_max = 1024, .check = printable_ascii},
                                      Confidence::Confidential)),
               .default_words = "none"},
              {.name = "packet_size",
               .doc = "The largest packet, as the connector's `packetSize`. A request's head must fit into one, with "
                      "its URL, its headers and a client certificate; else it is answered with 431.",
               .example = "64KiB",
               .value = field(&Ajp::packet_bytes, size({.min = 8 * kib, .max = 64 * kib}))},
              {.name = "ping_after",
               .doc = "A connection that has rested this long is asked whether its container is still there (CPING) "
                      "before a request that may not be sent twice; 0: each time.",
               .example = "1s",
               .value = field(&Ajp::ping_after, duration({.min = 0s, .max = 1h}))},
              {.name = "ping_timeout",
               .doc = "A container that does not answer that in this time is connected to anew.",
               .example = "1s",
               .value = field(&Ajp::ping_timeout, duration({.min = 10ms, .max = 60s}))},
          },
  });
}

Value<SessionRoute> session_route_kind() {
  return section<SessionRoute>({
      .name = "session_route",
      .title = "Session route",
      .doc = "Where a session's id names its target: servlet containers append a dot and their jvmRoute. A request of "
             "such a session goes to the target with that `route`, whatever the algorithm says, and to another one "
             "where that target cannot take it.",
      .properties =
          {
              {.name = "cookie",
               .doc = "The cookie that holds the id.",
               .example = "SESSION",
               .value = field(&SessionRoute::cookie,
                              text({.words = "name of a cookie", .bytes_max = 128, .check = parameter_name}))},
              {.name = "parameter",
               .doc = "The path parameter that holds it where the client takes no cookies: `/app;jsessionid=...`. It "
                      "goes before the cookie.",
               .example = "sid",
               .value = field(&SessionRoute::parameter,
                              text({.words = "name of a path parameter", .bytes_max = 128, .check = parameter_name}))},
          },
  });
}

}  // namespace ballast::config
