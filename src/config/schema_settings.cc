// The schema of a whole configuration file.
#include "config/forms.h"
#include "config/kinds.h"
#include "config/schema.h"
#include "config/section.h"

namespace ballast::config {
namespace {

using namespace std::chrono_literals;

std::string not_empty(std::string_view value) {
  return value.empty() ? "the path is empty" : "";
}

// Worked off before decoding (include.h); declared so that it is documented.
Field<Settings> include_field() {
  const Value<std::vector<std::string>> names =
      list(text({.words = "file or glob"}), {.max = 256, .single = Single::Alone});
  return {.shape = [names] { return names->shape(); },
          .decode = [](const Node&, Settings&, Decoder&) {},
          .show = [](const Settings&) { return std::nullopt; },
          .diff = [](const Settings&, const Settings&, const DiffWalk&) {}};
}

Value<AccessLog> access_log() {
  return section<AccessLog>({
      .name = "access_log",
      .title = "Access log",
      .doc = "One line for each request, for each connection of a tcp or tls listener, and for each flow of a udp one.",
      .properties =
          {
              {.name = "path",
               .doc = "Where the lines go: a file, reopened on SIGUSR1, or `stdout`. Empty: nowhere.",
               .example = "/var/log/ballast/access.log",
               .value = field(&AccessLog::path, text({.words = "path of a file, or stdout"})),
               .default_words = "empty: no access log"},
              {.name = "format",
               .doc = "How a line is written.",
               .example = "combined",
               .value =
                   field(&AccessLog::format,
                         one_of<AccessLogFormat>({
                             {"json", AccessLogFormat::Json, "one JSON object a line, with timings and reason codes"},
                             {"combined", AccessLogFormat::Combined, "the combined format of Apache and nginx"},
                         }))},
          },
  });
}

Value<Admin> admin() {
  return section<Admin>({
      .name = "admin",
      .title = "Administration",
      .doc = "Where `ballast status`, `drain`, `apply` and the monitoring reach this process.",
      .properties =
          {
              {.name = "socket",
               .doc = "The Unix socket of the full API. Its file permissions decide who may use it.",
               .example = "/run/ballast/admin.sock",
               .value = field(
                   &Admin::socket,
                   text({.words = "path of a Unix socket, at most 107 bytes", .bytes_max = 107, .check = not_empty})),
               .restart = true},
              {.name = "http",
               .doc = "An address that serves `/metrics` and the read-only part of the API. It asks for no password: "
                      "keep it on "
                      "an address that only your monitoring reaches.",
               .example = "\"127.0.0.1:9900\"",
               .value = field(&Admin::http, address(AddressUse::Listen)),
               .default_words = "none: not served",
               .restart = true},
          },
  });
}

}  // namespace

Value<Settings> settings_kind() {
  return section<Settings>({
      .name = "configuration",
      .title = "The file",
      .doc = "What may stand at the top of a configuration file. Every section is optional.",
      .properties =
          {
              {.name = "include",
               .doc = "Other files to read as well, relative to this one: a file, a glob such as `conf.d/*.yaml`, or a "
                      "list of "
                      "them. Sections are joined; the same entry in two files is an error. A glob that matches nothing "
                      "is fine.",
               .example = "[conf.d/*.yaml]",
               .value = include_field()},
              {.name = "listeners",
               .doc = "Where clients connect, by name.",
               .example = "{ web: { address: \":8080\", default: { forward: site } } }",
               .value = field(&Settings::listeners, named(listener_kind(), 1'000))},
              {.name = "target_groups",
               .doc = "What listeners forward to, by name.",
               .example = "{ site: { targets: [10.0.0.11:8080] } }",
               .value = field(&Settings::target_groups, named(target_group_kind(), 10'000))},
              {.name = "acme",
               .doc = "How certificates are obtained that listeners have as `{ acme: [names] }`.",
               .example = "{ accept_terms: true, email: ops@example.com }",
               .value = field(&Settings::acme, acme_kind()),
               .default_words = "none"},
              {.name = "access_log",
               .doc = "The log of requests, for all listeners.",
               .example = "{ path: stdout }",
               .value = field(&Settings::access_log, access_log())},
              {.name = "explain",
               .doc = "What is kept of errors and slow requests, for `ballast explain`.",
               .example = "{ slow_after: 2s }",
               .value = field(&Settings::explain, explain_kind())},
              {.name = "admin",
               .doc = "The API and the metrics of this process.",
               .example = "{ http: \"127.0.0.1:9900\" }",
               .value = field(&Settings::admin, admin())},
              {.name = "state_directory",
               .doc = "Where changes made through the API are kept, so that a restart forgets nothing.",
               .example = "/var/lib/ballast",
               .value = field(&Settings::state_directory, text({.words = "path of a directory", .check = not_empty})),
               .restart = true},
              {.name = "workers",
               .doc = "The number of threads that carry traffic; `auto` is one a core.",
               .example = "2",
               .value = field(&Settings::workers, workers()),
               .restart = true},
              {.name = "kernel_tls",
               .doc = "Whether the kernel encrypts long bodies that are sent over TLS, so that files go out by "
                      "`sendfile` and responses past this process. `ballast status --json` says whether it can.",
               .example = "off",
               .value =
                   field(&Settings::kernel_tls, one_of<KernelTls>({
                                                    {"auto", KernelTls::Auto, "where the kernel can, from 64 KiB on"},
                                                    {"off", KernelTls::Off, "this process encrypts everything"},
                                                })),
               .restart = true},
              {.name = "shutdown_timeout",
               .doc = "How long SIGTERM waits for requests and connections under way before it cuts them.",
               .example = "1m",
               .value = field(&Settings::shutdown_timeout, duration({.min = 0s, .max = 1h}))},
              {.name = "handover_timeout",
               .doc = "How long `ballast upgrade` leaves the connections of the process that was replaced to it "
                      "(WebSockets, downloads, tcp connections) before it cuts them.",
               .example = "12h",
               .value = field(&Settings::handover_timeout, duration({.min = 0s, .max = 168h}))},
          },
  });
}

}  // namespace ballast::config
